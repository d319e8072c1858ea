/**
 * The library: dispatching from a Node program, straight into the database of a supervisor.
 *
 * @example
 * const dispatcher = await JobDispatcher.open('/var/lib/passito/passito.db');
 * const job = await dispatcher.dispatch('MyCustomJob', new JobPayloadBuilder().set('id', 123));
 */

import { JobPayloadBuilder } from '../engine/payload-builder.ts';
import type { Json, JobOptions } from '../engine/handler.ts';
import { newJob } from '../engine/queue.ts';
import type { Inserted, NewJob } from '../engine/store.ts';
import type { SqliteStore } from '../store/sqlite/store.ts';
import { openDatabase } from './open.ts';

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
export { PassOffice } from './office.ts';
export type {
  Closing,
  ImportRecord,
  ImportWays,
  PassageRequest,
  PassOfficeOptions,
  PassRequest,
} from './office.ts';
export type { PassDetails, PassStatus } from '../outpass/office.ts';
export type { ReportSetting } from '../outpass/report-settings.ts';
export type { ImportResult } from '../store/sqlite/office-import.ts';
export type { Movement } from '../store/sqlite/pass-writes.ts';
export type { ReportChange } from '../store/sqlite/report-settings.ts';
export { PassitoError } from '../errors.ts';
export { JobPayloadBuilder } from '../engine/payload-builder.ts';

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
    return new JobDispatcher(await openDatabase(database, options));
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
