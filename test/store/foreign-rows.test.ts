/** Rows that another program writes with plain SQL are full citizens; bad ones are refused by the table. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';

import type { SqliteStore } from '../../src/store/sqlite/store.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { FakeClock } from '../tools/engine.ts';
import { add, Claimer, COMPLETE, openStore, readJob, temporaryFolder } from '../tools/store.ts';

async function open(
  t: TestContext,
  clock = new FakeClock(),
): Promise<{ store: SqliteStore; clock: FakeClock }> {
  return { store: await openStore(t, clock), clock };
}

/** Runs one statement as another program would, and gives the new row's id. */
function foreign(store: SqliteStore, sql: string): number {
  return Number(store.db.prepare(sql).run().lastInsertRowid);
}

test('a row of type and payload alone is claimed and completed', async (t) => {
  // The table's defaults take the machine's time.
  const store = await openStore(t, systemClock);
  const id = foreign(store, `INSERT INTO jobs (type, payload) VALUES ('Mail', '{"to":"x"}')`);
  const claimer = await Claimer.join(store, ['Mail']);
  const job = await claimer.one();
  assert.equal(job.id, id);
  assert.equal(job.payload, '{"to":"x"}');
  assert.equal(job.maxAttempts, null);
  assert.equal(await claimer.settle(job, COMPLETE), true);
  assert.equal(readJob(store, id)?.status, 'completed');
});

test('a row of the type alone has an empty object as its payload', async (t) => {
  const store = await openStore(t, systemClock);
  foreign(store, `INSERT INTO jobs (type) VALUES ('Mail')`);
  assert.equal((await (await Claimer.join(store, ['Mail'])).one()).payload, '{}');
});

test('a row may be delayed by SQLite itself, with or without milliseconds', async (t) => {
  const { store, clock } = await open(t);
  const claimer = await Claimer.join(store, ['Mail']);
  const insert = (at: string) =>
    foreign(store, `INSERT INTO jobs (type, available_at) VALUES ('Mail', ${at})`);
  const first = insert(`datetime('2026-11-23 08:00:00', '+5 seconds')`);
  const second = insert(`strftime('%Y-%m-%d %H:%M:%f', '2026-11-23 08:00:07.5')`);
  const third = insert(`'2026-11-23 08:01'`);
  assert.equal((await claimer.look()).nextDue, clock.now() + 5000);
  await clock.advance(5000);
  assert.deepEqual(await claimer.ids(), [first]);
  await clock.advance(2500);
  assert.deepEqual(await claimer.ids(), [second]);
  await clock.advance(52_500);
  assert.deepEqual(await claimer.ids(), [third]);
});

const REFUSED: Record<string, string> = {
  'a time with a T': `INSERT INTO jobs (type, available_at) VALUES ('A', '2026-11-23T08:00:00')`,
  'a time that is a number': `INSERT INTO jobs (type, available_at) VALUES ('A', 1790000000)`,
  'a time that is no time': `INSERT INTO jobs (type, available_at) VALUES ('A', 'tomorrow')`,
  'a time with a zone': `INSERT INTO jobs (type, available_at) VALUES ('A', '2026-11-23 08:00:00+05:30')`,
  'a time that does not exist': `INSERT INTO jobs (type, available_at) VALUES ('A', '2027-13-45 99:99:00')`,
  'a priority of 12': `INSERT INTO jobs (type, priority) VALUES ('A', 12)`,
  'a negative priority': `INSERT INTO jobs (type, priority) VALUES ('A', -1)`,
  'a payload that is no JSON': `INSERT INTO jobs (type, payload) VALUES ('A', '{to: x')`,
  'options that are no JSON': `INSERT INTO jobs (type, options) VALUES ('A', 'timeout=5')`,
  'a state of its own': `INSERT INTO jobs (type, status) VALUES ('A', 'queued')`,
  'no type': `INSERT INTO jobs (payload) VALUES ('{}')`,
  'an empty type': `INSERT INTO jobs (type) VALUES ('')`,
  'no attempts at all': `INSERT INTO jobs (type, max_attempts) VALUES ('A', 0)`,
};

for (const [what, sql] of Object.entries(REFUSED)) {
  test(`the table refuses ${what}`, async (t) => {
    const { store } = await open(t);
    assert.throws(() => foreign(store, sql), { code: /^SQLITE_CONSTRAINT/ });
  });
}

test('a unique key of a foreign row counts', async (t) => {
  const store = await openStore(t, systemClock);
  const id = foreign(store, `INSERT INTO jobs (type, unique_key) VALUES ('A', 'k')`);
  assert.equal(await add(store, 'A', { uniqueKey: 'k' }), id);
  assert.throws(() => foreign(store, `INSERT INTO jobs (type, unique_key) VALUES ('A', 'k')`), {
    code: 'SQLITE_CONSTRAINT_UNIQUE',
  });
});

test('a row that says it runs, but that nobody holds, is rescued with the next dead process', async (t) => {
  const { store } = await open(t);
  const nobody = foreign(store, `INSERT INTO jobs (type, status, attempts) VALUES ('A', 'processing', 1)`);
  const gone = foreign(
    store,
    `INSERT INTO jobs (type, status, attempts, claimed_by) VALUES ('A', 'processing', 1, 4711)`,
  );
  const living = await Claimer.join(store, ['A']);
  const held = await add(store, 'A');
  await living.one();
  const dead = await Claimer.join(store, ['A'], 2);
  assert.deepEqual(await store.expire(dead.process), { returned: [nobody, gone], failed: [] });
  assert.equal(readJob(store, held)?.status, 'processing');
  assert.equal(readJob(store, nobody)?.attempts, 0);
});

test('a commit of another connection is noticed within milliseconds', async (t) => {
  const file = `${temporaryFolder(t)}/passito.db`;
  const store = await openStore(t, systemClock, { file });
  const portal = await openStore(t, systemClock, { file });
  await add(store, 'A');
  const heard = new EventTarget();
  store.onChange((change) => heard.dispatchEvent(new Event(change)));
  const waits: number[] = [];
  for (let i = 0; i < 10; i++) {
    const told = new Promise((resolve) => {
      heard.addEventListener('external', resolve, { once: true });
    });
    const from = performance.now();
    foreign(portal, `INSERT INTO jobs (type) VALUES ('Mail')`);
    await told;
    waits.push(performance.now() - from);
  }
  const median = waits.sort((a, b) => a - b)[5] ?? Infinity;
  t.diagnostic(`noticed after ${median.toFixed(2)} ms (median of 10)`);
  // The look every second would take 500 ms on average.
  assert.ok(median > 0 && median < 100, `took ${median} ms`);
});
