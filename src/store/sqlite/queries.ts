/** What the commands read: lists, one job whole, and the figures of health and status. Nothing here writes. */

import type { Database } from 'better-sqlite3';
import { type Clock, formatTime } from '../../engine/clock.ts';
import type { JobState } from '../../engine/job.ts';
import { prepareLanes } from './lanes.ts';

/** A row of `jobs` under the table's own names; JSON columns as text. */
export interface JobRow {
  id: number;
  type: string;
  status: JobState;
  queue: string;
  priority: number;
  attempts: number;
  max_attempts: number | null;
  crashes: number;
  available_at: string;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  lease: number;
  claimed_by: number | null;
  parents: number;
  waiting_for: number;
  discarded: number;
  unique_key: string | null;
  options: string | null;
  progress: string | null;
  last_error: string | null;
  result: string | null;
  payload: string;
}

/** An attempt that did not end well. */
export interface AttemptRow {
  attempt: number;
  outcome: string;
  started_at: string | null;
  ended_at: string;
  process: number | null;
  error: string | null;
  stack: string | null;
}

/** A job at the other end of a dependency. */
export interface RelatedRow {
  id: number;
  type: string;
  status: JobState;
}

/** Payload fields that are to stay secret, by type. */
export type Secrets = ReadonlyMap<string, readonly string[]>;

/** Which jobs to list, newest first. Times are UTC text. */
export interface JobFilter {
  states?: readonly JobState[];
  type?: string;
  queue?: string;
  /** Text that the last error contains. */
  error?: string;
  createdBefore?: string;
  limit: number;
}

/** A process, as `passito status` shows it. */
export interface ProcessRow {
  id: number;
  pid: number;
  host: string;
  boot_id: string;
  start_time: string;
  kind: string;
  started_at: string;
  heartbeat_at: string;
  info: string;
}

/** Reads one database. */
export class Queries {
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  job(id: number): JobRow | undefined {
    return this.#db.prepare<[number], JobRow>('SELECT * FROM jobs WHERE id = ?').get(id);
  }

  attempts(id: number): AttemptRow[] {
    return this.#db
      .prepare<[number], AttemptRow>(
        'SELECT attempt, outcome, started_at, ended_at, process, error, stack FROM attempts WHERE job_id = ? ORDER BY rowid',
      )
      .all(id);
  }

  parents(id: number): RelatedRow[] {
    return this.#db
      .prepare<[number], RelatedRow>(
        'SELECT p.id, p.type, p.status FROM dependencies d JOIN jobs p ON p.id = d.parent_id WHERE d.job_id = ? ORDER BY d.position',
      )
      .all(id);
  }

  children(id: number): RelatedRow[] {
    return this.#db
      .prepare<[number], RelatedRow>(
        'SELECT c.id, c.type, c.status FROM dependencies d JOIN jobs c ON c.id = d.job_id WHERE d.parent_id = ? ORDER BY c.id',
      )
      .all(id);
  }

  list(filter: JobFilter): JobRow[] {
    const { where, values } = conditions(filter);
    return this.#db
      .prepare<unknown[], JobRow>(`SELECT * FROM jobs ${where} ORDER BY id DESC LIMIT ?`)
      .all(...values, filter.limit);
  }

  ids(filter: JobFilter): number[] {
    const { where, values } = conditions(filter);
    return this.#db
      .prepare<unknown[], number>(`SELECT id FROM jobs ${where} ORDER BY id LIMIT ?`)
      .pluck()
      .all(...values, filter.limit);
  }

  /** One of the ids that no job has; undefined where there is none. */
  unknown(ids: readonly number[]): number | undefined {
    return this.#db
      .prepare<[string], number>(
        'SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = value) LIMIT 1',
      )
      .pluck()
      .get(JSON.stringify(ids));
  }

  /** Finished jobs in one of the states, oldest first, that nothing waits for. */
  prunable(states: readonly JobState[], finishedBefore: string, limit: number): number[] {
    return this.#db
      .prepare<[string, string, number], number>(
        `SELECT id FROM jobs j WHERE finished_at < ? AND status IN (SELECT value FROM json_each(?))
           AND NOT EXISTS (SELECT 1 FROM dependencies d JOIN jobs c ON c.id = d.job_id
                           WHERE d.parent_id = j.id AND c.status <> 'completed')
         ORDER BY finished_at LIMIT ?`,
      )
      .pluck()
      .all(finishedBefore, JSON.stringify(states), limit);
  }

  /** Processes that have neither stopped nor been declared lost. */
  processes(): ProcessRow[] {
    return this.#db
      .prepare<[], ProcessRow>(
        `SELECT id, pid, host, boot_id, start_time, kind, started_at, heartbeat_at, info FROM processes
         WHERE stopped_at IS NULL AND lost_at IS NULL ORDER BY id`,
      )
      .all();
  }

  /** The queues of jobs that wait, and of types that a process knows. */
  queues(): string[] {
    const waiting = this.#db
      .prepare<[], string>(`SELECT DISTINCT queue FROM jobs WHERE status = 'pending'`)
      .pluck()
      .all();
    const told = this.processes().flatMap(({ info }) => publishedTypes(info));
    return [...new Set([...waiting, ...told.map(({ queue }) => queue)])];
  }

  /** Payload fields that are to stay secret, by type, as far as a process has told. */
  secrets(): Secrets {
    const told = this.processes().flatMap(({ info }) => publishedTypes(info));
    return new Map(told.map(({ type, redact }) => [type, redact ?? []]));
  }

  /** The latest supervisor that ended without saying so, unless another has been started since. */
  lostSupervisor(): { pid: number; heartbeatAt: string } | undefined {
    const row = this.#db
      .prepare<[], { pid: number; heartbeat_at: string; lost_at: string | null; stopped_at: string | null }>(
        `SELECT pid, heartbeat_at, lost_at, stopped_at FROM processes WHERE kind = 'supervisor' ORDER BY id DESC LIMIT 1`,
      )
      .get();
    return row === undefined || row.stopped_at !== null
      ? undefined
      : { pid: row.pid, heartbeatAt: row.heartbeat_at };
  }

  /** Jobs that run, longest first. */
  running(): JobRow[] {
    return this.#db
      .prepare<[], JobRow>(
        `SELECT * FROM jobs INDEXED BY jobs_processing WHERE status = 'processing' ORDER BY started_at, id LIMIT 1000`,
      )
      .all();
  }

  /** Due jobs by type, and when the one that has waited longest became due. */
  due(): { type: string; queue: string; count: number; oldest: string }[] {
    const now = formatTime(this.#clock.now());
    const count = this.#db.prepare<[number, string, string, string], { n: number; oldest: string | null }>(
      `SELECT count(*) AS n, min(available_at) AS oldest FROM jobs INDEXED BY jobs_due
       WHERE status = 'pending' AND priority = ? AND queue = ? AND type = ? AND available_at <= ?`,
    );
    const sums = new Map<string, { type: string; queue: string; count: number; oldest: string }>();
    for (const { priority, queue, type } of prepareLanes(this.#db)(() => true)) {
      const row = count.get(priority, queue, type, now);
      if (row === undefined || row.oldest === null) continue;
      const key = `${type}\n${queue}`;
      const sum = sums.get(key);
      if (sum === undefined) sums.set(key, { type, queue, count: row.n, oldest: row.oldest });
      else {
        sum.count += row.n;
        if (row.oldest < sum.oldest) sum.oldest = row.oldest;
      }
    }
    return [...sums.values()];
  }

  /** Jobs by state: for `status`. Walks indexes, or the whole table where there is none. */
  finishedSince(since: string): { completed: number; failed: number } {
    const rows = this.#db
      .prepare<[string], { status: string; n: number }>(
        `SELECT status, count(*) AS n FROM jobs INDEXED BY jobs_finished WHERE finished_at >= ? GROUP BY status`,
      )
      .all(since);
    const of = (status: string) => rows.find((row) => row.status === status)?.n ?? 0;
    return { completed: of('completed'), failed: of('failed') };
  }
}

function conditions(filter: JobFilter): { where: string; values: unknown[] } {
  const parts: string[] = [];
  const values: unknown[] = [];
  const add = (sql: string, value: unknown) => {
    parts.push(sql);
    values.push(value);
  };
  if (filter.states !== undefined && filter.states.length > 0) {
    // One state is named plainly, so that its partial index can be used.
    const [only] = filter.states;
    if (filter.states.length === 1) parts.push(`status = '${only}'`);
    else add('status IN (SELECT value FROM json_each(?))', JSON.stringify(filter.states));
  }
  if (filter.type !== undefined) add('type = ?', filter.type);
  if (filter.queue !== undefined) add('queue = ?', filter.queue);
  if (filter.error !== undefined) add(`instr(lower(last_error), lower(?)) > 0`, filter.error);
  if (filter.createdBefore !== undefined) add('created_at < ?', filter.createdBefore);
  return { where: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, values };
}

/** What a process publishes of its types. */
export interface PublishedType {
  type: string;
  maxAttempts: number;
  priority: number;
  queue: string;
  timeout: number;
  redact: readonly string[];
  /** Absent where there is no limit. */
  concurrency?: number;
}

/** What the latest process that knows the type says of it. */
export function publishedType(queries: Queries, type: string): PublishedType | undefined {
  const processes = queries.processes().reverse();
  for (const { info } of processes) {
    const found = publishedTypes(info).find((one) => one.type === type);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The types in a process's info; none where it says nothing readable. */
export function publishedTypes(info: string): PublishedType[] {
  try {
    return (JSON.parse(info) as { types?: PublishedType[] }).types ?? [];
  } catch {
    return [];
  }
}
