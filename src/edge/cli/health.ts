/** `passito health`: the queue's health, from any shell, whether or not a supervisor runs. */

import { checkHealth, type Health, mailUnreadable, tellAdmin } from '../../alerts.ts';
import { openStore } from '../../app.ts';
import type { Config } from '../../config.ts';
import { formatTime } from '../../engine/clock.ts';
import { healthAsJson, type HealthReason, type HealthSnapshot, severity } from '../../engine/health.ts';
import { formatDuration } from '../../engine/units.ts';
import { errors, EXIT, messageOf, PassitoError, sentence } from '../../errors.ts';
import { inZone, tellTime } from '../../outpass/local-time.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { oneLine } from '../terminal.ts';
import { type Command, type Input, JSON_OPTION } from './command.ts';
import { pauseTold } from './render.ts';
import { readWhole } from './values.ts';

export const health: Command = {
  name: 'health',
  aliases: ['jobs:health'],
  about: "Show the queue's health, and what to do where it has issues",
  options: [
    {
      name: 'alert-threshold',
      value: 'minutes',
      about: 'Minutes after which a due job is stale (5, or PASSITO_ALERT_THRESHOLD)',
    },
    { name: 'send-email', about: 'Mail ADMIN_EMAIL where there is something that was not mailed yet' },
    { name: 'force', about: 'With --send-email: mail again what was mailed already' },
    { name: 'exit-code-on-failure', about: 'Exit with 1 where the queue has issues' },
    { name: 'nagios', about: 'One line and the exit status for monitoring programs (0, 1, 2, 3)' },
    JSON_OPTION,
  ],
  example: 'passito health --alert-threshold=10 --exit-code-on-failure',
  async run(input) {
    if (input.json && input.has('nagios')) throw errors.conflictingOptions('--json', '--nagios');
    let config: Config | undefined;
    try {
      const minutes = readWhole(input, 'alert-threshold', 1, 100_000);
      config = await input.config();
      const threshold = minutes === undefined ? config.settings.alertThreshold : minutes * 60_000;
      const store = await openStore(config, 'existing');
      try {
        return await report(input, config, store, threshold);
      } finally {
        await store.close();
      }
    } catch (error) {
      if (input.has('nagios') && error instanceof PassitoError) {
        // One line, without the bar that would begin the figures.
        const said = error.message.replaceAll(/\s*\n\s*(?:- )?/g, ' ').replaceAll('|', '/');
        input.print(oneLine(`PASSITO UNKNOWN - ${said}`));
      }
      if (config !== undefined && input.has('send-email')) await tellUnreadable(input, config, error);
      if (input.has('nagios') && error instanceof PassitoError) return NAGIOS.unknown;
      throw error;
    }
  },
};

/** What monitoring programs understand. */
const NAGIOS = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;

async function report(input: Input, config: Config, store: SqliteStore, threshold: number): Promise<number> {
  const found = await checkHealth(store, threshold);
  const { snapshot } = found;
  const reasons = found.reasons.map((one) => ({ ...one, try: input.proposal(one.try) }));
  const worst = severity(reasons);
  if (input.has('nagios')) input.print(nagiosLine(snapshot, reasons, worst));
  else {
    input.note(`Database: ${store.file}`);
    if (input.json) input.print(JSON.stringify(healthAsJson(snapshot, reasons)));
    else print(input, snapshot, reasons, config.settings.timeZone);
  }
  const failed = input.has('send-email') && !(await mail(input, config, store, found));
  if (input.has('nagios')) return NAGIOS[worst];
  if (reasons.length > 0 && input.has('exit-code-on-failure')) return EXIT.no;
  return failed ? EXIT.unreachable : 0;
}

/** Whether the admin knows now, or need not. */
async function mail(input: Input, config: Config, store: SqliteStore, found: Health): Promise<boolean> {
  if (config.settings.adminEmail === '') {
    input.note('No mail was sent: set ADMIN_EMAIL, in the env file or the environment.');
    return true;
  }
  const result = await tellAdmin({ config, store }, found, { by: 'command', force: input.has('force') });
  const { timeZone: zone } = config.settings;
  const told = (ms: number) => inZone(tellTime(formatTime(ms), zone), zone);
  switch (result.done) {
    case 'mailed': {
      const { via, response } = result.receipt;
      input.note(
        via === 'outbox'
          ? `No SMTP server is configured: the mail to ${result.to} lies in ${response}.`
          : `Mailed to ${result.to}; the server answered: ${response}`,
      );
      return true;
    }
    case 'failed':
      input.note(
        `The mail to ${result.to} was not sent: ${sentence(result.reason)} It is tried again at the next check.`,
      );
      return false;
    case 'nothing': {
      const { mailed, mailedAt, mailedTo, sending } = result.before;
      if (found.reasons.length === 0) input.note('There is nothing to mail.');
      else if (sending !== null) input.note('Another process is mailing this at the moment.');
      else if (mailed !== null && mailedAt !== null) {
        const what = mailedTo === null ? 'Written into the outbox' : 'Mailed';
        const whom = mailedTo === null ? '' : ` to ${mailedTo}`;
        input.note(`${what} already, ${told(mailedAt)}${whom}; --force mails it again.`);
      }
      return true;
    }
  }
}

/** Without its database no state can be kept: at most one mail an hour, by the age of a file. */
async function tellUnreadable(input: Input, config: Config, error: unknown): Promise<void> {
  if (!(error instanceof PassitoError) || error.exit !== EXIT.unreachable) return;
  if (config.settings.adminEmail === '') {
    input.note('No mail was sent: set ADMIN_EMAIL, in the env file or the environment.');
    return;
  }
  try {
    const said = await mailUnreadable(config, error, input.has('force'));
    input.note(said);
  } catch (failure) {
    input.note(`The mail to ${config.settings.adminEmail} was not sent: ${messageOf(failure)}`);
  }
}

function nagiosLine(
  snapshot: HealthSnapshot,
  reasons: readonly HealthReason[],
  worst: keyof typeof NAGIOS,
): string {
  const { pending, processing, failed, stale, stuck } = snapshot;
  const said =
    reasons.length === 0 ? 'the job queue is healthy' : reasons.map(({ message }) => message).join(' ');
  const figures = { pending, processing, failed, stale, stuck: stuck.length };
  const data = Object.entries(figures).map(([name, value]) => `${name}=${value}`);
  // The bar begins the figures: it may not stand in the words.
  return oneLine(`PASSITO ${worst.toUpperCase()} - ${said.replaceAll('|', '/')} | ${data.join(' ')}`);
}

function print(input: Input, snapshot: HealthSnapshot, reasons: HealthReason[], zone: string): void {
  input.print(
    [
      'Job Queue Health Check',
      '='.repeat(50),
      `Pending Jobs:    ${snapshot.pending}`,
      `Processing Jobs: ${snapshot.processing}`,
      `Failed Jobs:     ${snapshot.failed}`,
      `Stale Jobs:      ${snapshot.stale} (older than ${formatDuration(snapshot.threshold)})`,
      '',
    ].join('\n'),
  );
  if (reasons.length === 0) {
    input.print(input.paint('green', '✓ Job queue is healthy'));
    for (const one of snapshot.paused) input.print(`  ${oneLine(pauseTold(one, zone))}`);
    return;
  }
  input.print(input.paint('red', '✗ Job queue has issues'));
  for (const { message, try: next } of reasons) {
    input.print(`  - ${oneLine(message)}\n    Try: ${oneLine(next)}`);
  }
}
