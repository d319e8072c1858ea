/** A cancel of jobs that this process has claimed, but not begun. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newJob } from '../tools/store.ts';
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
