/** The store contract on SQLite: each verb is one operation of the group-committing writer. */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Database } from 'better-sqlite3';
import { type Clock, formatTime, parseTime } from '../../engine/clock.ts';
import type {
  Applied,
  AttemptKey,
  ClaimRequest,
  Exchange,
  Expired,
  Inserted,
  NewJob,
  ProcessIdentity,
  ProcessRecord,
  Settle,
  Store,
} from '../../engine/store.ts';
import type { Endings } from '../../engine/waits.ts';
import { errors } from '../../errors.ts';
import { prepareAdmin } from './admin.ts';
import { whenFree } from './busy.ts';
import { type Claim, prepareClaim } from './claim.ts';
import { prepareInsert } from './insert.ts';
import { prepareCountDue } from './lanes.ts';
import { MIGRATIONS } from './migrations.ts';
import { explain, openDatabase, type OpenOptions, WAL_LIMIT } from './open.ts';
import { prepareProcesses } from './rescue.ts';
import { preparePaused } from './pauses.ts';
import { prepareSettle } from './settle.ts';
import { watchForeignCommits } from './watch.ts';
import { Writer } from './writer.ts';

/** A store and the connection beneath it, for the parts that add tables of their own. */
export class SqliteStore implements Store, Endings {
  readonly db: Database;
  readonly file: string;
  readonly #clock: Clock;
  readonly #patience: number;
  readonly #writer: Writer;
  readonly #verbs: Verbs;
  readonly #listeners = new Set<(change: 'local' | 'external') => void>();
  readonly #settledListeners = new Set<(ids: readonly number[] | undefined) => void>();
  #stopWatching: (() => void) | undefined;
  readonly #inode: number | undefined;
  /** Jobs were inserted since the last word to the listeners: whoever inserts, the dispatcher is woken at the commit. */
  #inserted = false;
  #also: ((written: unknown, now: number) => void) | undefined;

  /** Opens a database file. */
  static async open(file: string, options: OpenOptions, clock: Clock): Promise<SqliteStore> {
    const path = resolve(file);
    return new SqliteStore(await openDatabase(path, options), path, options.patience, clock);
  }

  constructor(db: Database, file: string, patience: number, clock: Clock) {
    this.db = db;
    this.file = file;
    this.#clock = clock;
    this.#patience = patience;
    this.#writer = new Writer(db, patience);
    this.#verbs = prepareVerbs(db);
    this.#inode = inodeOf(file);
  }

  /** Whether the file that is open still stands at its path: a restored backup, or `rm`, leaves this one without a name. */
  get inPlace(): boolean {
    return inodeOf(this.file) === this.#inode;
  }

  /** Throws where a newer passito has changed the tables since: what this one writes might not be what they mean now. */
  assertKnown(): void {
    const version = this.db.pragma('user_version', { simple: true }) as number;
    if (version > MIGRATIONS.length) throw errors.databaseNewer(this.file, version, MIGRATIONS.length);
  }

  /** Runs a synchronous operation in a write transaction, together with others of the same turn. */
  async write<T>(op: (now: number) => T): Promise<T> {
    let result: T;
    const also = this.#also;
    try {
      result = await this.#writer.run(() => {
        const now = this.#clock.now();
        const written = op(now);
        also?.(written, now);
        return written;
      });
    } catch (error) {
      throw explain(error, this.file, this.#patience);
    }
    if (this.#inserted) {
      this.#inserted = false;
      this.#tell('local');
    }
    return result;
  }

  /**
   * While `work` goes on, each {@link write} is followed by `also`, in the same transaction: either both happen or
   * neither. For who writes nothing else meanwhile.
   */
  async followed<T>(also: (written: unknown, now: number) => void, work: () => Promise<T>): Promise<T> {
    this.#also = also;
    try {
      return await work();
    } finally {
      this.#also = undefined;
    }
  }

  /** Runs a synchronous read; waits where another process is just recovering or closing the file. */
  async read<T>(query: () => T): Promise<T> {
    try {
      return await whenFree(query, this.#patience);
    } catch (error) {
      throw explain(error, this.file, this.#patience);
    }
  }

  /** As {@link insert}, for use inside a larger {@link write}. */
  insertNow(jobs: readonly NewJob[], now: number): Inserted[] {
    this.#inserted = true;
    return this.#verbs.insert(jobs, now);
  }

  insert(jobs: readonly NewJob[]): Promise<Inserted[]> {
    return this.write((now) => this.insertNow(jobs, now));
  }

  async exchange(settles: readonly Settle[], claim: ClaimRequest | null): Promise<Exchange> {
    const verbs = this.#verbs;
    const { settled, becamePending, registered, claims } = await this.write((now) => {
      const done = verbs.settle(settles, now);
      const known = claim !== null && verbs.processes.alive(claim.process);
      const found: Claim = known ? verbs.claim(claim, formatTime(now)) : { claimed: [], suspectsWaiting: 0 };
      return { ...done, registered: claim === null || known, claims: found };
    });
    if (becamePending) this.#tell('local');
    if (settles.length > 0) this.#tellSettled(() => settles.map(({ id }) => id));
    const { claimed, suspectsWaiting, nextDue } = claims;
    return {
      settled,
      claimed,
      suspectsWaiting,
      registered,
      crowded: this.#writer.crowded,
      ...(nextDue === undefined ? {} : { nextDue: nextDue === null ? null : parseTime(nextDue) }),
    };
  }

  lost<A extends AttemptKey>(attempts: readonly A[]): Promise<A[]> {
    return this.read(() =>
      attempts.filter(({ id, lease }) => this.#verbs.holds.get(id, lease) === undefined),
    );
  }

  async progress(id: number, lease: number, progress: string): Promise<void> {
    await this.write(() => this.#verbs.progress.run(progress, id, lease));
  }

  cancel(ids: readonly number[]): Promise<Applied[]> {
    return this.#admin((now) => this.#verbs.admin.cancel(ids, now));
  }

  revive(ids: readonly number[]): Promise<Applied[]> {
    return this.#admin((now) => this.#verbs.admin.revive(ids, now));
  }

  remove(ids: readonly number[]): Promise<Applied[]> {
    return this.#admin(() => this.#verbs.admin.remove(ids));
  }

  register(identity: ProcessIdentity): Promise<number> {
    return this.write((now) => this.#verbs.processes.register(identity, now));
  }

  beat(process: number, info: string): Promise<boolean> {
    return this.write((now) => this.#verbs.processes.beat(process, info, now));
  }

  async signOff(process: number): Promise<void> {
    await this.write((now) => this.#verbs.processes.signOff(process, now));
  }

  processes(): Promise<ProcessRecord[]> {
    return this.read(() => this.#verbs.processes.list());
  }

  async expire(process: number): Promise<Expired> {
    const expired = await this.write((now) => this.#verbs.processes.expire(process, now));
    if (expired.returned.length > 0) this.#tell('local');
    if (expired.failed.length > 0) this.#tellSettled(() => expired.failed);
    return expired;
  }

  countDue(limit: number, types: readonly string[], queues: readonly string[] | null): Promise<number> {
    return this.read(() => this.#countDue(limit, types, queues));
  }

  /**
   * How many jobs are due, and how many have failed, each counted no further than `limit`. One try: throws what
   * SQLite says where somebody holds the database locked, since whoever asks wants an answer now.
   */
  glance(
    limit: number,
    types: readonly string[],
    queues: readonly string[] | null,
  ): { due: number; failed: number } {
    return {
      due: this.#countDue(limit, types, queues),
      failed: this.#verbs.countFailed.get(limit) ?? 0,
    };
  }

  #countDue(limit: number, types: readonly string[], queues: readonly string[] | null): number {
    const known = new Set(types);
    const isPaused = this.#verbs.paused();
    return this.#verbs.countDue(
      limit,
      formatTime(this.#clock.now()),
      ({ type, queue }) => known.has(type) && (queues?.includes(queue) ?? true) && !isPaused(queue),
    );
  }

  onChange(listener: (change: 'local' | 'external') => void): () => void {
    this.#listeners.add(listener);
    this.#watch();
    return () => this.#listeners.delete(listener);
  }

  ended(ids: readonly number[]): Promise<number[]> {
    return this.read(() => this.#verbs.ended.all(JSON.stringify(ids)));
  }

  onSettled(listener: (ids: readonly number[] | undefined) => void): () => void {
    this.#settledListeners.add(listener);
    this.#watch();
    return () => this.#settledListeners.delete(listener);
  }

  /**
   * Copies the WAL into the database file as far as readers allow; never waits for them. One that has grown beside a long
   * reader is cut: by itself it is only where the next to write is a connection of ours.
   */
  async checkpoint(): Promise<void> {
    await this.read(() => this.db.pragma('wal_checkpoint(PASSIVE)'));
    const size = statSync(`${this.file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (size > WAL_LIMIT) await this.read(() => this.db.pragma('wal_checkpoint(TRUNCATE)'));
  }

  async close(): Promise<void> {
    this.#stopWatching?.();
    await this.#writer.settled();
    this.db.close();
  }

  async #admin(act: (now: number) => Applied[]): Promise<Applied[]> {
    const applied = await this.write(act);
    this.#tell('local');
    this.#tellSettled(() => applied.map(({ id }) => id));
    return applied;
  }

  #watch(): void {
    this.#stopWatching ??= watchForeignCommits(
      this.db,
      this.file,
      () => this.#writer.quiet,
      () => {
        this.#tell('external');
        this.#tellSettled(() => undefined);
      },
    );
  }

  /** Nobody listens as a rule: then not even the ids are put together. */
  #tellSettled(ids: () => readonly number[] | undefined): void {
    if (this.#settledListeners.size === 0) return;
    const told = ids();
    for (const listener of this.#settledListeners) listener(told);
  }

  #tell(change: 'local' | 'external'): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

type Verbs = ReturnType<typeof prepareVerbs>;

function prepareVerbs(db: Database) {
  const insert = prepareInsert(db);
  return {
    insert,
    settle: prepareSettle(db, insert),
    claim: prepareClaim(db),
    processes: prepareProcesses(db),
    admin: prepareAdmin(db),
    holds: db
      .prepare<[number, number], number>(
        `SELECT 1 FROM jobs WHERE id = ? AND status = 'processing' AND lease = ?`,
      )
      .pluck(),
    ended: db
      .prepare<[string], number>(
        `SELECT value FROM json_each(?) WHERE NOT EXISTS
           (SELECT 1 FROM jobs WHERE id = value AND status IN ('blocked','pending','processing'))`,
      )
      .pluck(),
    progress: db.prepare(`UPDATE jobs SET progress = ? WHERE id = ? AND status = 'processing' AND lease = ?`),
    countDue: prepareCountDue(db),
    paused: preparePaused(db),
    countFailed: db
      .prepare<[number], number>(
        `SELECT count(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_failed WHERE status = 'failed' LIMIT ?)`,
      )
      .pluck(),
  };
}
