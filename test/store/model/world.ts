/** The store under test: one file, two processes with a connection each, and a third connection that only looks. */

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { preparePauses } from '../../../src/store/sqlite/pauses.ts';
import { pruneJobs } from '../../../src/store/sqlite/prune.ts';
import { SqliteStore } from '../../../src/store/sqlite/store.ts';
import { FakeClock } from '../../tools/engine.ts';
import { identity } from '../../tools/store.ts';
import { type Answer, type Call, REFUSED } from './calls.ts';
import { CRASHED, Model } from './model.ts';
import { PROPERTIES } from './properties.ts';
import { textOf } from './spec.ts';
import { count, nameOf, Past, type Step } from './step.ts';
import { type Row, Watch } from './watch.ts';

/** What a whole check has seen. */
export class Tally {
  runs = 0;
  commands = 0;
  readonly moves = new Map<string, number>();
  readonly verbs = new Map<string, number>();
  readonly cases = new Map<string, number>();
  /** Different tables that were seen, by the states and counters of their jobs. */
  readonly tables = new Set<string>();
}

export class World {
  readonly clock = new FakeClock();
  readonly model = new Model();
  readonly tally: Tally;
  readonly past = new Past();
  /** What was done, a line each. fast-check knows only the random numbers behind it. */
  readonly story: string[] = [];
  /** The number by which each of the two processes is known to the store. */
  readonly processes: number[] = [];
  readonly #folder: string;
  readonly #stores: SqliteStore[] = [];
  #file: string;
  #eye!: Database.Database;
  #watch!: Watch;
  #now: ReturnType<World['look']> | undefined;
  #pids = 0;

  /** `template`: a watched database without a job in it. */
  static async begin(folder: string, template: string, tally: Tally): Promise<World> {
    const world = new World(join(folder, String(++tally.runs)), tally);
    mkdirSync(world.#folder);
    copyFileSync(template, world.#file);
    await world.#open(0);
    for (const by of [0, 1]) await world.register(by);
    return world;
  }

  private constructor(folder: string, tally: Tally) {
    this.#folder = folder;
    this.#file = join(folder, '0.db');
    this.tally = tally;
  }

  async #open(seen: number): Promise<void> {
    this.#stores.push(await open(this.#file, this.clock), await open(this.#file, this.clock));
    this.#eye = new Database(this.#file, { readonly: true });
    this.#watch = new Watch(this.#eye, seen);
    this.#now ??= this.look();
  }

  /** A number for this process: the former one is as one that died. */
  async register(by: number): Promise<void> {
    const [id] = await this.ask(by, [{ verb: 'register', pid: ++this.#pids }]);
    this.processes[by] = id as number;
  }

  /** Asks all of it in one turn of the loop, so that it shares a transaction, and judges what came of it. */
  async ask(by: number, calls: readonly Call[]): Promise<Answer[]> {
    for (const { verb } of calls) count(this.tally.verbs, verb);
    this.story.push(`${by}: ${JSON.stringify(calls)} at ${textOf(this.clock.now())}`);
    const store = this.#stores[by]!;
    const answers = await Promise.all(calls.map((call) => perform(store, call, this.clock)));
    await this.#judge(calls, answers, () => calls.map((call) => this.model.answer(call, this.clock.now())));
    return answers;
  }

  /** kill -9 of one process, with calls under way that it never hears of again. */
  async kill(by: number, under: readonly Call[]): Promise<void> {
    this.story.push(`${by}: killed with ${JSON.stringify(under)} under way`);
    const store = this.#stores[by]!;
    const lost = Promise.allSettled(under.map((call) => perform(store, call, this.clock)));
    store.db.close();
    assert.ok((await lost).every(({ status }) => status === 'rejected'));
    this.#stores[by] = await open(this.#file, this.clock);
    count(this.tally.verbs, 'kill');
    await this.#judge([], [], () => []);
    await this.register(by);
  }

  /** Both processes are killed, and the machine comes up again with the files as they lie on the disk. */
  async restart(): Promise<void> {
    this.story.push('both: killed, and begun again from copies of the files');
    const former = this.#file;
    this.#file = former.replace(/\d+(?=\.db$)/, (n) => String(Number(n) + 1));
    for (const end of ['', '-wal']) {
      if (existsSync(former + end)) copyFileSync(former + end, this.#file + end);
    }
    this.#close();
    this.#stores.length = 0;
    await this.#open(this.#watch.seen);
    count(this.tally.verbs, 'restart');
    await this.#judge([], [], () => []);
    for (const by of [0, 1]) await this.register(by);
  }

  #close(): void {
    for (const { db } of this.#stores) db.close();
    this.#eye.close();
  }

  end(): void {
    this.#close();
    rmSync(this.#folder, { recursive: true });
  }

  look() {
    return { rows: this.#watch.rows(), links: this.#watch.links(), attempts: this.#watch.attempts() };
  }

  /** Every property, then the model: all that is broken is told at once. */
  async #judge(calls: readonly Call[], answers: readonly Answer[], expected: () => Answer[]): Promise<void> {
    const former = this.#now!;
    this.#now = this.look();
    const moves = this.#watch.changes().map((change) => ({
      ...change,
      name: nameOf(change),
      id: (change.was ?? change.is)!.id,
    }));
    const { rows, links, attempts } = this.#now;
    const seen = {
      now: this.clock.now(),
      calls,
      answers,
      moves,
      before: byId(former.rows),
      rows: byId(rows),
      linksBefore: former.links,
      links,
      attemptsBefore: former.attempts,
      attempts,
    };
    this.past.note(seen);
    const broken: string[] = [];
    const check = (name: string, rule: () => number) => {
      try {
        count(this.tally.cases, name, rule());
      } catch (error) {
        broken.push(`✗ ${name}: ${(error as Error).message}`);
      }
    };
    const step: Step = { ...seen, past: this.past };
    for (const [name, rule] of PROPERTIES) check(name, () => rule(step));
    check('the answers are those of the model', () => {
      assert.deepEqual(answers.map(sorted), expected().map(sorted));
      return answers.length;
    });
    check('the table is that of the model', () => {
      assert.deepEqual(rows.map(plain), this.model.rows());
      assert.deepEqual(attempts, this.model.kept());
      return rows.length;
    });
    this.#note(moves, rows);
    if (broken.length > 0) throw new Error(broken.join('\n'));
  }

  #note(moves: Step['moves'], rows: readonly Row[]): void {
    for (const { name } of moves) count(this.tally.moves, name);
    this.tally.tables.add(
      rows
        .map((row) => `${row.status[0]}${row.status[1]}${row.attempts}${row.crashes}${row.waitingFor}`)
        .join(' '),
    );
  }
}

async function open(file: string, clock: FakeClock): Promise<SqliteStore> {
  const store = await SqliteStore.open(
    file,
    { mode: 'existing', migrate: false, synchronous: 'normal', patience: 5000 },
    clock,
  );
  // What a power cut leaves is another test's matter: this one only kills.
  store.db.pragma('synchronous = OFF');
  return store;
}

function byId(rows: readonly Row[]): Map<number, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}

/** The model has its own word for the reason, and what a job waited for once means nothing any more. */
function plain(row: Row): Row {
  const error = row.error?.startsWith('The process died ') === true ? CRASHED : row.error;
  return { ...row, error, waitingFor: row.status === 'blocked' ? row.waitingFor : 0 };
}

/** A rescue names its jobs in no order; whoever claims gets them in theirs. */
function sorted(answer: Answer): unknown {
  if (answer === null || typeof answer !== 'object' || !('returned' in answer)) return answer;
  return { returned: answer.returned.toSorted(byNumber), failed: answer.failed.toSorted(byNumber) };
}

function byNumber(a: number, b: number): number {
  return a - b;
}

async function perform(store: SqliteStore, call: Call, clock: FakeClock): Promise<Answer> {
  switch (call.verb) {
    case 'insert':
      return store.insert(call.jobs).catch(refusedOr);
    case 'foreign':
      return store.write(() =>
        Number(
          store.db
            .prepare('INSERT INTO jobs (type, available_at) VALUES (?, ?)')
            .run(call.type, textOf(call.due)).lastInsertRowid,
        ),
      );
    case 'exchange': {
      const { crowded: _, ...told } = await store.exchange(call.settles, call.claim);
      return told;
    }
    case 'cancel':
    case 'revive':
    case 'remove':
      return store[call.verb](call.ids);
    case 'expire':
      return store.expire(call.process);
    case 'beat':
      return store.beat(call.process, '{}');
    case 'signOff':
      await store.signOff(call.process);
      return null;
    case 'register':
      return store.register(identity(call.pid));
    case 'progress':
      await store.progress(call.attempt.id, call.attempt.lease, call.text);
      return null;
    case 'lost':
      return store.lost(call.attempts);
    case 'pause':
      await store.write((now) => preparePauses(store.db).hold(call.queue, 'a test', now));
      return null;
    case 'resume':
      await store.write(() => preparePauses(store.db).release(call.queue));
      return null;
    case 'prune':
      return pruneJobs(store, clock, call);
  }
}

function refusedOr(error: unknown): typeof REFUSED {
  if ((error as { code?: string }).code !== 'UNKNOWN_DEPENDENCY') throw error;
  return REFUSED;
}
