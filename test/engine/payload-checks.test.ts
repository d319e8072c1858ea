/** Checks of payloads at dispatch: shared between callers, and never a reason to lose a dispatch. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { PayloadChecks } from '../../src/engine/payload-checks.ts';
import type { CheckRequest } from '../../src/engine/wire.ts';
import { openEngine } from './harness.ts';

const request = (type: string, payload = '{}'): CheckRequest => ({ type, source: 's', payload });

function checks(answer: (one: CheckRequest) => unknown) {
  const asked: string[][] = [];
  const silent: string[] = [];
  const all = new PayloadChecks({
    ask: async (requests) => {
      asked.push(requests.map(({ type }) => type));
      return requests.map(answer);
    },
    silent: (type) => silent.push(type),
  });
  return { all, asked, silent };
}

suite('payload checks', () => {
  test('those that come together share a message; the next wait for its answer', async () => {
    const { all, asked } = checks(({ type }) =>
      type === 'B' ? { problem: 'no' } : { uniqueKey: 'k', more: 1 },
    );
    assert.deepEqual(await Promise.all(['A', 'B', 'A'].map((type) => all.check(request(type)))), [
      { uniqueKey: 'k' },
      { problem: 'no' },
      { uniqueKey: 'k' },
    ]);
    await Promise.all(Array.from({ length: 300 }, () => all.check(request('A'))));
    assert.deepEqual(
      asked.map(({ length }) => length),
      [3, 256, 44],
    );
  });

  test('a type whose code does not answer, or nonsense, is dispatched unchecked and not asked again', async () => {
    for (const answer of [undefined, 'ok', null]) {
      const { all, asked, silent } = checks(({ type }) => {
        if (type === 'Bad' && answer === undefined) throw new Error('thread gone');
        return type === 'Bad' ? answer : { problem: 'no' };
      });
      const verdicts = Promise.all(['A', 'Bad', 'Bad', 'A'].map((type) => all.check(request(type))));
      assert.deepEqual(await verdicts, [{ problem: 'no' }, {}, {}, { problem: 'no' }]);
      assert.deepEqual(silent, ['Bad']);
      assert.deepEqual(asked, [['A', 'Bad', 'Bad', 'A'], ['A'], ['Bad'], ['A']]);
      assert.deepEqual(await all.check(request('Bad')), {});
      assert.equal(asked.length, 4);
    }
  });

  test('a check whose thread went for other reasons is asked for once more', async () => {
    let died = false;
    const { all, silent } = checks(() => {
      if (died) return { problem: 'no' };
      died = true;
      throw new Error('thread gone');
    });
    assert.deepEqual(await all.check(request('A')), { problem: 'no' });
    assert.deepEqual(silent, []);
  });

  test('in a thread, also while every worker is busy; one that spins is ended, and harms no job', async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Strict: `export default {
          schema: { '~standard': { version: 1, vendor: 'x', validate(value) {
            if (value.spin) for (;;);
            return typeof value.id === 'number' ? { value } : { issues: [{ message: 'needed', path: ['id'] }] };
          } } },
          unique: ({ id }) => 'id-' + id,
          handle() {},
        };`,
        Busy: `export default { async handle(_, { log }) { log.info('here'); await new Promise((done) => setTimeout(done, 60_000)); } };`,
        Fixed: `export default { unique: 'one', handle() {} };`,
      },
    });
    const { types } = await engine.pool.describe(5000);
    const [busy, fixed, strict] = types.toSorted((a, b) => a.type.localeCompare(b.type));
    assert.deepEqual([busy?.checked, fixed?.checked, strict?.checked], [false, true, true]);
    const running = await engine.add('Busy');
    await engine.said(running, 'here');

    const ask = (payloads: unknown[], ms = 5000) =>
      engine.pool.check(
        payloads.map((payload) => ({
          type: 'Strict',
          source: strict?.source ?? '',
          payload: JSON.stringify(payload),
        })),
        ms,
      );
    assert.deepEqual(await ask([{ id: 7 }, { id: 'x' }, null]), [
      { uniqueKey: 'id-7' },
      { problem: 'id: needed' },
      { problem: "TypeError: Cannot read properties of null (reading 'spin')" },
    ]);
    const one = { type: 'Fixed', source: fixed?.source ?? '', payload: '{}' };
    assert.deepEqual(await engine.pool.check([one], 5000), [{ uniqueKey: 'one' }]);
    await assert.rejects(ask([{ spin: true }], 100), { name: 'AbortError' });
    assert.deepEqual(await ask([{ id: 7 }]), [{ uniqueKey: 'id-7' }]);
    assert.equal(engine.job(running).status, 'processing');
    assert.deepEqual(engine.deaths, []);
  });
});
