/**
 * Group commit: operations that are asked for in the same turn of the event loop share one
 * transaction, so that one flush to the disk makes all of them durable.
 */

import type { Database, Statement } from 'better-sqlite3';
import { rest, whenFree } from './busy.ts';

interface Pending {
  op: () => unknown;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

/** For this long after another process has written, our transactions are followed by rests. Milliseconds. */
const POLITE_MS = 50;

/**
 * Whoever else wants the file gets about as long as we have held it, in pieces that are worth a timer. What is this short owes
 * nothing: who waits looks so often that it finds the gap behind it. Milliseconds.
 */
const SHORT_MS = 1;
const SHORTEST_REST_MS = 5;

/** The rest for each millisecond of holding: others need a part of it to notice, and to begin. */
const REST_PER_HELD = 1.15;

/** The kernel's word of our own write reaches us within this time. */
const QUIET_MS = 3;

/** No transaction takes more operations than this, so that others get their turn. */
const LARGEST_GROUP = 512;

/** Runs synchronous operations inside shared `BEGIN IMMEDIATE` transactions. */
export class Writer {
  readonly #db: Database;
  readonly #patience: number;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;
  readonly #savepoint: Statement;
  readonly #release: Statement;
  readonly #undo: Statement;
  readonly #version: Statement<[], number>;
  #queue: Pending[] = [];
  #running = false;
  #seenVersion = 0;
  #foreignWriteAt = Number.NEGATIVE_INFINITY;
  #lastWriteAt = Number.NEGATIVE_INFINITY;
  /** Rest that others have earned by our transactions, in milliseconds. */
  #owed = 0;

  /** `patience`: milliseconds that an operation waits for other writers before it fails. */
  constructor(db: Database, patience: number) {
    this.#db = db;
    this.#patience = patience;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
    this.#savepoint = db.prepare('SAVEPOINT op');
    this.#release = db.prepare('RELEASE op');
    this.#undo = db.prepare('ROLLBACK TO op');
    this.#version = db.prepare<[], number>('PRAGMA data_version').pluck();
    this.#seenVersion = this.#version.get() ?? 0;
  }

  /**
   * Runs `op` in a transaction and resolves with what it returned, once that is durable. Where `op`
   * throws, its own changes alone are undone. `op` must be synchronous.
   */
  run<T>(op: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ op, resolve: resolve, reject });
      if (!this.#running) {
        this.#running = true;
        // Not a microtask: callers that write one after another must let timers and sockets live.
        setImmediate(() => void this.#drain());
      }
    });
  }

  /** Whether nothing was written here for a few milliseconds: what happens to the file is somebody else's doing. */
  get quiet(): boolean {
    return performance.now() - this.#lastWriteAt > QUIET_MS;
  }

  /** Whether another process has written just now, and may want to again. */
  get crowded(): boolean {
    return performance.now() - this.#foreignWriteAt < POLITE_MS;
  }

  /** Resolves once everything that was asked for has been written or refused. */
  async settled(): Promise<void> {
    while (this.#running) await rest();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#letOthers();
      const group = this.#queue.splice(0, LARGEST_GROUP);
      try {
        await whenFree(() => this.#begin.run(), this.#patience);
      } catch (error) {
        for (const pending of group) pending.reject(error);
        continue;
      }
      const began = performance.now();
      this.#write(group);
      this.#lastWriteAt = performance.now();
      const held = this.#lastWriteAt - began;
      if (held > SHORT_MS) this.#owed += REST_PER_HELD * held;
      if (this.#queue.length > 0) await turn();
    }
    this.#running = false;
  }

  /** The transaction itself, in one piece: nothing else runs between BEGIN and COMMIT. */
  #write(group: Pending[]): void {
    this.#noticeOthers();
    const answers: (() => void)[] = [];
    try {
      if (group.length === 1) {
        const [{ op, resolve }] = group as [Pending];
        const value = op();
        answers.push(() => resolve(value as never));
      } else {
        for (const pending of group) answers.push(this.#apart(pending));
      }
      this.#commit.run();
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run();
      for (const pending of group) pending.reject(error);
      return;
    }
    for (const answer of answers) answer();
  }

  /** One operation among several: its failure is its own. */
  #apart({ op, resolve, reject }: Pending): () => void {
    this.#savepoint.run();
    try {
      const value = op();
      this.#release.run();
      return () => resolve(value as never);
    } catch (error) {
      // A full disk ends the whole transaction by itself: then nobody's changes stand.
      if (!this.#db.inTransaction) throw error;
      this.#undo.run();
      this.#release.run();
      return () => reject(error);
    }
  }

  #noticeOthers(): void {
    const version = this.#version.get() ?? 0;
    if (version !== this.#seenVersion) {
      this.#seenVersion = version;
      this.#foreignWriteAt = performance.now();
    }
  }

  /** A transaction at once after our last one would go past somebody who waits: SQLite's lock knows no queue. */
  async #letOthers(): Promise<void> {
    const since = performance.now() - this.#lastWriteAt;
    // Nobody wants it, or they have had the time meanwhile.
    if (!this.crowded) this.#owed = 0;
    this.#owed = Math.max(0, this.#owed - since);
    if (this.#owed < SHORTEST_REST_MS) return;
    const ms = Math.floor(this.#owed);
    this.#owed -= ms;
    await rest(ms);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
