/** What is under way in the workers. */

import type { Flight } from './flight.ts';
import type { Outcome } from './job.ts';
import type { Chunk } from './chunk.ts';

/** Why a running job is being ended, and what that makes of its attempt. */
export interface Ending {
  index: number;
  reason: string;
  outcome: Outcome;
  /** Monotonic time at which the thread is ended, unless the handler gives up before. */
  killAt: number;
}

/** A chunk under way. */
export interface Running {
  chunk: Chunk;
  flights: Flight[];
  ending?: Ending;
}

/** The flight that runs now; undefined before the first of the chunk and between two. */
export function runningFlight(one: Running): Flight | undefined {
  const index = one.chunk.running;
  return index === undefined ? undefined : one.flights[index];
}
