/** Stopping: what has begun may finish, what has not goes back, nothing is lost. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { errors } from '../../src/errors.ts';
import { newJob, readAttempts } from '../tools/store.ts';
import { openEngine } from './harness.ts';

const limit = { timeout: 10_000 };
const never = new AbortController().signal;
const WAIT = `export default { timeout: 0, maxAttempts: 1, async handle({ ms }, { log }) { log.info('began'); await new Promise((r) => setTimeout(r, ms)); return 'done'; } };`;

test('[33] a drain lets what runs finish and gives the rest back with its attempt', limit, async (t) => {
  const engine = await openEngine(t, { jobs: { Wait: WAIT }, hurry: 1 });
  const [running, ...rest] = await engine.store.insert(
    Array.from({ length: 4 }, () => newJob('Wait', { payload: '{"ms":200}' })),
  );
  assert.ok(running);
  await engine.said(running.id, 'began');
  await engine.dispatcher.drain(5000, never);
  assert.equal(engine.job(running.id).status, 'completed');
  for (const { id } of rest) {
    assert.equal(engine.job(id).status, 'pending');
    assert.equal(engine.job(id).attempts, 0);
  }
  assert.equal(engine.dispatcher.held, 0);
  assert.equal(engine.deaths.length, 0);
});

test('[33] short jobs that were claimed ahead go back untouched', limit, async (t) => {
  const engine = await openEngine(t, {
    jobs: {
      Short: `export default { maxAttempts: 1, async handle({ ms }, { log }) { if (ms) { log.info('began'); await new Promise((r) => setTimeout(r, ms)); } } };`,
    },
    hurry: 1,
  });
  const warm = await engine.store.insert(Array.from({ length: 200 }, () => newJob('Short')));
  await engine.ended(warm.at(-1)!.id);
  const inserted = await engine.store.insert(
    Array.from({ length: 150 }, (_, i) => newJob('Short', { payload: i === 0 ? '{"ms":300}' : '{}' })),
  );
  const first = inserted[0]!.id;
  await engine.said(first, 'began');
  await engine.dispatcher.drain(5000, never);
  assert.equal(engine.job(first).status, 'completed');
  let back = 0;
  for (const { id } of inserted) {
    const { status, attempts } = engine.job(id);
    assert.ok(status === 'completed' || status === 'pending', status);
    assert.equal(attempts, status === 'completed' ? 1 : 0);
    if (status === 'pending') back++;
  }
  assert.ok(back > 0, 'some had not begun');
  assert.deepEqual(readAttempts(engine.store, inserted.at(-1)!.id), []);
});

for (const [how, handle] of [
  [
    'a long job',
    `async handle(_, { log }) { log.info('began'); await new Promise((r) => setTimeout(r, 60_000)); }`,
  ],
  [
    'while(true){}',
    `async handle(_, { log }) { log.info('began'); await new Promise((r) => setTimeout(r, 5)); while (true) {} }`,
  ],
]) {
  test(`[33] at the deadline ${how} is released with its attempt, due at once`, limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: { Long: `export default { timeout: 0, maxAttempts: 1, ${handle} };` },
      hurry: 1,
    });
    const id = await engine.add('Long');
    await engine.said(id, 'began');
    const released = engine.events.next('released');
    const from = performance.now();
    await engine.dispatcher.drain(100, never);
    const took = performance.now() - from;
    assert.equal((await released).id, id);
    assert.ok(took >= 99 && took < 2000, `${took} ms`);
    const job = engine.job(id);
    assert.equal(job.status, 'pending');
    assert.equal(job.attempts, 0);
    assert.equal(job.crashes, 0);
    assert.equal(engine.dispatcher.held, 0);
  });
}

test('[32] a second stop releases at once', limit, async (t) => {
  const engine = await openEngine(t, { jobs: { Wait: WAIT }, hurry: 1 });
  const id = await engine.add('Wait', { ms: 60_000 });
  await engine.said(id, 'began');
  const second = new AbortController();
  const drained = engine.dispatcher.drain(60_000, second.signal);
  second.abort();
  await drained;
  assert.equal(engine.job(id).status, 'pending');
  assert.equal(engine.job(id).attempts, 0);
});

test('a drain of an idle engine is over at once; nothing is claimed after', limit, async (t) => {
  const engine = await openEngine(t, { jobs: { Wait: WAIT } });
  await engine.dispatcher.drain(60_000, never);
  const id = await engine.add('Wait', { ms: 0 });
  engine.dispatcher.wake();
  await engine.store.progress(id, 0, '{}');
  assert.equal(engine.job(id).status, 'pending');
});

test('jobs that come during a drain are left alone', limit, async (t) => {
  const engine = await openEngine(t, { jobs: { Wait: WAIT }, workers: 2, hurry: 1 });
  const id = await engine.add('Wait', { ms: 150 });
  await engine.said(id, 'began');
  const drained = engine.dispatcher.drain(60_000, never);
  const late = await engine.add('Wait', { ms: 0 });
  await drained;
  assert.equal(engine.job(id).status, 'completed');
  assert.equal(engine.job(late).attempts, 0);
});

test('[49] a store that fails for a while loses no outcome', limit, async (t) => {
  const engine = await openEngine(t, { jobs: { Wait: WAIT }, hurry: 20, expectTrouble: true });
  const id = await engine.add('Wait', { ms: 50 });
  await engine.said(id, 'began');
  const { exchange } = engine.store;
  let failures = 0;
  engine.store.exchange = () => {
    failures++;
    return Promise.reject(errors.databaseFull('passito.db'));
  };
  for (let i = 0; i < 3; i++) await engine.events.next('trouble');
  engine.store.exchange = exchange;
  const job = await engine.ended(id);
  assert.equal(job.status, 'completed');
  assert.equal(job.result, '"done"');
  assert.ok(failures >= 3 && failures < 50, `${failures} tries`);
});

test('[49] the disk fills up while an odd outcome is being looked for: nothing is lost', limit, async (t) => {
  const engine = await openEngine(t, { jobs: { Wait: WAIT }, workers: 2, hurry: 20, expectTrouble: true });
  const ids = [await engine.add('Wait', { ms: 50 }), await engine.add('Wait', { ms: 50 })];
  await engine.said(ids[0] ?? 0, 'began');
  const { exchange } = engine.store;
  const all = Promise.all(ids.map((id) => engine.ended(id)));
  let calls = 0;
  engine.store.exchange = (settles, claim) => {
    if (settles.length === 0 || calls > 5) return exchange.call(engine.store, settles, claim);
    calls++;
    return Promise.reject(calls === 1 ? new RangeError('odd') : errors.databaseFull('passito.db'));
  };
  for (const job of await all) assert.equal(job.status, 'completed');
  assert.ok(calls > 5);
});

test('a claim that was under way when the stop began starts nothing', limit, async (t) => {
  const engine = await openEngine(t, { jobs: { Wait: WAIT }, hurry: 1, started: false });
  const id = await engine.add('Wait', { ms: 50 });
  const { store } = engine;
  const exchange = store.exchange.bind(store);
  const claimed = Promise.withResolvers<void>();
  const free = Promise.withResolvers<void>();
  store.exchange = async (settles, claim) => {
    const done = await exchange(settles, claim);
    if (done.claimed.length > 0) {
      claimed.resolve();
      await free.promise;
    }
    return done;
  };
  const began: unknown[] = [];
  engine.events.on('launched', (event) => began.push(event));
  engine.dispatcher.start();
  await claimed.promise;
  const drained = engine.dispatcher.drain(5000, never);
  free.resolve();
  assert.equal(await drained, true);
  assert.deepEqual(began, []);
  const { status, attempts, crashes } = engine.job(id);
  assert.deepEqual({ status, attempts, crashes }, { status: 'pending', attempts: 0, crashes: 0 });
});
