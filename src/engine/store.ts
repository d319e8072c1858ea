/**
 * The store contract: every verb the engine needs of a database. Verbs are asynchronous, so that a
 * store may wait for a lock or a server; concurrent calls may share one transaction. Each verb is
 * atomic by itself. The store's clock decides what is due. `test/store/contract.ts` checks a store.
 */

import type { DependencyResult } from './handler.ts';
import type { Job, Settlement } from './job.ts';

/** A job to be written. Times are milliseconds since 1970. */
export interface NewJob {
  type: string;
  /** JSON text. */
  payload: string;
  queue: string;
  priority: number;
  /** Null: the type's own number counts. */
  maxAttempts: number | null;
  /** Absent: due at once, by the store's clock. */
  availableAt?: number;
  /** Milliseconds from now, by the store's clock; instead of `availableAt`. */
  delay?: number;
  uniqueKey: string | null;
  /** JSON text of {@link StoredOptions}, or null. */
  options: string | null;
  /** Ids of earlier jobs, or indexes into the same batch as `{ index }`. */
  dependsOn: (number | { index: number })[];
}

/** What is kept in a job's `options`: what was set for this job alone. Milliseconds and bytes. */
export interface StoredOptions {
  backoff?: { base: number; factor: number; max: number };
  timeout?: number;
  memoryLimit?: number;
  concurrency?: number;
  redact?: string[];
}

/** What became of a {@link NewJob}: its id, or that of the job that holds its unique key. */
export interface Inserted {
  id: number;
  existing: boolean;
}

/** A job as a dispatcher gets it. */
export interface ClaimedJob {
  id: number;
  type: string;
  payload: string;
  priority: number;
  /** This attempt's number. */
  attempt: number;
  maxAttempts: number | null;
  crashes: number;
  lease: number;
  options: StoredOptions;
  dependencies: DependencyResult[];
}

/** Names one attempt. The id alone does not: a job may be retried while its cancelled attempt still ends. */
export type AttemptKey = Pick<ClaimedJob, 'id' | 'lease'>;

/** What a dispatcher is ready to take. */
export interface ClaimRequest {
  process: number;
  /** Room for jobs, in workers. A job takes its type's weight; a job of weight 1 takes a whole one. */
  slots: number;
  /** Further room for jobs of a weight below 1, claimed ahead so that no worker waits for a commit. */
  ahead: number;
  /** No more jobs than this, whatever their weight: the transaction shall be short. */
  most: number;
  /** Which types may be taken, and what share of a worker one job of each takes. */
  types: ReadonlyMap<string, ClaimableType>;
  /** Queues to take from; null means all. */
  queues: readonly string[] | null;
  /**
   * While suspects (crashes above 0) are due, a claim brings one of them or nothing: `any`, where
   * nothing runs; `first` only one after its first crash; `none`.
   */
  suspects: 'any' | 'first' | 'none';
  /** Others may be claimed where the suspects that are due may not. */
  pastSuspects?: boolean;
}

/** A type as the claim sees it. */
export interface ClaimableType {
  /** Above 0, at most 1. */
  weight: number;
  /** Jobs of the type that may run at once, over all processes; Infinity for no limit. */
  concurrency: number;
}

/** One attempt's end. */
export interface Settle {
  id: number;
  lease: number;
  settlement: Settlement;
  /** Payload fields to drop at completion. */
  redact?: readonly string[];
  /** What to write instead of a completion whose dispatches are refused. */
  otherwise?: (reason: string) => Settlement;
}

/** What one round of {@link Store.exchange} did. */
export interface Exchange {
  /** For each settle, whether it was written; false means that the lease was gone. */
  settled: boolean[];
  claimed: ClaimedJob[];
  /** Suspects that are due and were left, or taken alone just now: how many still wait. */
  suspectsWaiting: number;
  /** When the next job of the asked types becomes due; null if none is known; absent if the claim came back full. */
  nextDue?: number | null;
  /** False where the asking process has been declared lost: it must register anew before it claims. */
  registered: boolean;
  /** Another process has written just now: it has to wait for as long as the next transaction takes. */
  crowded: boolean;
}

/** A process that claims, or once did. */
export interface ProcessRecord {
  id: number;
  pid: number;
  host: string;
  /** Names the boot of the machine and the start of the process, so that a pid cannot be mistaken. */
  bootId: string;
  startTime: string;
  kind: string;
  startedAt: string;
  heartbeatAt: string;
  stoppedAt: string | null;
  /** When it was found dead and its jobs were rescued. */
  lostAt: string | null;
  /** Jobs that it still holds. */
  processing: number;
  /** JSON: what the process tells of itself (workers, limits, types). */
  info: string;
}

/** What a process says of itself as it registers. */
export type ProcessIdentity = Pick<ProcessRecord, 'pid' | 'host' | 'bootId' | 'startTime' | 'kind' | 'info'>;

/** What the rescue of one process did. */
export interface Expired {
  returned: number[];
  failed: number[];
}

/** What an admin's verb did with one job. */
export interface Applied {
  id: number;
  /** The state before, or null where there is no such job. */
  from: Job['status'] | null;
  /** The state after; equal to `from` where the verb does not apply. */
  to: Job['status'] | null;
}

/** The engine's verbs. */
export interface Store {
  /** Writes jobs, all or none. Throws where a dependency is unknown. */
  insert(jobs: readonly NewJob[]): Promise<Inserted[]>;
  /** Settles attempts, then claims: one transaction. */
  exchange(settles: readonly Settle[], claim: ClaimRequest | null): Promise<Exchange>;
  /** Those of the given attempts that no longer hold their lease; the same objects. */
  lost<A extends AttemptKey>(attempts: readonly A[]): Promise<A[]>;
  /** Keeps how far an attempt is; nothing happens where the lease is gone. */
  progress(id: number, lease: number, progress: string): Promise<void>;
  cancel(ids: readonly number[]): Promise<Applied[]>;
  revive(ids: readonly number[]): Promise<Applied[]>;
  /** Deletes jobs that do not run and that no unfinished job waits for. */
  remove(ids: readonly number[]): Promise<Applied[]>;
  /** Announces a process; the id is never used again. */
  register(identity: ProcessIdentity): Promise<number>;
  /** Renews the lease of all the process's jobs at once. False where it has been declared lost. */
  beat(process: number, info: string): Promise<boolean>;
  /** Says goodbye: all its jobs are settled or released. */
  signOff(process: number): Promise<void>;
  processes(): Promise<ProcessRecord[]>;
  /** Declares a process lost and takes its jobs back, in one transaction. */
  expire(process: number): Promise<Expired>;
  /** How many jobs of these types and queues are due, counted no further than `limit`. */
  countDue(limit: number, types: readonly string[], queues: readonly string[] | null): Promise<number>;
  /** Called after jobs may have become claimable, or attempts lost, by another process or by this one. */
  onChange(listener: (change: 'local' | 'external') => void): () => void;
  close(): Promise<void>;
}
