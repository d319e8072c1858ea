/** A whole engine for one test: a database, worker threads with job files, dispatcher and watchdog. */

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';

import type { MailSettings } from '../../src/edge/mail.ts';
import type { Clock } from '../../src/engine/clock.ts';
import { Dispatcher } from '../../src/engine/dispatcher.ts';
import { type EventMap, Events } from '../../src/engine/events.ts';
import type { Job } from '../../src/engine/job.ts';
import { Pool } from '../../src/engine/pool.ts';
import type { NewJob } from '../../src/engine/store.ts';
import { completeType, type JobType } from '../../src/engine/types.ts';
import { Watchdog } from '../../src/engine/watchdog.ts';
import type { SqliteStore } from '../../src/store/sqlite/store.ts';
import { hurried } from '../tools/engine.ts';
import { identity, newJob, openStore, readJob, temporaryFolder } from '../tools/store.ts';

/** What a test may choose. */
export interface EngineOptions {
  /** Job files by name, as JavaScript; each gets `defineJob`, `discard` and `snooze`. */
  jobs?: Record<string, string>;
  /** The office's jobs are there, and send their mails so. */
  mail?: Omit<MailSettings, 'filesRoot' | 'outbox'>;
  workers?: number;
  queues?: string[] | null;
  /** How many times faster waits of the engine pass; 10 unless told. */
  hurry?: number;
  clock?: Clock;
  /** How long a thread may begin no job, in milliseconds. */
  stillMs?: number;
  /** Whether it claims from the beginning; true unless told. */
  started?: boolean;
  /** Errors of the engine itself that are a part of the test. */
  expectTrouble?: boolean;
}

export class Engine {
  readonly folder: string;
  readonly store: SqliteStore;
  readonly events: Events;
  readonly pool: Pool;
  readonly dispatcher: Dispatcher;
  readonly watchdog: Watchdog;
  readonly troubles: EventMap['trouble'][] = [];
  readonly deaths: EventMap['workerDied'][] = [];

  constructor(parts: Pick<Engine, 'folder' | 'store' | 'events' | 'pool' | 'dispatcher' | 'watchdog'>) {
    this.folder = parts.folder;
    this.store = parts.store;
    this.events = parts.events;
    this.pool = parts.pool;
    this.dispatcher = parts.dispatcher;
    this.watchdog = parts.watchdog;
    this.events.on('trouble', (event) => this.troubles.push(event));
    this.events.on('workerDied', (event) => this.deaths.push(event));
  }

  /** Dispatches a job. */
  async add(type: string, payload: unknown = {}, changes: Partial<NewJob> = {}): Promise<number> {
    const [inserted] = await this.store.insert([
      newJob(type, { payload: JSON.stringify(payload), ...changes }),
    ]);
    assert.ok(inserted);
    return inserted.id;
  }

  /** Resolves with the row once the job has completed or failed, or its outcome was dropped. */
  ended(id: number): Promise<Job> {
    const mine = (event: { id: number }) => event.id === id;
    return new Promise((resolve) => {
      const stops = (['completed', 'failed', 'lost'] as const).map((name) =>
        this.events.on(name, (event) => {
          if (!mine(event)) return;
          for (const stop of stops) stop();
          resolve(this.job(id));
        }),
      );
    });
  }

  /** Dispatches a job and waits for its end. */
  async run(type: string, payload: unknown = {}, changes: Partial<NewJob> = {}): Promise<Job> {
    return this.ended(await this.add(type, payload, changes));
  }

  /** Resolves once no job of the type is due or runs. */
  async settled(type: string): Promise<void> {
    const open = this.store.db
      .prepare<[string], number>(
        `SELECT count(*) FROM jobs WHERE type = ? AND status IN ('pending', 'processing') AND claimed_by IS NOT NULL`,
      )
      .pluck();
    while ((open.get(type) ?? 0) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  job(id: number): Job {
    const job = readJob(this.store, id);
    assert.ok(job, `job ${id} is gone`);
    return job;
  }

  result(id: number): unknown {
    return JSON.parse(this.job(id).result ?? 'null');
  }

  /** A connection of its own, as another process has it. */
  beside(t: TestContext): Promise<SqliteStore> {
    return openStore(t, hurried(1), { file: this.store.file });
  }

  /** Resolves once the handler of this job has logged the line. */
  said(id: number, line: string): Promise<EventMap['log']> {
    return this.events.next('log', (event) => event.id === id && event.message === line);
  }
}

const HEAD = `import { defineJob, discard, snooze } from 'passito';\nvoid [defineJob, discard, snooze];\n`;

/** Starts an engine; it is stopped after the test, which fails if the engine met trouble. */
export async function openEngine(t: TestContext, options: EngineOptions): Promise<Engine> {
  const cleanups: (() => unknown)[] = [];
  const later = { after: (fn: () => unknown) => void cleanups.unshift(fn) } as Pick<TestContext, 'after'>;
  // One hook, in the reverse order: a test's own hooks run in the order in which they were added.
  t.after(async () => {
    for (const clean of cleanups) await clean();
  });
  const folder = temporaryFolder(later);
  const jobs = path.join(folder, 'jobs');
  mkdirSync(jobs);
  const jobFiles = Object.entries(options.jobs ?? {}).map(([name, source]) => {
    const file = path.join(jobs, `${name}.js`);
    writeFileSync(file, HEAD + source);
    return file;
  });
  const clock = options.clock ?? hurried(options.hurry ?? 10);
  const store = await openStore(later, clock, { file: path.join(folder, 'passito.db') });
  const filesRoot = path.join(folder, 'files');
  const events = new Events();
  const workers = options.workers ?? 1;
  const pool = new Pool(
    {
      entry: path.join(import.meta.dirname, '../../src/worker.ts'),
      minThreads: 1,
      maxThreads: Math.max(workers, 1),
      heapLimit: 256 * 1024 ** 2,
      setup: {
        jobFiles,
        compiled: new Map(),
        commands: {},
        filesRoot,
        holder: 'test',
        group: '0',
        builtIns: options.mail !== undefined,
        mail: { ...options.mail, filesRoot, outbox: path.join(folder, 'outbox') },
        databaseId: 'test',
      },
    },
    {
      message: (line) => events.emit('log', line),
      threadDied: (worker, error) => events.emit('workerDied', { worker, reason: String(error) }),
    },
  );
  later.after(() => pool.destroy());
  const description = await pool.describe(10_000);
  assert.deepEqual(description.problems, []);
  const types = new Map<string, JobType>(description.types.map((type) => [type.type, completeType(type)]));
  const dispatcher = new Dispatcher({
    store,
    pool,
    types,
    queues: options.queues ?? null,
    events,
    clock,
    random: Math.random,
    process: await store.register(identity(process.pid)),
  });
  dispatcher.target = workers;
  const watchdog = new Watchdog(dispatcher, pool, store, clock, options.stillMs);
  pool.services.add('job', async (chunk, index, method, [value]) => {
    assert.equal(method, 'progress');
    const flight = dispatcher.flight(chunk, index);
    if (flight !== undefined) await store.progress(flight.job.id, flight.job.lease, String(value));
  });
  events.on('launched', () => watchdog.poke());
  const off = store.onChange((change) => {
    dispatcher.wake();
    if (change === 'external') watchdog.checkLeases();
  });
  const keepAlive = setInterval(() => undefined, 1000);
  const engine = new Engine({ folder, store, events, pool, dispatcher, watchdog });
  later.after(async () => {
    off();
    const patience = new Promise<string>((resolve) => {
      setTimeout(resolve, 3000, 'it did not stop').unref();
    });
    const stopped = await Promise.race([dispatcher.drain(0, AbortSignal.abort()), patience]);
    watchdog.stop();
    clearInterval(keepAlive);
    assert.equal(stopped, true);
    if (options.expectTrouble !== true) {
      assert.deepEqual(
        engine.troubles.map(({ where, error }) => `${where}: ${String(error)}`),
        [],
      );
    }
  });
  if (options.started !== false) dispatcher.start();
  return engine;
}
