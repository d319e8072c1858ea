/**
 * The state machine: what a job can be, every move between the states, and which move an attempt's
 * outcome calls for. Data and pure functions; the store applies a move as one guarded write.
 */

import type { BackoffPolicy } from './backoff.ts';
import { backoffDelay } from './backoff.ts';
import type { Random } from './clock.ts';
import type { Json } from './handler.ts';

/** The six states, in the order of a job's life. */
export const JOB_STATES = ['blocked', 'pending', 'processing', 'completed', 'failed', 'cancelled'] as const;

/** "Scheduled" is pending with a later `available_at`; "retrying" is pending with attempts above 0. */
export type JobState = (typeof JOB_STATES)[number];

/** Every move there is, who makes it, and nothing else. */
export const MOVES = {
  unblock: { from: ['blocked'], to: ['pending'], by: 'the settle of the last parent' },
  claim: { from: ['pending'], to: ['processing'], by: 'the dispatcher' },
  complete: { from: ['processing'], to: ['completed'], by: 'the settle of its attempt' },
  retry: { from: ['processing'], to: ['pending'], by: 'the settle of its attempt' },
  fail: { from: ['processing'], to: ['failed'], by: 'the settle of its attempt' },
  release: { from: ['processing'], to: ['pending'], by: 'a drain or a snooze; the attempt is given back' },
  expire: { from: ['processing'], to: ['pending', 'failed'], by: 'the rescue after a crash' },
  cancel: { from: ['blocked', 'pending', 'processing'], to: ['cancelled'], by: 'an admin' },
  revive: { from: ['failed', 'cancelled'], to: ['pending', 'blocked'], by: "an admin's retry" },
} as const satisfies Record<string, { from: readonly JobState[]; to: readonly JobState[]; by: string }>;

export type Move = keyof typeof MOVES;

/** Whether a move may start in a state. */
export function allows(move: Move, from: JobState): boolean {
  return (MOVES[move].from as readonly JobState[]).includes(from);
}

/** A job whose process died this many times while it ran is failed: it is what kills the process. */
export const MAX_CRASHES = 3;

/** Where an interrupted job goes; its attempt is given back, the crash is counted instead. */
export function afterCrash(crashesBefore: number): 'pending' | 'failed' {
  return crashesBefore + 1 >= MAX_CRASHES ? 'failed' : 'pending';
}

/** Why an attempt went wrong, as kept with the job. */
export interface JobError {
  message: string;
  stack?: string;
}

/** A job that a handler asked for; written with the completion of its own job. */
export interface NestedDispatch {
  ref: string;
  type: string;
  payload: string;
  /** Milliseconds from the completion, unless `at` (wall time) is given. */
  delay?: number;
  at?: number;
  priority?: number;
  queue?: string;
  maxAttempts?: number;
  uniqueKey?: string;
  options?: string;
  dependsOn?: (number | string)[];
}

/** How an attempt ended, as the thread or the pool tells it. */
export type Outcome =
  | { kind: 'completed'; result: string | null; dispatches?: NestedDispatch[] }
  | { kind: 'failed'; error: JobError }
  | { kind: 'discarded'; error: JobError }
  | { kind: 'snoozed'; delay: number; error?: JobError }
  | { kind: 'released' };

/** What is written for an attempt: one move, guarded by the lease. */
export type Settlement =
  | { move: 'complete'; result: string | null; dispatches?: NestedDispatch[] }
  | { move: 'retry'; delay: number; error: JobError }
  | { move: 'fail'; error: JobError; discarded: boolean }
  /** `error`: what the job waits for; without one the job keeps its last error. */
  | { move: 'release'; delay: number; error?: JobError };

/** What {@link decide} needs to know of the job. */
export interface AttemptFacts {
  /** This attempt's number, from 1. */
  attempt: number;
  maxAttempts: number;
  backoff: BackoffPolicy;
}

/** Which move an outcome calls for. Pure: chance comes in as an argument. */
export function decide(outcome: Outcome, job: AttemptFacts, random: Random): Settlement {
  switch (outcome.kind) {
    case 'completed':
      return outcome.dispatches === undefined
        ? { move: 'complete', result: outcome.result }
        : { move: 'complete', result: outcome.result, dispatches: outcome.dispatches };
    case 'discarded':
      return { move: 'fail', error: outcome.error, discarded: true };
    case 'snoozed':
      return outcome.error === undefined
        ? { move: 'release', delay: outcome.delay }
        : { move: 'release', delay: outcome.delay, error: outcome.error };
    case 'released':
      return { move: 'release', delay: 0 };
    case 'failed':
      return job.attempt >= job.maxAttempts
        ? { move: 'fail', error: outcome.error, discarded: false }
        : { move: 'retry', delay: backoffDelay(job.backoff, job.attempt, random), error: outcome.error };
  }
}

/** A row of work as it is shown: `passito jobs show`, the library, the tests. Times are UTC text. */
export interface Job {
  id: number;
  type: string;
  status: JobState;
  payload: string;
  queue: string;
  priority: number;
  attempts: number;
  /** Null where the type's own number counts. */
  maxAttempts: number | null;
  crashes: number;
  availableAt: string;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  lastError: string | null;
  result: string | null;
  uniqueKey: string | null;
  options: string | null;
  progress: Json;
  /** Parents that have not completed yet. */
  waitingFor: number;
  claimedBy: number | null;
}
