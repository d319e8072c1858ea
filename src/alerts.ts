/** Puts alerts together: what is wrong, what the admin was told, and the mail. Used by the monitor and `passito health`. */

import { createHash, randomUUID } from 'node:crypto';
import { hostname, tmpdir } from 'node:os';
import { mailSettings, filesRoot, stateFolder } from './app.ts';
import type { Config } from './config.ts';
import { alertMail } from './edge/alert-mail.ts';
import { createMailer, type Mailer } from './edge/mail.ts';
import { isAlive } from './edge/machine.ts';
import { Stamp } from './edge/stamp.ts';
import { afterAlert, type AlertKind, type AlertState, decideAlert } from './engine/alert.ts';
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
  return { snapshot, reasons: healthReasons(snapshot) };
}

/** Tells the admin what there is to tell. Two that look at once send one mail. */
export async function tellAdmin(
  { config, store }: { config: Config; store: SqliteStore },
  { snapshot, reasons }: Health,
  how: { by: 'monitor' | 'command'; force?: boolean },
): Promise<AlertResult> {
  const to = config.settings.adminEmail;
  const codes = reasons.map(({ code }) => code);
  const { now } = snapshot;
  const row = prepareAlertState(store.db);
  const { mail: kind, state } = await store.write(() => {
    const decision = decideAlert(row.read(), { ...how, codes, now });
    row.write(decision.state);
    return decision;
  });
  if (kind === null) return { done: 'nothing', before: state };
  const after = (failure?: string) =>
    store.write(() =>
      row.write(
        afterAlert(row.read(), { kind, codes, at: now, to, ...(failure === undefined ? {} : { failure }) }),
      ),
    );
  try {
    const receipt = await send({ config, store }, { snapshot, reasons }, kind, state);
    await after();
    return { done: 'mailed', kind, to, receipt };
  } catch (error) {
    await after(messageOf(error));
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
  const text = alertMail({
    kind,
    snapshot,
    reasons,
    since: state.since,
    errors: kind === 'recovered' ? [] : errors,
    appName,
    host,
    database: store.file,
    zone,
  });
  // The same however often this one is tried.
  const name = createHash('sha256').update(
    [store.file, state.since, kind, state.seen, state.mailedAt].join('|'),
  );
  const messageId = `passito.alert.${name.digest('hex').slice(0, 16)}@${host}`;
  return mailerOf(config).send({ to: addresses(adminEmail), ...text }, { messageId });
}

/** Tells the admin that the database cannot be read, at most hourly; gives what was done, as a sentence. */
export async function mailUnreadable(config: Config, error: PassitoError): Promise<string> {
  const { db, adminEmail: to, appName } = config.settings;
  const stamp = new Stamp([stateFolder(config), process.env['RUNTIME_DIRECTORY'] ?? '', tmpdir()], db);
  if (stamp.isFresh()) return `Mailed already, within the last hour, to ${to}.`;
  const host = hostname();
  const { via, response } = await mailerOf(config).send(
    {
      to: addresses(to),
      subject: `[${appName}] The job queue's database cannot be read (${host})`,
      text: `${error.message}\n\n${error.hint ?? ''}\n\nSeen by 'passito health' on ${host}. To see for yourself, type: passito health\n`,
    },
    { messageId: `passito.alert.${randomUUID()}@${host}` },
  );
  stamp.renew();
  return via === 'outbox'
    ? `No SMTP server is configured: the mail to ${to} lies in ${response}.`
    : `Mailed to ${to}; the server answered: ${response}`;
}

function mailerOf(config: Config): Mailer {
  return createMailer(mailSettings(config, stateFolder(config), filesRoot(config)));
}

function addresses(text: string): string[] {
  return text.split(',').map((one) => one.trim());
}
