/** One system in the comparison: its workers run in processes of their own, and this process watches the store. */

import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Bench } from '../measure.ts';
import { Child } from './child.ts';
import type { Kind, Mode, Open, Payload, Peer } from './systems/peer.ts';

export interface Contestant {
  readonly name: string;
  /** How it is set up, for the reader of the table. */
  readonly settings: string;
  /** Makes the queue empty. */
  reset(): Promise<void>;
  add(kind: Kind, payloads: readonly Payload[]): Promise<void>;
  /** Starts the workers; resolves when they are up. */
  start(kind: Kind, mode: Mode): Promise<void>;
  stop(): Promise<void>;
  /** A process that adds jobs. */
  feeder(kind: Kind): Promise<Child>;
  /** Whether a job waits or runs. Cheap until `count` have begun. */
  left(count: number): Promise<boolean>;
  /** When the first job began. */
  first(): Promise<number>;
  /** When each job began, by its number. */
  stamps(): Promise<Map<number, number>>;
  /** The processes of its workers and its server. */
  pids(): number[];
  close(): Promise<void>;
}

/** What the comparison knows of a peer. */
export interface Entry {
  name: string;
  /** The adapter's name in systems/. */
  system: string;
  settings: string;
  /** Folder of its file, or of its server's socket. */
  where: string;
  /** Its server's process. */
  server?: number;
  /** How many processes work, by what is measured. */
  processes: Record<Mode, number>;
}

export class PeerContestant implements Contestant {
  readonly name: string;
  readonly settings: string;
  readonly #entry: Entry;
  #peer: Peer | undefined;
  #workers: Child[] = [];

  constructor(entry: Entry) {
    this.name = entry.name;
    this.settings = entry.settings;
    this.#entry = entry;
  }

  async reset(): Promise<void> {
    if (this.#peer === undefined) {
      const { open } = (await import(`./systems/${this.#entry.system}.ts`)) as { open: Open };
      this.#peer = await open(this.#entry.where);
    }
    await this.#peer.reset();
  }

  async add(kind: Kind, payloads: readonly Payload[]): Promise<void> {
    await this.#peer?.add(kind, payloads);
  }

  async start(kind: Kind, mode: Mode): Promise<void> {
    const starting = Array.from({ length: this.#entry.processes[mode] }, () =>
      Child.work(this.#entry.system, this.#entry.where, kind, mode),
    );
    this.#workers = await Promise.all(starting);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.end()));
    this.#workers = [];
  }

  feeder(kind: Kind): Promise<Child> {
    return Child.feed(this.#entry.system, this.#entry.where, kind);
  }

  async left(count: number): Promise<boolean> {
    const begun = this.#workers.reduce((sum, { ran }) => sum + ran, 0);
    return begun < count || (await this.#peer?.left()) === true;
  }

  async first(): Promise<number> {
    return Math.min(...this.#workers.map(({ first }) => first).filter((first) => first > 0));
  }

  async stamps(): Promise<Map<number, number>> {
    const told = await Promise.all(this.#workers.map((worker) => worker.ask({ ask: 'stamps' }, 'stamps')));
    return new Map(told.flatMap(({ stamps }) => stamps));
  }

  pids(): number[] {
    const { server } = this.#entry;
    return [...this.#workers.map(({ pid }) => pid), ...(server === undefined ? [] : [server])];
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#peer?.close();
  }
}

/** The executable with 2 workers, running users' `.ts` files. */
export class Passito implements Contestant {
  readonly name = 'passito';
  readonly settings =
    'the executable, a user’s .ts handler, 2 worker threads; SQLite WAL, synchronous FULL; dispatch through the library';
  readonly #workers: string;
  #bench: Bench | undefined;
  #peer: Peer | undefined;

  constructor(workers = 2) {
    this.#workers = String(workers);
  }

  /** The run that is under way. */
  get bench(): Bench {
    return this.#bench as Bench;
  }

  async reset(): Promise<void> {
    await this.close();
    this.#bench = new Bench();
    await this.#bench.run('migrate');
    const { open } = await import('./systems/passito.ts');
    this.#peer = await open(this.#bench.folder);
  }

  async add(kind: Kind, payloads: readonly Payload[]): Promise<void> {
    await this.#peer?.add(kind, payloads);
  }

  async start(): Promise<void> {
    await this.#bench?.supervise('--min-workers', this.#workers, '--max-workers', this.#workers);
  }

  async stop(): Promise<void> {
    await this.#bench?.stop();
  }

  feeder(kind: Kind): Promise<Child> {
    return Child.feed('passito', this.#bench?.folder ?? '', kind);
  }

  async left(): Promise<boolean> {
    return (await this.#peer?.left()) === true;
  }

  /** Each thread's first job tells when it began. */
  async first(): Promise<number> {
    const sql = 'SELECT min(CAST(result AS REAL)) FROM jobs WHERE result IS NOT NULL';
    return this.#query<number>(sql)[0] ?? Number.NaN;
  }

  async stamps(): Promise<Map<number, number>> {
    const told = this.#query<string>(
      `SELECT json_array(payload ->> 'i', CAST(result AS REAL)) FROM jobs WHERE result IS NOT NULL`,
    );
    return new Map(told.map((text) => JSON.parse(text) as [number, number]));
  }

  pids(): number[] {
    return this.#bench === undefined ? [] : [this.#bench.pid];
  }

  async close(): Promise<void> {
    await this.#peer?.close();
    await this.#bench?.stop();
    this.#bench?.remove();
    this.#bench = undefined;
    this.#peer = undefined;
  }

  #query<T>(sql: string): T[] {
    const db = new Database(this.#bench?.file, { readonly: true });
    try {
      return db.prepare<[], T>(sql).pluck().all();
    } finally {
      db.close();
    }
  }
}

/** A folder of its own below the run's. */
export function subfolder(folder: string, name: string): string {
  mkdirSync(folder, { recursive: true });
  return mkdtempSync(join(folder, `${name}-`));
}
