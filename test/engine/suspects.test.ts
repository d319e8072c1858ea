/** After a crash: suspects first and alone, and the queue goes on. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Claimer, newJob } from '../tools/store.ts';
import { type Engine, openEngine } from './harness.ts';

const limit = { timeout: 10_000 };
const SPAN = `export default { timeout: 0, async handle({ ms = 20 }) { const now = () => performance.timeOrigin + performance.now();
  const from = now(); await new Promise((r) => setTimeout(r, ms)); return [from, now()]; } };`;

/** Another process claims all that is there, and dies, so many times. */
async function crash(engine: Engine, times = 1): Promise<void> {
  for (let n = 0; n < times; n++) {
    const victim = await Claimer.join(engine.store, ['Span', 'Other'], 1000 + n);
    while ((await victim.claim()).length > 0);
    await engine.store.expire(victim.process);
  }
}

const span = (engine: Engine, id: number) => engine.result(id) as [number, number];

test('suspects run first and one at a time, then the others together', limit, async (t) => {
  const engine = await openEngine(t, { jobs: { Span: SPAN }, workers: 3, started: false, hurry: 1 });
  const suspects = await engine.store.insert(Array.from({ length: 3 }, () => newJob('Span')));
  await crash(engine);
  const others = await engine.store.insert(Array.from({ length: 3 }, () => newJob('Span', { priority: 9 })));
  const all = Promise.all([...suspects, ...others].map(({ id }) => engine.ended(id)));
  engine.dispatcher.start();
  await all;
  const spans = suspects.map(({ id }) => span(engine, id)).sort((a, b) => a[0] - b[0]);
  for (let i = 1; i < spans.length; i++) {
    assert.ok(spans[i]![0] >= spans[i - 1]![1] - 1, 'two suspects at once');
  }
  for (const { id } of others) {
    assert.ok(span(engine, id)[0] >= spans[2]![1] - 1, 'another one ran beside a suspect');
  }
  for (const { id } of suspects) assert.equal(engine.job(id).attempts, 1, '[17]');
});

test('a long suspect does not hold the queue up for longer than its time alone', limit, async (t) => {
  const engine = await openEngine(t, {
    jobs: { Span: SPAN, Other: SPAN },
    workers: 2,
    started: false,
    hurry: 20,
  });
  const long = await engine.add('Span', { ms: 1500 });
  await crash(engine);
  const other = await engine.add('Other');
  engine.dispatcher.start();
  await engine.ended(other);
  assert.equal(engine.job(long).status, 'processing', 'it still runs');
  assert.equal((await engine.ended(long)).status, 'completed');
  assert.ok(span(engine, other)[0] > span(engine, long)[0]);
});

test('after a second crash a suspect runs strictly alone, to its end', limit, async (t) => {
  const engine = await openEngine(t, {
    jobs: { Span: SPAN, Other: SPAN },
    workers: 2,
    started: false,
    hurry: 200,
  });
  const twice = await engine.add('Span', { ms: 300 });
  await crash(engine, 2);
  const other = await engine.add('Other', {}, { priority: 9 });
  engine.dispatcher.start();
  await engine.ended(other);
  assert.ok(span(engine, other)[0] >= span(engine, twice)[1] - 1);
});

test('a job of hours holds neither a suspect nor, because of it, the queue for ever', limit, async (t) => {
  const engine = await openEngine(t, {
    jobs: { Span: SPAN, Other: SPAN },
    workers: 2,
    started: false,
    hurry: 20,
  });
  const long = await engine.add('Other', { ms: 1500 });
  engine.dispatcher.start();
  await engine.events.next('launched');
  const twice = await engine.add('Span', {}, { delay: 100 });
  engine.store.db.prepare('UPDATE jobs SET crashes = 2 WHERE id = ?').run(twice);
  await new Promise((resolve) => {
    setTimeout(resolve, 150);
  });
  const other = await engine.add('Other', { ms: 1 });
  await engine.ended(other);
  assert.equal(engine.job(long).status, 'processing', 'the queue goes on beside it');
  assert.equal(engine.job(twice).status, 'pending');
  await engine.ended(twice);
  assert.ok(span(engine, twice)[0] >= span(engine, long)[1] - 1, 'and the suspect ran alone');
});

test('a suspect that comes while others run waits for its turn, and is not forgotten', limit, async (t) => {
  const engine = await openEngine(t, {
    jobs: { Span: SPAN, Other: SPAN },
    workers: 2,
    started: false,
    hurry: 200,
  });
  const twice = await engine.add('Span');
  await crash(engine, 2);
  engine.store.db
    .prepare(`UPDATE jobs SET available_at = strftime('%Y-%m-%d %H:%M:%f', 'now', '+0.1 seconds')`)
    .run();
  const running = await engine.add('Other', { ms: 250 });
  engine.dispatcher.start();
  await engine.ended(twice);
  assert.ok(span(engine, twice)[0] >= span(engine, running)[1] - 1);
});

test(
  'a suspect whose own attempt fails is tried again, and the others are not held up meanwhile',
  limit,
  async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Span: `export default { backoff: { base: '150ms' }, handle(_, { attempt }) { if (attempt === 1) throw new Error('once'); } };`,
        Other: SPAN,
      },
      started: false,
      hurry: 1,
    });
    const suspect = await engine.add('Span');
    await crash(engine);
    const other = await engine.add('Other', { ms: 1 });
    engine.dispatcher.start();
    await engine.ended(other);
    assert.equal(engine.job(suspect).status, 'pending');
    const job = await engine.ended(suspect);
    assert.equal(job.status, 'completed');
    assert.equal(job.attempts, 2);
  },
);

test(
  'a process that was declared lost drops its outcomes and claims again once it is registered',
  limit,
  async (t) => {
    const engine = await openEngine(t, { jobs: { Span: SPAN }, hurry: 1, started: false });
    const id = await engine.add('Span', { ms: 150 });
    engine.dispatcher.start();
    await engine.events.next('launched');
    const lost = engine.events.next('lost');
    await engine.store.expire(engine.dispatcher.process);
    assert.equal((await lost).id, id);
    assert.equal(engine.job(id).status, 'pending', '[14]');
    engine.dispatcher.process = await engine.store.register({
      pid: 1,
      host: 'here',
      bootId: 'b',
      startTime: 's',
      kind: 'supervisor',
      info: '{}',
    });
    engine.dispatcher.wake();
    const job = await engine.ended(id);
    assert.equal(job.status, 'completed');
    assert.equal(job.crashes, 1);
  },
);
