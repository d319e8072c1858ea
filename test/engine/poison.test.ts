/** One outcome that the table refuses must not stop the others. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { type Engine, openEngine } from './harness.ts';

const limit = { timeout: 10_000 };
const GOOD = `export default { handle: () => 'good' };`;

/** The engine still works. */
async function stillWorks(engine: Engine): Promise<void> {
  assert.equal((await engine.run('Good')).result, '"good"');
}

suite('jobs that could stop the whole queue', () => {
  test('a handler that dispatches for a year that no table holds', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Far: `export default { maxAttempts: 1, handle: (_, { dispatch }) => void dispatch('Good', {}, { at: new Date(8e15) }) };`,
        Good: GOOD,
      },
    });
    assert.equal((await engine.run('Far')).status, 'failed');
    await stillWorks(engine);
  });

  test('a handler that dispatches JSON too deep for the table', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Deep: `export default { maxAttempts: 1, handle(_, { dispatch }) { let deep = []; for (let i = 0; i < 1500; i++) deep = [deep]; dispatch('Good', deep); } };`,
        Good: GOOD,
      },
    });
    assert.equal((await engine.run('Deep')).status, 'failed');
    await stillWorks(engine);
  });

  for (const options of [
    '{"backoff":{"base":"10s"}}',
    '{"backoff":5}',
    '{"timeout":"x","memoryLimit":[]}',
    '[]',
    '7',
    'null',
    '{"redact":5}',
    '{"redact":[1,null]}',
  ]) {
    test(`a row of another program with the options ${options}`, limit, async (t) => {
      const engine = await openEngine(t, {
        jobs: {
          Bad: `export default { maxAttempts: 2, backoff: { base: '1ms' }, handle({ bad }) { if (bad) throw new Error('no'); } };`,
          Good: GOOD,
        },
      });
      const insert = engine.store.db.prepare(
        `INSERT INTO jobs (type, payload, max_attempts, options) VALUES ('Bad', ?, 2, ?)`,
      );
      const ids = ['{"bad":true}', '{"bad":false}'].map((payload) =>
        Number(insert.run(payload, options).lastInsertRowid),
      );
      engine.dispatcher.wake();
      const [bad] = await Promise.all(ids.map((id) => engine.ended(id)));
      assert.equal(bad?.status, 'failed');
      assert.equal(bad.attempts, 2, "it was tried again by its type's rule");
      assert.equal(bad.lastError, 'no');
      await stillWorks(engine);
    });
  }
});
