/** A claimed job on its way through this process, with the rules that count for it. */

import { type AttemptFacts, decide, type JobError, type Outcome, type Settlement } from './job.ts';
import type { AttemptName } from './events.ts';
import type { Random } from './clock.ts';
import type { ClaimedJob, Settle } from './store.ts';
import type { JobType } from './types.ts';
import type { WireJob } from './wire.ts';

/** One attempt. */
export interface Flight {
  job: ClaimedJob;
  type: JobType;
  facts: AttemptFacts;
  /** Milliseconds from the start of the handler; 0 is none. */
  timeout: number;
  memoryLimit: number;
}

/** What was set for the job itself goes before what its type says. */
export function takeOff(job: ClaimedJob, type: JobType): Flight {
  return {
    job,
    type,
    facts: {
      attempt: job.attempt,
      maxAttempts: job.maxAttempts ?? type.maxAttempts,
      backoff: job.options?.backoff ?? type.backoff,
    },
    timeout: job.options?.timeout ?? type.timeout,
    memoryLimit: job.options?.memoryLimit ?? type.memoryLimit,
  };
}

/** The flight as its worker gets it. */
export function toWire({ job, facts }: Flight): WireJob {
  return {
    id: job.id,
    type: job.type,
    payload: job.payload,
    attempt: facts.attempt,
    maxAttempts: facts.maxAttempts,
    dependencies: job.dependencies,
  };
}

/** The flight's end as the store gets it. */
export function land({ job, facts, type }: Flight, outcome: Outcome, random: Random): Settle {
  const settle: Settle = { id: job.id, lease: job.lease, settlement: decide(outcome, facts, random) };
  const redact = job.options?.redact ?? type.redact;
  if (redact.length > 0) settle.redact = redact;
  if (outcome.kind === 'completed' && outcome.dispatches !== undefined) {
    settle.otherwise = (reason): Settlement =>
      decide({ kind: 'failed', error: { message: reason } }, facts, random);
  }
  return settle;
}

export function nameOf({ job, facts }: Flight): AttemptName {
  return { id: job.id, type: job.type, attempt: facts.attempt };
}

/** What a thread's death says of the job that ran in it. */
export function causeOfDeath(error: unknown, memoryLimit: string): JobError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return { message: `Used more memory than its limit of ${memoryLimit}.` };
  }
  const message = error instanceof Error ? error.message : String(error);
  const exit = /worker exited with code: (-?\d+)/.exec(message);
  if (exit) return { message: `The handler ended its thread: process.exit(${exit[1]}).` };
  return error instanceof Error
    ? {
        message: `Threw outside its promise: ${message}`,
        ...(error.stack === undefined ? {} : { stack: error.stack }),
      }
    : { message: `Threw outside its promise: ${message}` };
}
