/** What happens in the table, told by triggers inside the transaction that does it, whoever asked for it. */

import type { Database } from 'better-sqlite3';
import type { State } from './spec.ts';

/** A job's row. */
export interface Row {
  id: number;
  type: string;
  status: State;
  queue: string;
  priority: number;
  attempts: number;
  maxAttempts: number | null;
  crashes: number;
  /** UTC text. */
  due: string;
  finished: string | null;
  lease: number;
  holder: number | null;
  waitingFor: number;
  discarded: number;
  key: string | null;
  progress: string | null;
  error: string | null;
  result: string | null;
  payload: string;
}

const COLUMNS: Readonly<Record<keyof Row, string>> = {
  id: 'id',
  type: 'type',
  status: 'status',
  queue: 'queue',
  priority: 'priority',
  attempts: 'attempts',
  maxAttempts: 'max_attempts',
  crashes: 'crashes',
  due: 'available_at',
  finished: 'finished_at',
  lease: 'lease',
  holder: 'claimed_by',
  waitingFor: 'waiting_for',
  discarded: 'discarded',
  key: 'unique_key',
  progress: 'progress',
  error: 'last_error',
  result: 'result',
  payload: 'payload',
};

/** One change of one row: `was` is absent where it came to be, `is` where it was deleted. */
export interface Change {
  was: Row | null;
  is: Row | null;
}

function rowOf(prefix: string): string {
  const pairs = Object.entries(COLUMNS).map(([name, column]) => `'${name}', ${prefix}${column}`);
  return `json_object(${pairs.join(', ')})`;
}

/** Must be set up before the first job. It stays in the file, as a part of its schema. */
export function watchJobs(db: Database): void {
  db.exec(`
    CREATE TABLE changes_seen (seq INTEGER PRIMARY KEY, was TEXT, now TEXT) STRICT;
    CREATE TRIGGER see_insert AFTER INSERT ON jobs
    BEGIN INSERT INTO changes_seen (now) VALUES (${rowOf('new.')}); END;
    CREATE TRIGGER see_update AFTER UPDATE ON jobs
    BEGIN INSERT INTO changes_seen (was, now) VALUES (${rowOf('old.')}, ${rowOf('new.')}); END;
    CREATE TRIGGER see_delete AFTER DELETE ON jobs
    BEGIN INSERT INTO changes_seen (was) VALUES (${rowOf('old.')}); END;`);
}

export interface Link {
  parent: number;
  child: number;
}

/** A look at a database file from outside. */
export class Watch {
  readonly #rows;
  readonly #changes;
  readonly #links;
  readonly #attempts;
  #seen = 0;

  /** `seen`: what a former watch has told already. */
  constructor(db: Database, seen = 0) {
    this.#seen = seen;
    this.#rows = db.prepare<[], string>(`SELECT ${rowOf('')} FROM jobs ORDER BY id`).pluck();
    this.#changes = db.prepare<[number], { seq: number; was: string | null; now: string | null }>(
      'SELECT seq, was, now FROM changes_seen WHERE seq > ? ORDER BY seq',
    );
    this.#links = db.prepare<[], Link>(
      'SELECT parent_id AS parent, job_id AS child FROM dependencies ORDER BY job_id, position',
    );
    this.#attempts = db
      .prepare<[], string>(`SELECT job_id || ' ' || attempt || ' ' || outcome FROM attempts ORDER BY 1`)
      .pluck();
  }

  /** How far it has told. */
  get seen(): number {
    return this.#seen;
  }

  rows(): Row[] {
    return this.#rows.all().map((text) => JSON.parse(text) as Row);
  }

  links(): Link[] {
    return this.#links.all();
  }

  /** The attempts that did not end well: `job attempt outcome`. */
  attempts(): string[] {
    return this.#attempts.all();
  }

  /** What has changed since this was asked last. */
  changes(): Change[] {
    const seen = this.#changes.all(this.#seen);
    this.#seen = seen.at(-1)?.seq ?? this.#seen;
    const read = (text: string | null) => (text === null ? null : (JSON.parse(text) as Row));
    return seen.map(({ was, now }) => ({ was: read(was), is: read(now) }));
  }
}
