/** Puts alerts together: what is wrong, what the admin was told, and the mail. Used by the monitor and `passito health`. */

import { createHash, randomUUID } from 'node:crypto';
import { hostname, tmpdir } from 'node:os';
import { mailSettings, filesRoot, stateFolder } from './app.ts';
import { type Config, whereDatabase } from './config.ts';
import { alertMail } from './edge/alert-mail.ts';
import { createMailer, type Mailer } from './edge/mail.ts';
import { onDatabase } from './edge/proposals.ts';
import { healthCommand, isAlive, remedies } from './edge/machine.ts';
import { Stamp } from './edge/stamp.ts';
import { afterAlert, type AlertKind, type AlertState, decideAlert, thresholdOf } from './engine/alert.ts';
import { type Clock, systemClock } from './engine/clock.ts';
import type { MailReceipt } from './engine/handler.ts';
import { type HealthReason, healthReasons, type HealthSnapshot } from './engine/health.ts';
import { messageOf, type PassitoError } from './errors.ts';
import { prepareAlertState } from './store/sqlite/alert-state.ts';
import { HealthQueries } from './store/sqlite/health-queries.ts';
import { Queries } from './store/sqlite/queries.ts';
import type { SqliteStore } from './store/sqlite/store.ts';

/** How the queue is. */
export interface Health {
  snapshot: HealthSnapshot;
  reasons: HealthReason[];
}

/** What became of an alert. */
export type AlertResult =
  /** Nothing was to be told; `before` says what was told last, if anything. */
  | { done: 'nothing'; before: AlertState }
  | { done: 'mailed'; kind: AlertKind; to: string; receipt: MailReceipt }
  | { done: 'failed'; kind: AlertKind; to: string; reason: string };

/** So many of the last errors stand in the mail. */
const ERRORS = 5;

/** Reads the figures and judges them. `threshold`: milliseconds after which a due job is stale. */
export async function checkHealth(
  store: SqliteStore,
  threshold: number,
  clock: Clock = systemClock,
): Promise<Health> {
  const queries = new HealthQueries(store.db, clock);
  const snapshot = await store.read(() => queries.snapshot(threshold, isAlive));
  return { snapshot, reasons: healthReasons(snapshot, remedies(store.file)) };
}

/** Tells the admin what there is to tell. Two that look at once send one mail. */
export async function tellAdmin(
  { config, store, clock = systemClock }: { config: Config; store: SqliteStore; clock?: Clock },
  health: Health,
  how: { by: 'monitor' | 'command'; force?: boolean },
): Promise<AlertResult> {
  const row = prepareAlertState(store.db);
  const threshold = thresholdOf(await store.read(() => row.read()), health.snapshot.threshold);
  const { snapshot, reasons } =
    threshold === health.snapshot.threshold ? health : await checkHealth(store, threshold, clock);
  const to = config.settings.adminEmail;
  const sends = config.settings.smtpHost !== '';
  const codes = reasons.map(({ code }) => code);
  const { now } = snapshot;
  const { mail: kind, state } = await store.write(() => {
    const decision = decideAlert(row.read(), { ...how, codes, threshold, now, sends });
    row.write(decision.state);
    return decision;
  });
  if (kind === null) return { done: 'nothing', before: state };
  const after = (told: { to: string | null; failure?: string }) =>
    store.write(() => row.write(afterAlert(row.read(), { kind, codes, threshold, at: now, ...told })));
  try {
    const receipt = await send({ config, store }, { snapshot, reasons }, kind, state);
    await after({ to: receipt.via === 'outbox' ? null : to });
    return { done: 'mailed', kind, to, receipt };
  } catch (error) {
    await after({ to, failure: messageOf(error) });
    return { done: 'failed', kind, to, reason: messageOf(error) };
  }
}

async function send(
  { config, store }: { config: Config; store: SqliteStore },
  { snapshot, reasons }: Health,
  kind: AlertKind,
  state: AlertState,
): Promise<MailReceipt> {
  const { appName, timeZone: zone, adminEmail } = config.settings;
  const failed = await store.read(() =>
    new Queries(store.db, systemClock).list({ states: ['failed'], limit: ERRORS }),
  );
  const errors = failed.map(({ id, type, last_error: error }) => ({ id, type, error: error ?? '' }));
  const host = hostname();
  const from = { db: whereDatabase(config) };
  const text = alertMail({
    kind,
    snapshot,
    reasons: reasons.map((one) => ({ ...one, try: onDatabase(one.try, from) })),
    since: state.since,
    errors: kind === 'recovered' ? [] : errors,
    failure: state.failure?.message ?? null,
    appName,
    host,
    look: onDatabase(healthCommand(), from),
    database: store.file,
    zone,
  });
  // The same however often this one is tried.
  const name = createHash('sha256').update(
    [store.file, state.since, kind, reasons.map(({ code }) => code).join(), state.mailedAt].join('|'),
  );
  const messageId = `passito.alert.${name.digest('hex').slice(0, 16)}@${host}`;
  return mailerOf(config).send({ to: addresses(adminEmail), ...text }, { messageId });
}

/** Tells the admin that the database cannot be read, at most hourly unless `force`; gives what was done, as a sentence. */
export async function mailUnreadable(config: Config, error: PassitoError, force: boolean): Promise<string> {
  const { db, adminEmail: to, appName } = config.settings;
  const stamp = new Stamp([stateFolder(config), process.env['RUNTIME_DIRECTORY'] ?? '', tmpdir()], db);
  if (!force && stamp.isFresh()) {
    return `Mailed already, within the last hour, to ${to}; --force mails it again.`;
  }
  // Before the mail, which may take a while: of two that see it at the same moment one is enough.
  stamp.renew();
  const host = hostname();
  const hints = `${error.hint ?? ''}\n\nSeen by 'passito health' on ${host}. To see for yourself, type: ${healthCommand()}`;
  const mail = {
    to: addresses(to),
    subject: `[${appName}] The job queue's database cannot be read (${host})`,
    text: `${error.message}\n\n${onDatabase(hints, { db: whereDatabase(config) })}\n`,
  };
  const messageId = `passito.alert.${randomUUID()}@${host}`;
  const { via, response } = await mailerOf(config)
    .send(mail, { messageId })
    .catch((failure: unknown) => {
      stamp.remove();
      throw failure;
    });
  return via === 'outbox'
    ? `No SMTP server is configured: the mail to ${to} lies in ${response}.`
    : `Mailed to ${to}; the server answered: ${response}`;
}

function mailerOf(config: Config): Mailer {
  return createMailer(mailSettings(config, stateFolder(config), filesRoot(config)));
}

function addresses(text: string): string[] {
  return text.split(', ');
}
