/**
 * What a dispatch costs beside the bare SQLite write that it needs. Raw is better-sqlite3 on a database of the same
 * schema, with all its indexes and checks, on the same file system: one prepared INSERT that is given type, payload
 * (text) and both times; WAL, `synchronous = FULL`. One by one each row is a commit of its own; in bulk 1,000 rows
 * share one. Slices of raw and of passito alternate.
 */

import { join } from 'node:path';
import Database from 'better-sqlite3';
import type * as Library from '../../../src/library/passito.ts';
import { Bench } from '../measure.ts';
import type { Table } from '../table.ts';

const SLICES = 9;
const SINGLES = 300;
const CALLERS = 64;
const BULK = 1000;
const BULKS = 5;

const library = join(import.meta.dirname, '..', '..', '..', 'dist', 'lib', 'passito.js');

/** Runs `action`, which writes `count` jobs, and gives jobs a second. */
async function rate(count: number, action: () => unknown): Promise<number> {
  const began = performance.now();
  await action();
  return count / ((performance.now() - began) / 1000);
}

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
  const rates = { raw: [], one: [], many: [], rawBulk: [], bulk: [] } as Record<string, number[]>;
  const requests = Array.from({ length: BULK }, (_, i) => ({ type: 'Noop', payload: { i } }));
  const one = async () => {
    for (let i = 0; i < SINGLES; i++) await dispatcher.dispatch('Noop', { i });
  };
  for (let slice = 0; slice <= SLICES; slice++) {
    const now = {
      raw: await rate(SINGLES, raw.single),
      one: await rate(SINGLES, one),
      many: await rate(SINGLES * CALLERS, () => Promise.all(Array.from({ length: CALLERS }, one))),
      rawBulk: await rate(BULK * BULKS, () => {
        for (let i = 0; i < BULKS; i++) raw.bulk();
      }),
      bulk: await rate(BULK * BULKS, async () => {
        for (let i = 0; i < BULKS; i++) await dispatcher.dispatchMany(requests);
      }),
    };
    // The first slice compiles the code.
    if (slice > 0) for (const [name, value] of Object.entries(now)) rates[name]?.push(value);
  }
  await dispatcher.close();
  raw.close();
  here.remove();
  there.remove();

  const { raw: single = [], one: ones = [], many = [], rawBulk = [], bulk = [] } = rates;
  const over = (a: number[], b: number[]) => a.map((value, i) => value / (b[i] ?? Number.NaN));
  const none = { text: '' };
  table.tell('raw: one INSERT a commit', '/s', single, none);
  table.tell('dispatch, one awaited after another', '/s', ones, none);
  table.tell('… against raw', '×', over(ones, single), { atLeast: 0.9 });
  table.tell('dispatch, 64 callers at once', '/s', many, none);
  table.tell('… against raw', '×', over(many, single), { atLeast: 10 });
  table.tell('raw: 1,000 INSERTs a commit', '/s', rawBulk, none);
  table.tell('dispatchMany of 1,000', '/s', bulk, none);
  table.tell('… against raw', '×', over(bulk, rawBulk), { atLeast: 0.6 });
}
