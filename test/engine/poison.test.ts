/** One outcome that the table refuses must not stop the others. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

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
    '{"backoff":{"base":1e300,"factor":1,"max":1e300}}',
    '{"backoff":{"base":0,"factor":1e308,"max":10}}',
    '{"backoff":{"base":0,"factor":1e308,"max":0}}',
    // For SQLite JSON ends there.
    '{"timeout":5}\0x',
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

  test('a parent whose result another program wrote, and not as JSON', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: { Child: `export default { handle: (_, { dependencies }) => dependencies };`, Good: GOOD },
    });
    const parent = Number(
      engine.store.db
        .prepare(`INSERT INTO jobs (type, status, result) VALUES ('Good', 'completed', 'by hand')`)
        .run().lastInsertRowid,
    );
    const child = await engine.run('Child', {}, { dependsOn: [parent] });
    assert.deepEqual(engine.result(child.id), [{ id: parent, type: 'Good', result: 'by hand' }]);
    await stillWorks(engine);
  });

  const most = '9223372036854775807';
  for (const column of ['lease', 'attempts', 'crashes']) {
    for (const value of [most, `-${most}`]) {
      test(`a row whose ${column} another program set to ${value}`, limit, async (t) => {
        const engine = await openEngine(t, {
          jobs: { Bad: `export default { handle() {} };`, Good: GOOD },
        });
        engine.store.db.exec(`INSERT INTO jobs (type, ${column}) VALUES ('Bad', ${value})`);
        engine.store.db.exec(
          `INSERT INTO jobs (type, status, ${column}) VALUES ('Bad', 'processing', ${value}), ('Bad', 'blocked', ${value}), ('Bad', 'failed', ${value})`,
        );
        await engine.store.expire(0);
        await engine.store.revive(
          engine.store.db.prepare<[], number>(`SELECT id FROM jobs WHERE status = 'failed'`).pluck().all(),
        );
        engine.dispatcher.wake();
        await stillWorks(engine);
        await engine.settled('Bad');
      });
    }
  }

  test('attempts below none are none: it is not tried without a pause', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Red: `export default { maxAttempts: 2, backoff: { base: '1ms' }, handle() { throw new Error('no'); } };`,
        Good: GOOD,
      },
    });
    const id = Number(
      engine.store.db.prepare(`INSERT INTO jobs (type, attempts) VALUES ('Red', -1000000)`).run()
        .lastInsertRowid,
    );
    engine.dispatcher.wake();
    assert.equal((await engine.ended(id)).attempts, 2);
  });

  test('a child that waits for absurdly few parents', limit, async (t) => {
    const engine = await openEngine(t, { jobs: { Good: GOOD }, started: false });
    const parent = await engine.add('Good');
    const child = await engine.add('Good', {}, { dependsOn: [parent] });
    engine.store.db.exec(`UPDATE jobs SET waiting_for = -${most} WHERE id = ${child}`);
    engine.dispatcher.start();
    assert.equal((await engine.ended(child)).status, 'completed');
  });

  test('a due time that nobody can read makes no hot loop', limit, async (t) => {
    const engine = await openEngine(t, { jobs: { Good: GOOD } });
    engine.store.db.exec(
      `INSERT INTO jobs (type, available_at) VALUES ('Good', '2099-01-01 00:00:00' || char(0))`,
    );
    const claims = countClaims(engine);
    engine.dispatcher.wake();
    await sleep(300);
    assert.ok(claims() < 10, `${claims()} claims`);
    await stillWorks(engine);
  });

  test(
    'a claim that the table refuses is not asked for again and again without a pause',
    limit,
    async (t) => {
      const engine = await openEngine(t, { jobs: { Good: GOOD }, expectTrouble: true });
      const { store } = engine;
      const exchange = store.exchange.bind(store);
      const claims = countClaims(engine);
      const counted = store.exchange.bind(store);
      store.exchange = async (settles, claim) => {
        await counted(settles, null);
        if (claim !== null) throw new RangeError('nobody can read this row');
        return exchange(settles, claim);
      };
      engine.dispatcher.wake();
      await sleep(300);
      store.exchange = exchange;
      assert.ok(claims() < 10, `${claims()} claims`);
      await stillWorks(engine);
    },
  );
});

/** How many claims there have been. */
function countClaims({ store }: Engine): () => number {
  const exchange = store.exchange.bind(store);
  let claims = 0;
  store.exchange = (settles, claim) => {
    claims += 1;
    return exchange(settles, claim);
  };
  return () => claims;
}
