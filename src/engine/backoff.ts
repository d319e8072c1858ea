/** How long a failed attempt waits before the next. */

import type { Random } from './clock.ts';

/** In milliseconds. */
export interface BackoffPolicy {
  base: number;
  factor: number;
  max: number;
}

/** 10 s, 20 s, 40 s … up to an hour. */
export const DEFAULT_BACKOFF: BackoffPolicy = { base: 10_000, factor: 2, max: 3_600_000 };

/**
 * The wait after attempt number `attempt` (from 1), in whole milliseconds: between half of the full
 * wait and all of it, at random, so that jobs that failed together do not come back together.
 */
export function backoffDelay(policy: BackoffPolicy, attempt: number, random: Random): number {
  // Nothing, however often it is doubled: the power may be beyond all numbers.
  const full = policy.base === 0 ? 0 : Math.min(policy.base * policy.factor ** (attempt - 1), policy.max);
  return Math.round(full / 2 + (random() * full) / 2);
}
