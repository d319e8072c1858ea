/** A claimed job on its way through this process, with the rules that count for it. */

import {
  type AttemptFacts,
  decide,
  type JobError,
  type NestedDispatch,
  type Outcome,
  type Settlement,
} from './job.ts';
import type { AttemptName } from './events.ts';
import type { Random } from './clock.ts';
import type { ClaimedJob, Settle, StoredOptions } from './store.ts';
import type { JobType } from './types.ts';
import { bounded } from './outcome.ts';
import type { WireJob } from './wire.ts';

/** One attempt. */
export interface Flight {
  job: ClaimedJob;
  type: JobType;
  facts: AttemptFacts;
  /** Milliseconds from the start of the handler; 0 is none. */
  timeout: number;
  memoryLimit: number;
  /** Payload fields to drop at completion. */
  redact: readonly string[];
}

/** What was set for the job itself goes before what its type says. */
export function takeOff(job: ClaimedJob, type: JobType): Flight {
  const own = job.options;
  return {
    job,
    type,
    facts: {
      attempt: job.attempt,
      maxAttempts: job.maxAttempts ?? type.maxAttempts,
      backoff: own.backoff ?? type.backoff,
    },
    timeout: own.timeout ?? type.timeout,
    memoryLimit: own.memoryLimit ?? type.memoryLimit,
    redact: own.redact ?? type.redact,
  };
}

/** What a handler's dispatch leaves open is as the type says, as far as this process knows it. */
export function fillIn(nested: NestedDispatch, type: JobType | undefined): void {
  if (type === undefined) return;
  nested.queue ??= type.queue;
  nested.priority ??= type.priority;
  if (type.redact.length === 0) return;
  const options = nested.options === undefined ? {} : (JSON.parse(nested.options) as StoredOptions);
  nested.options = JSON.stringify({ ...options, redact: type.redact });
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
export function land({ job, facts, redact }: Flight, outcome: Outcome, random: Random): Settle {
  const settle: Settle = { id: job.id, lease: job.lease, settlement: decide(outcome, facts, random) };
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
  // Piscina's word for a task that we have aborted, with our reason.
  if (error instanceof Error && error.name === 'AbortError' && typeof error.cause === 'string') {
    return { message: error.cause };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'ERR_WORKER_INIT_FAILED') {
    return {
      message: `No thread could be started (${message}). Raise TasksMax= of the unit, or ulimit -u, or have fewer workers.`,
    };
  }
  const exit = /worker exited with code: (-?\d+)/.exec(message);
  if (exit) return { message: `The handler ended its thread: process.exit(${exit[1]}).` };
  const stack = error instanceof Error ? error.stack : undefined;
  return bounded({
    message: `Threw outside its promise: ${message}`,
    ...(typeof stack === 'string' ? { stack } : {}),
  });
}
