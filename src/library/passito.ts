/**
 * The library: dispatching from a Node program, straight into the database of a supervisor.
 *
 * @example
 * const dispatcher = await JobDispatcher.open('/var/lib/passito/passito.db');
 * const job = await dispatcher.dispatch('MyCustomJob', new JobPayloadBuilder().set('id', 123));
 */

import { systemClock } from '../engine/clock.ts';
import { JobPayloadBuilder } from '../engine/payload-builder.ts';
import type { Json, JobOptions } from '../engine/handler.ts';
import { newJob } from '../engine/queue.ts';
import type { Inserted, NewJob } from '../engine/store.ts';
import type { SqliteStore } from '../store/sqlite/store.ts';

export { defineJob, discard, snooze } from '../engine/handler.ts';
export type {
  Backoff,
  DependencyResult,
  DispatchRef,
  Duration,
  HandlerContext,
  JobDefinition,
  JobFiles,
  JobLog,
  JobOptions,
  Json,
  MailMessage,
  MailReceipt,
  NestedDispatchOptions,
  StandardSchema,
} from '../engine/handler.ts';
import { errors } from '../errors.ts';

export { PassitoError } from '../errors.ts';
export { JobPayloadBuilder } from '../engine/payload-builder.ts';

/** What better-sqlite3 needs. */
const OLDEST_NODE = 22;

/** How long a dispatch waits for other writers of the database, in milliseconds. */
const PATIENCE_MS = 10_000;

/** What may be said of one job. */
export interface DispatchOptions extends JobOptions {
  /** Not before this time. */
  availableAt?: Date;
  /** Not before this long from now: milliseconds, or text such as `5m`. */
  delay?: number | string;
  /** While a job of the type with this key waits or runs, no second one is made. */
  uniqueKey?: string;
  /** Ids of jobs that must complete before. */
  dependsOn?: readonly number[];
}

/** A job of {@link JobDispatcher.dispatchMany}. */
export interface JobRequest extends DispatchOptions {
  type: string;
  payload?: JobPayloadBuilder | Json | object;
}

/** A dispatched job. */
export interface DispatchedJob {
  readonly id: number;
  /** Whether this is an earlier job with the same unique key. */
  readonly existing: boolean;
  /** The guide's way of asking for the id. */
  getId(): number;
}

/** Dispatches jobs. What `dispatch` has returned survives a crash and a power cut. */
export class JobDispatcher {
  readonly #store: SqliteStore;

  private constructor(store: SqliteStore) {
    this.#store = store;
  }

  /**
   * Opens a database, and makes it where it is absent.
   * @throws PassitoError where it cannot be used.
   */
  static async open(
    database: string,
    options: { synchronous?: 'full' | 'normal' } = {},
  ): Promise<JobDispatcher> {
    if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
      throw errors.oldNode(process.version, OLDEST_NODE);
    }
    // Only now: on an older Node the native addon ends the whole process.
    const { SqliteStore } = await import('../store/sqlite/store.ts');
    const synchronous = options.synchronous ?? 'full';
    const how = { mode: 'create', migrate: false, synchronous, patience: PATIENCE_MS } as const;
    return new JobDispatcher(await SqliteStore.open(database, how, systemClock));
  }

  /**
   * Puts one job into the queue. Calls that are made together are written together.
   * @throws PassitoError where type, payload or options are wrong, or a dependency is unknown.
   */
  async dispatch(
    type: string,
    payload: JobPayloadBuilder | Json | object = {},
    when: Date | DispatchOptions = {},
  ): Promise<DispatchedJob> {
    const options = when instanceof Date ? { availableAt: when } : when;
    const [job] = await this.#store.insert([toJob({ ...options, type, payload })]);
    return dispatched(job as Inserted);
  }

  /** Puts many jobs into the queue: all of them or none. */
  async dispatchMany(requests: readonly JobRequest[]): Promise<DispatchedJob[]> {
    return (await this.#store.insert(requests.map(toJob))).map(dispatched);
  }

  /** Closes the database; everything dispatched is written before. */
  close(): Promise<void> {
    return this.#store.close();
  }
}

function toJob({ type, payload, availableAt, dependsOn, ...options }: JobRequest): NewJob {
  const built = payload instanceof JobPayloadBuilder ? payload : undefined;
  return newJob({
    ...options,
    type,
    payload: JSON.stringify(built?.payload ?? payload ?? {}),
    ...(availableAt === undefined ? {} : { availableAt: availableAt.getTime() }),
    dependsOn: [...(built?.parents ?? []), ...(dependsOn ?? [])],
  });
}

function dispatched({ id, existing }: Inserted): DispatchedJob {
  return { id, existing, getId: () => id };
}
