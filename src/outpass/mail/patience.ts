/**
 * How long a mail that no server took waits for its next try, and when it is given up. Pure: time and chance come in as
 * arguments, and what is known of earlier tries from the ledger, so that it survives every restart.
 */

import type { Random } from '../../engine/clock.ts';
import { counted } from '../../engine/units.ts';

/** The most that a mail is tried for, in milliseconds: a day. */
export const LONGEST_PATIENCE = 86_400_000;

/** The first wait, and the longest. */
const SHORTEST_WAIT = 30_000;
const LONGEST_WAIT = 1_800_000;

/** Where nobody tried for this long, the supervisor was stopped: no mail waits half as long by itself, not in the longest queue. */
const STANDSTILL = 6 * 3_600_000;

/** What the ledger knows of a mail before a try. Times are milliseconds since 1970. */
export interface EarlierTries {
  /** It was refused for good, or given up. */
  failed: boolean;
  since: number;
  latest: number;
}

/**
 * Since when a mail counts as tried, as a try begins. Who tries a failed mail again (an admin) means to wait anew; and
 * time in which nobody tried must not use up the patience: a server that was off for a weekend finds its network
 * not there yet, and would give up all that waits. A clock that was set back begins anew as well.
 */
export function triedSince(earlier: EarlierTries | undefined, now: number): number {
  if (earlier === undefined || earlier.failed || earlier.since > now) return now;
  return now - earlier.latest > STANDSTILL ? now : earlier.since;
}

/**
 * Milliseconds until the next try, after one that failed; null where the patience is used up. Each wait is about as long
 * as all that went before; the chance in it (between half of it and all) keeps mails that failed together from coming
 * back together. The last try is made as the patience ends.
 */
export function nextTry(since: number, now: number, patience: number, random: Random): number | null {
  const tried = Math.max(now - since, 0);
  const left = patience - tried;
  if (left <= 0) return null;
  const wait = Math.min(SHORTEST_WAIT + tried, LONGEST_WAIT);
  return Math.min(Math.round(wait / 2 + (random() * wait) / 2), left);
}

/** Why a mail is given up that no server refused for good. */
export function givenUp(tried: number, answer: string): string {
  const minutes = Math.max(Math.round(tried / 60_000), 1);
  const time = minutes < 120 ? counted(minutes, 'minute') : `${Math.round(minutes / 60)} hours`;
  return `Tried for ${time} and given up. ${answer}`;
}
