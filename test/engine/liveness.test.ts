/** Leases by monotonic time, and chores that hold each other up in nothing. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';

import { type EventMap, Events } from '../../src/engine/events.ts';
import { HEARTBEAT_MS, LEASE_MS, Liveness, type Presence } from '../../src/engine/liveness.ts';
import { Maintenance } from '../../src/engine/maintenance.ts';
import type { SqliteStore } from '../../src/store/sqlite/store.ts';
import { FakeClock, turn } from '../tools/engine.ts';
import { add, Claimer, COMPLETE, identity, openStore, readJob } from '../tools/store.ts';

/** One process's liveness on a store; what it knows of others is set by the test. */
function member(store: SqliteStore, clock: FakeClock, pid: number, presence: (pid: number) => Presence) {
  const events = new Events();
  const rescued: EventMap['rescued'][] = [];
  const renamed: number[] = [];
  const buried: number[] = [];
  events.on('rescued', (event) => rescued.push(event));
  const { info: _, ...who } = identity(pid);
  const liveness = new Liveness({
    store,
    clock,
    events,
    identity: who,
    presence: (record) => presence(record.pid),
    buried: ({ pid: gone }) => buried.push(gone),
    info: async () => '{}',
    renamed: (id) => renamed.push(id),
  });
  return { liveness, rescued, renamed, buried };
}

async function open(t: TestContext) {
  const clock = new FakeClock();
  return { clock, store: await openStore(t, clock) };
}

test('figures of the specification', () => {
  assert.equal(HEARTBEAT_MS, 5000);
  assert.equal(LEASE_MS, 30_000);
});

test('[11] a start takes the jobs of a dead process on this host back at once', async (t) => {
  const { clock, store } = await open(t);
  const dead = await Claimer.join(store, ['A'], 1);
  const id = await add(store, 'A');
  await dead.one();
  const { liveness, rescued } = member(store, clock, 2, () => 'gone');
  await liveness.start();
  assert.deepEqual(rescued, [{ process: dead.process, pid: 1, returned: [id], failed: [] }]);
  assert.equal(readJob(store, id)?.status, 'pending');
  await liveness.rescue();
  assert.equal(rescued.length, 1, 'once');
});

test('a row that says it runs, but that nobody holds, is taken back at a start', async (t) => {
  const { clock, store } = await open(t);
  const { lastInsertRowid } = store.db
    .prepare(`INSERT INTO jobs (type, status, attempts) VALUES ('A', 'processing', 1)`)
    .run();
  const { liveness } = member(store, clock, 2, () => 'gone');
  await liveness.start();
  assert.equal(readJob(store, Number(lastInsertRowid))?.status, 'pending');
});

for (const presence of ['here', 'elsewhere'] as const) {
  test(`a lease lapses after 30 s of an unchanged heartbeat, seen by a witness (${presence})`, async (t) => {
    const { clock, store } = await open(t);
    const frozen = await Claimer.join(store, ['A'], 1);
    const id = await add(store, 'A');
    const attempt = await frozen.one();
    const { liveness, rescued } = member(store, clock, 2, () => presence);
    await liveness.start();
    for (let seconds = 5; seconds < 30; seconds += 5) {
      await clock.advance(5000);
      await liveness.rescue();
      assert.equal(readJob(store, id)?.status, 'processing', `after ${seconds} s`);
    }
    await clock.advance(5000);
    await liveness.rescue();
    assert.equal(rescued.length, 1);
    assert.equal(readJob(store, id)?.status, 'pending');
    assert.equal(await frozen.settle(attempt, COMPLETE), false, '[14]');
  });
}

test('[18] a process that renews its lease keeps its jobs, however long they run', async (t) => {
  const { clock, store } = await open(t);
  const busy = member(store, clock, 1, () => 'here');
  const process = await busy.liveness.start();
  const id = await add(store, 'A');
  const attempt = await new Claimer(store, process, ['A']).one();
  const { liveness, rescued } = member(store, clock, 2, () => 'here');
  await liveness.start();
  for (let beat = 0; beat < 200; beat++) {
    await clock.advance(5000);
    if (beat % 4 === 0) await busy.liveness.beat();
    await liveness.rescue();
  }
  assert.deepEqual(rescued, []);
  assert.equal(await new Claimer(store, process, ['A']).settle(attempt, COMPLETE), true);
  assert.equal(readJob(store, id)?.attempts, 1);
});

test('a wall clock that jumps, either way, harms nobody', async (t) => {
  const { clock, store } = await open(t);
  const busy = member(store, clock, 1, () => 'here');
  await busy.liveness.start();
  const { liveness, rescued } = member(store, clock, 2, () => 'here');
  await liveness.start();
  for (const jump of [86_400_000, -2 * 86_400_000, 3_600_000, -1]) {
    clock.jump(jump);
    await liveness.rescue();
    await clock.advance(5000);
    await busy.liveness.beat();
    await liveness.rescue();
  }
  assert.deepEqual(rescued, []);
});

test('[49] while nobody can write, nobody is blamed for it, nor in the moment after', async (t) => {
  const { clock, store } = await open(t);
  const busy = member(store, clock, 1, () => 'here');
  await busy.liveness.start();
  const { liveness, rescued } = member(store, clock, 2, () => 'here');
  await liveness.start();
  store.db.exec(`CREATE TEMP TRIGGER full BEFORE UPDATE ON processes BEGIN SELECT RAISE(ABORT, 'full'); END`);
  for (let seconds = 0; seconds < 120; seconds += 5) {
    await clock.advance(5000);
    await assert.rejects(busy.liveness.beat(), /full/);
    await assert.rejects(liveness.beat(), /full/);
    await liveness.rescue();
  }
  store.db.exec('DROP TRIGGER full');
  // Who looks first would have taken the jobs of all others.
  await liveness.rescue();
  assert.deepEqual(rescued, []);
  await clock.advance(5000);
  await busy.liveness.beat();
  await liveness.rescue();
  assert.deepEqual([rescued, busy.renamed], [[], []]);
});

test('a witness that was frozen itself does not blame the others', async (t) => {
  const { clock, store } = await open(t);
  const busy = member(store, clock, 1, () => 'here');
  await busy.liveness.start();
  const { liveness, rescued } = member(store, clock, 2, () => 'here');
  await liveness.start();
  clock.freeze(3_600_000);
  await busy.liveness.beat();
  await liveness.rescue();
  assert.deepEqual(rescued, []);
});

test('[15] a process that slept past its lease registers anew, and its old claim stays lost', async (t) => {
  const { clock, store } = await open(t);
  const sleeper = member(store, clock, 1, () => 'here');
  const old = await sleeper.liveness.start();
  const id = await add(store, 'A');
  const stale = await new Claimer(store, old, ['A']).one();
  const { liveness } = member(store, clock, 2, () => 'here');
  await liveness.start();
  await clock.advance(LEASE_MS);
  await liveness.rescue();
  await sleeper.liveness.beat();
  const fresh = sleeper.liveness.id;
  assert.notEqual(fresh, old);
  assert.deepEqual(sleeper.renamed, [fresh]);
  assert.equal(await new Claimer(store, old, ['A']).settle(stale, COMPLETE), false);
  assert.equal((await new Claimer(store, fresh, ['A']).one()).id, id);
  await sleeper.liveness.beat();
  assert.deepEqual(sleeper.renamed, [fresh], 'once');
});

test('a process that said goodbye is not rescued, nor one that was lost before', async (t) => {
  const { clock, store } = await open(t);
  const polite = member(store, clock, 1, () => 'here');
  await polite.liveness.start();
  await polite.liveness.stop();
  const lost = await store.register(identity(3));
  await store.expire(lost);
  const { liveness, rescued } = member(store, clock, 2, () => 'gone');
  await liveness.start();
  await clock.advance(60_000);
  await liveness.rescue();
  assert.deepEqual(rescued, []);
});

test('a heartbeat that is late, behind the goodbye, brings the process not back', async (t) => {
  const { clock, store } = await open(t);
  const { liveness } = member(store, clock, 1, () => 'here');
  await liveness.start();
  const late = liveness.beat();
  await liveness.stop();
  await late;
  await liveness.beat();
  assert.deepEqual(
    (await store.processes()).map(({ stoppedAt }) => stoppedAt !== null),
    [true],
  );
});

test('a process never rescues itself, also where its own pid seems gone', async (t) => {
  const { clock, store } = await open(t);
  const { liveness, rescued } = member(store, clock, 2, () => 'gone');
  await liveness.start();
  await clock.advance(60_000);
  await liveness.rescue();
  assert.deepEqual(rescued, []);
});

/** Chores on a fake clock. */
function chores(...given: { name: string; every: number; run: () => unknown }[]) {
  const clock = new FakeClock();
  const events = new Events();
  const troubles: EventMap['trouble'][] = [];
  events.on('trouble', (event) => troubles.push(event));
  return { clock, troubles, maintenance: new Maintenance(given, clock, events) };
}

test('each chore runs every so often, counted from the end of its last run', async () => {
  const ran: string[] = [];
  const { clock, maintenance } = chores(
    { name: 'a', every: 1000, run: () => ran.push('a') },
    { name: 'b', every: 2500, run: () => ran.push('b') },
  );
  maintenance.start();
  await clock.advance(4900);
  assert.equal(ran.join(''), 'aabaa');
  await clock.advance(300);
  assert.deepEqual(ran.slice(5).sort(), ['a', 'b']);
});

test('a chore that fails is told of and runs again; one that hangs holds up no other', async () => {
  let hung = 0;
  let good = 0;
  const { clock, troubles, maintenance } = chores(
    { name: 'rescue', every: 1000, run: () => Promise.reject(new Error('locked')) },
    {
      name: 'checkpoint',
      every: 1000,
      run: () => {
        throw new Error('disk full');
      },
    },
    { name: 'backup', every: 1000, run: () => (hung++, new Promise(() => undefined)) },
    { name: 'prune', every: 1000, run: () => good++ },
  );
  maintenance.start();
  await clock.advance(3000);
  assert.equal(good, 3);
  assert.equal(hung, 1, 'it is not started a second time while it runs');
  assert.equal(troubles.length, 6);
  assert.deepEqual(new Set(troubles.map(({ where }) => where)), new Set(['rescue', 'checkpoint']));
});

test('after a stop no chore begins, also where one was just running', async () => {
  let release: () => void = () => undefined;
  let ran = 0;
  const { clock, maintenance } = chores({
    name: 'a',
    every: 1000,
    run: () =>
      new Promise<void>((resolve) => {
        ran++;
        release = resolve;
      }),
  });
  maintenance.start();
  await clock.advance(1000);
  maintenance.stop();
  release();
  await turn();
  assert.equal(clock.timers, 0);
  await clock.advance(10_000);
  assert.equal(ran, 1);
});

test('two heartbeats at once of a process that was declared lost register it once', async (t) => {
  const { clock, store } = await open(t);
  const { liveness, renamed } = member(store, clock, 1, () => 'here');
  const first = await liveness.start();
  await store.expire(first);
  await Promise.all([liveness.beat(), liveness.beat()]);
  assert.equal(renamed.length, 1);
  assert.equal((await store.processes()).length, 2);
  assert.equal(liveness.id, renamed[0]);
});

test('a heartbeat that is asked for while one is under way tells what is new', async (t) => {
  const { clock, store } = await open(t);
  const events = new Events();
  const { info: _, ...who } = identity(1);
  let told = 0;
  const liveness = new Liveness({
    store,
    clock,
    events,
    identity: who,
    presence: () => 'here',
    buried: () => undefined,
    info: async () => JSON.stringify({ told: ++told }),
    renamed: () => undefined,
  });
  await liveness.start();
  await Promise.all([liveness.beat(), liveness.beat(), liveness.beat()]);
  const [process] = await store.processes();
  assert.deepEqual(
    [process?.info, told],
    ['{"told":3}', 3],
    'registered, the first, and one for both others',
  );
});
