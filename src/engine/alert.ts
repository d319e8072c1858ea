/** When an alert is mailed, and when not. Pure: the monitor and the command hand in what they see, and share one state. */

/** What is kept between checks. Times are milliseconds since 1970. */
export interface AlertState {
  /** The reasons of the monitor's latest check, sorted, with blanks between; '' is healthy. */
  seen: string;
  /** How many checks of the monitor in a row saw any. */
  seenChecks: number;
  /** When the monitor checked last. */
  checkedAt: number | null;
  /** Since when the queue has not been healthy. */
  since: number | null;
  /** The reasons of the last mail; null where the admin was told that all is well, or never told anything. */
  mailed: string | null;
  mailedAt: number | null;
  /** Null where that mail was only written into the outbox. */
  mailedTo: string | null;
  /** By which threshold that was seen, in milliseconds: by the same one its end is seen. */
  mailedThreshold: number | null;
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
  /** By which a due job counts as stale, in milliseconds. */
  threshold: number;
  now: number;
  /** Whether a mail would be sent, and not only written into the outbox. */
  sends: boolean;
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
  mailedThreshold: null,
  sending: null,
  failure: null,
};

/** The monitor's checks are so far apart, in milliseconds. */
export const CHECK_MS = 5 * 60_000;

/** A check sooner than this after the last does not count. */
const SOONEST_CHECK_MS = CHECK_MS * 0.8;

/** So many checks of the monitor must agree. */
const CHECKS = 2;

const REMIND_MS = 4 * 3_600_000;

/** Whoever sends a mail has died after this time: the mailer gives up sooner. Milliseconds. */
const SENDING_MS = 5 * 60_000;

/** By which threshold a check must judge: whoever is less strict than the last mail would see its end too early. */
export function thresholdOf({ mailed, mailedThreshold }: AlertState, own: number): number {
  return mailed === null ? own : Math.min(own, mailedThreshold ?? own);
}

/** Decides what a check leads to. */
export function decideAlert(before: AlertState, check: AlertCheck): AlertDecision {
  const { by, now, force = false } = check;
  const found = sorted(check.codes);
  // Somebody's trouble that has not been told yet, or whose mail failed, is kept until it has been.
  const open = before.mailed !== null || before.failure !== null;
  const counts = by === 'monitor' && isCheck(before, now);
  const state: AlertState = {
    // What a command sees, by a threshold of its own, is no check of the monitor.
    ...(counts
      ? {
          ...before,
          seen: found,
          seenChecks: found === '' ? 0 : before.seenChecks + 1,
          checkedAt: now,
          mailed: stillKnown(before, found),
        }
      : before),
    since: found === '' ? (open ? before.since : null) : (before.since ?? now),
  };
  const onItsWay = !force && before.sending !== null && Math.abs(now - before.sending.at) < SENDING_MS;
  // A reason that comes and goes is sure where two checks in a row saw it; that something is wrong, where two saw anything.
  const seen = by === 'command' ? check.codes : counts ? reasonsOf(before.seen) : [];
  const sure = by === 'command' || (counts && state.seenChecks >= CHECKS);
  const mail = onItsWay ? null : wanted(state, found, seen, sure, check);
  return { mail, state: mail === null ? state : { ...state, sending: { kind: mail, at: now } } };
}

/** What the admin knows of: a reason that two checks in a row did not see is news when it comes again. */
function stillKnown({ mailed, seen }: AlertState, found: string): string | null {
  if (mailed === null || found === '') return mailed;
  const recent = new Set([...reasonsOf(seen), ...reasonsOf(found)]);
  return sorted(reasonsOf(mailed).filter((one) => recent.has(one)));
}

/** Several monitors on one database count as one. */
function isCheck({ checkedAt }: AlertState, now: number): boolean {
  return checkedAt === null || Math.abs(now - checkedAt) >= SOONEST_CHECK_MS;
}

function sorted(codes: readonly string[]): string {
  return [...new Set(codes)].toSorted().join(' ');
}

function reasonsOf(text: string | null): string[] {
  return text === null || text === '' ? [] : text.split(' ');
}

function wanted(
  { mailed, mailedAt, mailedTo, failure }: AlertState,
  found: string,
  seen: readonly string[],
  sure: boolean,
  { now, sends, force = false }: AlertCheck,
): AlertKind | null {
  if (found === '') return mailed === null && failure === null ? null : 'recovered';
  if (!sure) return null;
  // What lies in the outbox was told to nobody.
  if (mailed === null || (mailedTo === null && sends)) return 'problem';
  const told = reasonsOf(mailed);
  // One that has gone is told with the end of all.
  if (reasonsOf(found).some((one) => !told.includes(one) && seen.includes(one))) return 'changed';
  const old = mailedAt === null || Math.abs(now - mailedAt) >= REMIND_MS;
  return old || force ? 'reminder' : null;
}

/** The state once a mail has left, or has not. `to` is null where it was only written into the outbox. */
export function afterAlert(
  state: AlertState,
  {
    kind,
    codes,
    threshold,
    at,
    to,
    failure,
  }: {
    kind: AlertKind;
    codes: readonly string[];
    threshold: number;
    at: number;
    to: string | null;
    failure?: string;
  },
): AlertState {
  if (failure !== undefined) {
    const tries = (state.failure?.tries ?? 0) + 1;
    return { ...state, sending: null, failure: { message: failure, tries } };
  }
  const done = { ...state, sending: null, failure: null, mailedAt: at, mailedTo: to };
  if (kind === 'recovered') return { ...done, mailed: null, mailedThreshold: null, since: null };
  // Until the next reminder, one that was told and comes again is no news.
  const told = kind === 'changed' ? reasonsOf(state.mailed) : [];
  return { ...done, mailed: sorted([...told, ...codes]), mailedThreshold: threshold };
}
