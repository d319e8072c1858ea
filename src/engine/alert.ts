/** When an alert is mailed, and when not. Pure: the monitor and the command hand in what they see, and share one state. */

/** What is kept between checks. Times are milliseconds since 1970. */
export interface AlertState {
  /** The reasons of the latest check, as a text that is the same for the same set; '' is healthy. */
  seen: string;
  /** How many checks of the monitor in a row saw just that. */
  seenChecks: number;
  /** When the monitor checked last. */
  checkedAt: number | null;
  /** Since when the queue has not been healthy. */
  since: number | null;
  /** The reasons of the last mail; null where the admin was told that all is well, or never told anything. */
  mailed: string | null;
  mailedAt: number | null;
  mailedTo: string | null;
  /** A mail that is on its way: nobody else sends it. */
  sending: { kind: AlertKind; at: number } | null;
  /** Why the last try failed, and how many have, since the last one that did not. */
  failure: { message: string; tries: number } | null;
}

/** A new trouble, another one, the same one again after hours, and its end. */
export type AlertKind = 'problem' | 'changed' | 'reminder' | 'recovered';

/** Who looks: the monitor waits for a second look, somebody who types wants to know now. */
export interface AlertCheck {
  by: 'monitor' | 'command';
  codes: readonly string[];
  now: number;
  /** Mails also what was mailed before. */
  force?: boolean;
}

/** What to mail, if anything, and the state to keep. */
export interface AlertDecision {
  mail: AlertKind | null;
  state: AlertState;
}

export const QUIET: AlertState = {
  seen: '',
  seenChecks: 0,
  checkedAt: null,
  since: null,
  mailed: null,
  mailedAt: null,
  mailedTo: null,
  sending: null,
  failure: null,
};

/** The monitor's checks are so far apart, in milliseconds. */
export const CHECK_MS = 5 * 60_000;

/** Several monitors on one database count as one: a check sooner than this after the last does not count. */
const SOONEST_CHECK_MS = CHECK_MS * 0.8;

/** So many checks of the monitor must agree. */
const CHECKS = 2;

const REMIND_MS = 4 * 3_600_000;

/** Whoever sends a mail has died after this time. */
const SENDING_MS = 15 * 60_000;

/** Decides what a check leads to. */
export function decideAlert(
  before: AlertState,
  { by, codes, now, force = false }: AlertCheck,
): AlertDecision {
  const seen = [...new Set(codes)].toSorted().join(' ');
  const counts =
    by === 'monitor' && (before.checkedAt === null || Math.abs(now - before.checkedAt) >= SOONEST_CHECK_MS);
  const same = seen === before.seen;
  const state: AlertState = {
    ...before,
    seen,
    seenChecks: (same ? before.seenChecks : 0) + (counts ? 1 : 0),
    checkedAt: counts ? now : before.checkedAt,
    since: seen === '' ? (before.mailed === null ? null : before.since) : (before.since ?? now),
  };
  const onItsWay = before.sending !== null && Math.abs(now - before.sending.at) < SENDING_MS;
  const mail = onItsWay ? null : wanted(state, by === 'command' || state.seenChecks >= CHECKS, now, force);
  return { mail, state: mail === null ? state : { ...state, sending: { kind: mail, at: now } } };
}

function wanted(
  { seen, mailed, mailedAt }: AlertState,
  sure: boolean,
  now: number,
  force: boolean,
): AlertKind | null {
  if (seen === '') return mailed === null ? null : 'recovered';
  if (!sure) return null;
  if (mailed === null) return 'problem';
  if (mailed !== seen) return 'changed';
  const old = mailedAt === null || Math.abs(now - mailedAt) >= REMIND_MS;
  return old || force ? 'reminder' : null;
}

/** The state once a mail has left, or has not. */
export function afterAlert(
  state: AlertState,
  {
    kind,
    codes,
    at,
    to,
    failure,
  }: { kind: AlertKind; codes: readonly string[]; at: number; to: string; failure?: string },
): AlertState {
  if (failure !== undefined) {
    const tries = (state.failure?.tries ?? 0) + 1;
    return { ...state, sending: null, failure: { message: failure, tries } };
  }
  const done = { ...state, sending: null, failure: null, mailedAt: at, mailedTo: to };
  if (kind === 'recovered') return { ...done, mailed: null, since: state.seen === '' ? null : state.since };
  return { ...done, mailed: [...new Set(codes)].toSorted().join(' ') };
}
