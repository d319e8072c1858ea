/**
 * Suspects: jobs that were claimed by a process that died. The one that killed it must be found before
 * it has killed three processes, without charging the others, and without the queue standing still.
 *
 * A suspect starts when nothing else is being started, its claim already on the disk. After its first
 * crash it has the process to itself for a while, in which others may not start; a job of an hour that
 * was interrupted by a power cut must not hold the whole queue for an hour. If the process dies again
 * while it runs, it runs strictly alone from then on: so the third crash, which fails it, is its own.
 */

/** All suspects have been started this long after the first was seen, in milliseconds. */
const BUDGET_MS = 4000;

/** Even when the budget is spent, a job that kills at once gives itself away in this time. */
const LEAST_MS = 10;

/**
 * How long nothing else may start beside a suspect, in milliseconds. `crashes`: its crashes so far;
 * `elapsed`: since suspects were first seen; `waiting`: suspects that still wait behind it.
 */
export function soloWindow(crashes: number, elapsed: number, waiting: number): number {
  if (crashes > 1) return Number.POSITIVE_INFINITY;
  return Math.max((BUDGET_MS - elapsed) / (waiting + 1), LEAST_MS);
}
