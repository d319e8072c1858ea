/** A cancel of jobs that this process has claimed, but not begun. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { identity, newJob, readAttempts } from '../tools/store.ts';
import { openEngine } from './harness.ts';

test('[26] a job cancelled while it waits behind a slow one never begins', { timeout: 10_000 }, async (t) => {
  const engine = await openEngine(t, {
    jobs: {
      Short: `export default { timeout: 0, async handle({ ms }, { log }) { if (ms !== undefined) log.info('began'); if (ms) await new Promise((r) => setTimeout(r, ms)); } };`,
    },
    hurry: 1,
  });
  const warm = await engine.store.insert(Array.from({ length: 200 }, () => newJob('Short')));
  await engine.ended(warm.at(-1)?.id ?? 0);
  const inserted = await engine.store.insert(
    Array.from({ length: 64 }, (_, i) => newJob('Short', { payload: i === 0 ? '{"ms":500}' : '{"ms":0}' })),
  );
  const [slow = 0, ...others] = inserted.map(({ id }) => id);
  const began: number[] = [];
  engine.events.on('log', ({ id }) => began.push(id));
  await engine.said(slow, 'began');
  const cancelled = others.slice(10, 20);
  const admin = await engine.beside(t);
  await admin.cancel(cancelled);
  await Promise.all(others.filter((id) => !cancelled.includes(id)).map((id) => engine.ended(id)));
  assert.deepEqual(
    began.filter((id) => cancelled.includes(id)),
    [],
  );
  for (const id of cancelled) assert.equal(engine.job(id).status, 'cancelled');
});

test(
  'a running job that is cancelled and retried at once runs its new attempt',
  { timeout: 10_000 },
  async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Short: `export default { timeout: 0, async handle({ ms }, { log, signal, attempt }) {
          if (!ms || attempt > 1) return 'attempt ' + attempt;
          log.info('began');
          await new Promise((r) => signal.addEventListener('abort', r));
        } };`,
      },
      hurry: 1,
    });
    // Known as short: so its new attempt is claimed ahead, while the old one still has the only worker.
    const warm = await engine.store.insert(Array.from({ length: 200 }, () => newJob('Short')));
    await engine.ended(warm.at(-1)?.id ?? 0);
    const id = await engine.add('Short', { ms: 1 });
    await engine.said(id, 'began');
    const admin = await engine.beside(t);
    const completed = engine.events.next('completed', (event) => event.id === id);
    await admin.cancel([id]);
    await admin.revive([id]);
    await completed;
    assert.equal(engine.result(id), 'attempt 2');
  },
);

test(
  'a process that was declared lost ends its old attempts before it claims them again',
  { timeout: 10_000 },
  async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Long: `export default { timeout: 0, maxAttempts: 1, async handle(_, { log, signal, crashes, attempt }) {
          log.info('began');
          await new Promise((r) => { const timer = setTimeout(r, 150); signal.addEventListener('abort', () => { log.info(String(signal.reason.message)); clearTimeout(timer); r(); }); });
          log.info('ended');
        } };`,
      },
      workers: 2,
      hurry: 1,
    });
    const said: string[] = [];
    engine.events.on('log', ({ message }) => said.push(message));
    const id = await engine.add('Long');
    await engine.said(id, 'began');
    await engine.store.expire(engine.dispatcher.process);
    const process = await engine.store.register(identity(2));
    engine.watchdog.takenOver(process);
    const job = await engine
      .ended(id)
      .then(() => engine.events.next('completed', (event) => event.id === id));
    assert.equal(job.attempt, 1);
    assert.deepEqual(said, [
      'began',
      'Another process took this job over: this one gave no sign of life.',
      'ended',
      'began',
      'ended',
    ]);
    assert.deepEqual(
      readAttempts(engine.store, id).map(({ outcome }) => outcome),
      ['crashed'],
    );
  },
);
