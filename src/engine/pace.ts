/** How long each type's jobs have lately taken, and so how many of them make one chunk for a worker. */

import { MAX_CHUNK } from './arena.ts';
import type { ClaimableType } from './store.ts';
import type { JobType } from './types.ts';

/** A chunk should keep a worker busy for about this long: short enough that nobody waits for its end. */
const CHUNK_MICROSECONDS = 2000;

/** Weight of the newest sample in the running mean. */
const NEWEST = 0.2;

/** The running mean of one type after another sample; rises at once, falls slowly. Microseconds. */
export function nextMean(mean: number | undefined, sample: number): number {
  // A job that took long is believed at once: a chunk of such jobs would make each other wait.
  return mean === undefined || sample > 4 * mean ? sample : mean + (sample - mean) * NEWEST;
}

/** The share of a worker that one job takes: 1 for anything slow or not yet known, down to 1/256. */
export function weightOf(mean: number | undefined): number {
  if (mean === undefined) return 1;
  return 1 / Math.min(Math.max(Math.floor(CHUNK_MICROSECONDS / Math.max(mean, 1)), 1), MAX_CHUNK);
}

/** Remembers the pace of types. */
export class Pace {
  readonly #means = new Map<string, number>();

  /** Takes a sample in, in microseconds. */
  note(type: string, microseconds: number): void {
    this.#means.set(type, nextMean(this.#means.get(type), microseconds));
  }

  weight(type: string): number {
    return weightOf(this.#means.get(type));
  }

  /** The types as a claim wants them. */
  claimable(types: Iterable<JobType>): Map<string, ClaimableType> {
    const known = new Map<string, ClaimableType>();
    for (const { type, concurrency } of types) known.set(type, { weight: this.weight(type), concurrency });
    return known;
  }
}

/**
 * Takes the next chunk from the front of `buffer`: one slow job, or short ones that together fill a
 * worker, but no more than an even share for `workers` that wait.
 */
export function takeChunk<T>(buffer: T[], weight: (job: T) => number, workers: number): T[] {
  const share = Math.min(Math.ceil(buffer.length / Math.max(workers, 1)), MAX_CHUNK);
  let filled = 0;
  let count = 0;
  for (const job of buffer) {
    filled += weight(job);
    if (count > 0 && (filled > 1 + 1e-9 || count >= share)) break;
    count++;
  }
  return buffer.splice(0, count);
}
