/** What is under way in the workers. */

import { causeOfDeath, type Flight } from './flight.ts';
import { formatSize } from './units.ts';
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
  /** Seen between two jobs, or before the first: how many had begun, and since when, on the shared clock. */
  still?: { begun: number; since: number };
}

/** The flight that runs now; undefined before the first of the chunk and between two. */
export function runningFlight(one: Running): Flight | undefined {
  const index = one.chunk.running;
  return index === undefined ? undefined : one.flights[index];
}

/** A handler has patched what its thread tells with. */
const GARBLED: Outcome = {
  kind: 'failed',
  error: {
    message: 'What its thread said of its end cannot be read: a handler has changed built-in objects.',
  },
};

/** How the attempt ended that was flight `index`; `told` is undefined where its thread could not be understood. */
export function outcomeAsTold({ ending }: Running, index: number, told: Outcome | undefined): Outcome {
  const outcome = told ?? GARBLED;
  // A handler that gave up because it was told to: the reason is ours, not its AbortError.
  return ending?.index === index && outcome.kind === 'failed' ? ending.outcome : outcome;
}

/** How the attempt ended whose thread died of `error`, or because we ended it. */
export function outcomeOfDeath({ flights, ending }: Running, index: number, error: unknown): Outcome {
  if (ending !== undefined && (ending.index === index || ending.outcome.kind === 'released')) {
    return ending.outcome;
  }
  const limit = flights[index]?.memoryLimit ?? 0;
  return { kind: 'failed', error: causeOfDeath(error, formatSize(limit)) };
}
