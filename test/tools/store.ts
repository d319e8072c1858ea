/** Small words for tests of the store: a database that goes away with its test, jobs, claims, settles. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

import type { Clock } from '../../src/engine/clock.ts';
import type { Job, Settlement } from '../../src/engine/job.ts';
import type {
  ClaimableType,
  ClaimedJob,
  ClaimRequest,
  Exchange,
  NewJob,
  ProcessIdentity,
  Settle,
  Store,
} from '../../src/engine/store.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';

/** A folder that is removed after the test. */
export function temporaryFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'passito-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens a database as the supervisor does; it is closed after the test. */
export async function openStore(
  t: Pick<TestContext, 'after'>,
  clock: Clock,
  options: { file?: string; synchronous?: 'full' | 'normal' } = {},
): Promise<SqliteStore> {
  const file = options.file ?? path.join(temporaryFolder(t), 'passito.db');
  const store = await SqliteStore.open(
    file,
    {
      mode: 'create',
      migrate: { isAlive: () => false },
      synchronous: options.synchronous ?? 'normal',
      patience: 5000,
    },
    clock,
  );
  t.after(() => (store.db.open ? store.close() : undefined));
  return store;
}

/** A job as `dispatch` would write it. */
export function newJob(type: string, changes: Partial<NewJob> = {}): NewJob {
  return {
    type,
    payload: '{}',
    queue: 'default',
    priority: 0,
    maxAttempts: null,
    uniqueKey: null,
    options: null,
    dependsOn: [],
    ...changes,
  };
}

/** What a process says of itself; every one has a pid of its own. */
export function identity(pid: number): ProcessIdentity {
  return { pid, host: 'here', bootId: 'boot', startTime: String(pid), kind: 'supervisor', info: '{}' };
}

/** An ordinary type: a whole worker a job, any number at once. */
export const ORDINARY: ClaimableType = { weight: 1, concurrency: Number.POSITIVE_INFINITY };

/** A claim with room for everything. */
export function claimOf(
  process: number,
  types: readonly string[] | Record<string, Partial<ClaimableType>>,
  changes: Partial<Omit<ClaimRequest, 'types' | 'process'>> = {},
): ClaimRequest {
  const given = Array.isArray(types)
    ? (types as readonly string[]).map((type) => [type, ORDINARY] as const)
    : Object.entries(types as Record<string, Partial<ClaimableType>>).map(
        ([type, one]) => [type, { ...ORDINARY, ...one }] as const,
      );
  return {
    process,
    slots: 1000,
    ahead: 0,
    most: 10_000,
    types: new Map(given),
    queues: null,
    suspects: 'any',
    ...changes,
  };
}

/** The end of a claimed attempt. */
export function settleOf(job: Pick<ClaimedJob, 'id' | 'lease'>, settlement: Settlement): Settle {
  return { id: job.id, lease: job.lease, settlement };
}

export const COMPLETE: Settlement = { move: 'complete', result: null };
export const DISCARD: Settlement = { move: 'fail', error: { message: 'given up' }, discarded: true };
export const FAIL: Settlement = { move: 'fail', error: { message: 'broken' }, discarded: false };
export const RELEASE: Settlement = { move: 'release', delay: 0 };

export function retryAfter(delay: number, message = 'once more'): Settlement {
  return { move: 'retry', delay, error: { message } };
}

/** A snooze with a reason. */
export function waitFor(reason: string, delay: number): Settlement {
  return { move: 'release', delay, error: { message: reason } };
}

/** A claiming process beside a store. */
export class Claimer {
  readonly store: Store;
  readonly process: number;
  readonly types: string[];

  constructor(store: Store, process: number, types: string[]) {
    this.store = store;
    this.process = process;
    this.types = types;
  }

  static async join(store: Store, types: string[], pid = 1): Promise<Claimer> {
    return new Claimer(store, await store.register(identity(pid)), types);
  }

  /** One round that only claims. */
  look(changes: Partial<Omit<ClaimRequest, 'types' | 'process'>> = {}): Promise<Exchange> {
    return this.store.exchange([], claimOf(this.process, this.types, changes));
  }

  async claim(changes: Partial<Omit<ClaimRequest, 'types' | 'process'>> = {}): Promise<ClaimedJob[]> {
    return (await this.look(changes)).claimed;
  }

  async ids(changes: Partial<Omit<ClaimRequest, 'types' | 'process'>> = {}): Promise<number[]> {
    return (await this.claim(changes)).map(({ id }) => id);
  }

  /** Claims exactly one job. */
  async one(changes: Partial<Omit<ClaimRequest, 'types' | 'process'>> = {}): Promise<ClaimedJob> {
    const [job, ...more] = await this.claim({ slots: 1, ...changes });
    assert.ok(job, 'a job should have been claimed');
    assert.deepEqual(more, [], 'no other job should have been claimed');
    return job;
  }

  async settle(job: Pick<ClaimedJob, 'id' | 'lease'>, settlement: Settlement): Promise<boolean> {
    const { settled } = await this.store.exchange([settleOf(job, settlement)], null);
    assert.equal(settled.length, 1);
    return settled[0] as boolean;
  }

  /** Claims one job and settles it. */
  async work(
    settlement: Settlement,
    changes: Partial<Omit<ClaimRequest, 'types' | 'process'>> = {},
  ): Promise<number> {
    const job = await this.one(changes);
    assert.equal(await this.settle(job, settlement), true);
    return job.id;
  }
}

/** Dispatches one job and returns its id. */
export async function add(store: Store, type: string, changes: Partial<NewJob> = {}): Promise<number> {
  const [inserted] = await store.insert([newJob(type, changes)]);
  assert.ok(inserted);
  return inserted.id;
}

/** A job's row. */
export function readJob({ db }: Pick<SqliteStore, 'db'>, id: number): Job | undefined {
  return db
    .prepare<[number], Job>(
      `SELECT id, type, status, payload, queue, priority, attempts, max_attempts AS maxAttempts, crashes,
              available_at AS availableAt, created_at AS createdAt, started_at AS startedAt, finished_at AS finishedAt,
              last_error AS lastError, result, unique_key AS uniqueKey, options, progress, waiting_for AS waitingFor,
              claimed_by AS claimedBy
       FROM jobs WHERE id = ?`,
    )
    .get(id);
}

/** What is kept of an attempt that did not end well. */
export interface KeptAttempt {
  attempt: number;
  outcome: string;
  error: string | null;
  process: number | null;
}

export function readAttempts({ db }: Pick<SqliteStore, 'db'>, id: number): KeptAttempt[] {
  return db
    .prepare<[number], KeptAttempt>(
      'SELECT attempt, outcome, error, process FROM attempts WHERE job_id = ? ORDER BY rowid',
    )
    .all(id);
}
