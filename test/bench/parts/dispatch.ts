/**
 * What a dispatch costs beside the bare SQLite write that it needs. Raw is better-sqlite3 on a database of the same
 * schema, with all its indexes and checks, on the same file system: one prepared INSERT that is given type, payload
 * (text) and both times; WAL, `synchronous = FULL`. One by one each row is a commit of its own; in bulk 1,000 rows
 * share one. Raw and passito take turns every few milliseconds: disks have slow seconds.
 */

import { join } from 'node:path';
import Database from 'better-sqlite3';
import type * as Library from '../../../src/library/passito.ts';
import { Bench } from '../measure.ts';
import type { Table } from '../table.ts';

const SLICES = 9;
/** Turns of each in a slice. */
const TURNS = 15;
const SINGLES = 20;
const CALLERS = 64;
const EACH_CALLER = 10;
const BULK = 1000;

const library = join(import.meta.dirname, '..', '..', '..', 'dist', 'lib', 'passito.js');

/** The ways of writing, and how many jobs a turn of each writes. */
const TURN = { raw: SINGLES, one: SINGLES, many: CALLERS * EACH_CALLER, rawBulk: BULK, bulk: BULK };
type Way = keyof typeof TURN;

/** The raw writes, on a database of their own. */
async function openRaw(bench: Bench) {
  await bench.run('migrate');
  const db = new Database(bench.file);
  db.pragma('synchronous = FULL');
  const insert = db.prepare('INSERT INTO jobs (type, payload, available_at, created_at) VALUES (?, ?, ?, ?)');
  const add = (i: number) => {
    const now = new Date().toISOString().replace('T', ' ').slice(0, 23);
    insert.run('Noop', JSON.stringify({ i }), now, now);
  };
  return {
    single: () => {
      for (let i = 0; i < SINGLES; i++) add(i);
    },
    bulk: db.transaction(() => {
      for (let i = 0; i < BULK; i++) add(i);
    }),
    close: () => db.close(),
  };
}

export async function dispatchPart(table: Table): Promise<void> {
  const { JobDispatcher } = (await import(library)) as typeof Library;
  const [here, there] = [new Bench(), new Bench()];
  const raw = await openRaw(there);
  const dispatcher = await JobDispatcher.open(here.file);
  const requests = Array.from({ length: BULK }, (_, i) => ({ type: 'Noop', payload: { i } }));
  const dispatches = async (count: number) => {
    for (let i = 0; i < count; i++) await dispatcher.dispatch('Noop', { i });
  };
  const actions: Record<Way, () => unknown> = {
    raw: raw.single,
    one: () => dispatches(SINGLES),
    many: () => Promise.all(Array.from({ length: CALLERS }, () => dispatches(EACH_CALLER))),
    rawBulk: raw.bulk,
    bulk: () => dispatcher.dispatchMany(requests),
  };
  const rates: Record<Way, number[]> = { raw: [], one: [], many: [], rawBulk: [], bulk: [] };
  for (let slice = 0; slice <= SLICES; slice++) {
    const took: Record<Way, number> = { raw: 0, one: 0, many: 0, rawBulk: 0, bulk: 0 };
    for (let turn = 0; turn < TURNS; turn++) {
      for (const [way, action] of Object.entries(actions) as [Way, () => unknown][]) {
        const began = performance.now();
        await action();
        took[way] += performance.now() - began;
      }
    }
    // The first slice compiles the code.
    if (slice === 0) continue;
    for (const [way, ms] of Object.entries(took) as [Way, number][]) {
      rates[way].push((TURN[way] * TURNS) / (ms / 1000));
    }
  }
  await dispatcher.close();
  raw.close();
  here.remove();
  there.remove();

  const over = (a: number[], b: number[]) => a.map((value, i) => value / (b[i] ?? Number.NaN));
  const none = { text: '' };
  table.tell('raw: one INSERT a commit', '/s', rates.raw, none);
  table.tell('dispatch, one awaited after another', '/s', rates.one, none);
  table.tell('… against raw', '×', over(rates.one, rates.raw), { atLeast: 0.9 });
  table.tell('dispatch, 64 callers at once', '/s', rates.many, none);
  table.tell('… against raw', '×', over(rates.many, rates.raw), { atLeast: 10 });
  table.tell('raw: 1,000 INSERTs a commit', '/s', rates.rawBulk, none);
  table.tell('dispatchMany of 1,000', '/s', rates.bulk, none);
  table.tell('… against raw', '×', over(rates.bulk, rates.rawBulk), { atLeast: 0.6 });
}
