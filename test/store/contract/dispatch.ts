/** Dispatch: all or nothing, unique keys, parents that must be there. */

import assert from 'node:assert/strict';

import { formatTime } from '../../../src/engine/clock.ts';
import { MORNING } from '../../tools/engine.ts';
import { add, Claimer, COMPLETE, newJob } from '../../tools/store.ts';
import type { Check } from '../contract.ts';

export function dispatchContract(check: Check): void {
  check('a job is kept as it was given', async ({ store, job }) => {
    const [inserted] = await store.insert([
      newJob('Mail', {
        payload: '{"to":"ä😀"}',
        queue: 'mail',
        priority: 7,
        maxAttempts: 5,
        delay: 90_000,
        uniqueKey: 'k',
        options: '{"timeout":1000}',
      }),
    ]);
    assert.ok(inserted);
    assert.equal(inserted.existing, false);
    assert.deepEqual(job(inserted.id), {
      id: inserted.id,
      type: 'Mail',
      status: 'pending',
      payload: '{"to":"ä😀"}',
      queue: 'mail',
      priority: 7,
      attempts: 0,
      maxAttempts: 5,
      crashes: 0,
      availableAt: formatTime(MORNING + 90_000),
      createdAt: formatTime(MORNING),
      startedAt: null,
      finishedAt: null,
      lastError: null,
      result: null,
      uniqueKey: 'k',
      options: '{"timeout":1000}',
      progress: null,
      waitingFor: 0,
      claimedBy: null,
    });
  });

  check(
    'without a time a job is due at once; an absolute time is kept to the millisecond',
    async ({ store, job }) => {
      assert.equal(job(await add(store, 'A'))?.availableAt, formatTime(MORNING));
      const at = MORNING + 123_456_789;
      assert.equal(job(await add(store, 'A', { availableAt: at }))?.availableAt, formatTime(at));
    },
  );

  check('an empty batch is fine', async ({ store, all }) => {
    assert.deepEqual(await store.insert([]), []);
    assert.deepEqual(all(), []);
  });

  check('ids grow and are never used again, not even after a removal', async ({ store }) => {
    const first = await add(store, 'A');
    const second = await add(store, 'A');
    assert.ok(second > first);
    await store.remove([second]);
    assert.ok((await add(store, 'A')) > second);
  });

  check('[8] a bulk dispatch with one bad job leaves nothing', async ({ store, all }) => {
    const batch = [newJob('A'), newJob('B'), newJob('C', { dependsOn: [4711] })];
    await assert.rejects(store.insert(batch), { code: 'UNKNOWN_DEPENDENCY', message: /#4711/ });
    assert.deepEqual(all(), []);
  });

  check('[7] a refused dispatch leaves those of the same turn alone', async ({ store, all }) => {
    const [good, bad, other] = await Promise.allSettled([
      store.insert([newJob('A'), newJob('A')]),
      store.insert([newJob('A'), newJob('A', { dependsOn: [4711] })]),
      store.insert([newJob('A')]),
    ]);
    assert.equal(good?.status, 'fulfilled');
    assert.equal(bad?.status, 'rejected');
    assert.equal(other?.status, 'fulfilled');
    assert.equal(all().length, 3);
  });

  check('a unique key gives back the job that holds it, within its type', async ({ store, all }) => {
    const [first] = await store.insert([newJob('A', { uniqueKey: 'x' })]);
    const [second] = await store.insert([newJob('A', { uniqueKey: 'x' })]);
    assert.deepEqual(second, { id: first?.id, existing: true });
    const [elsewhere] = await store.insert([newJob('B', { uniqueKey: 'x' })]);
    assert.equal(elsewhere?.existing, false);
    const twins = await store.insert([newJob('A', { uniqueKey: 'y' }), newJob('A', { uniqueKey: 'y' })]);
    assert.equal(twins[0]?.id, twins[1]?.id);
    assert.deepEqual(
      twins.map(({ existing }) => existing),
      [false, true],
    );
    assert.equal(all().length, 3);
  });

  check('a unique key is held while blocked, pending and processing, and free after', async ({ store }) => {
    const claimer = await Claimer.join(store, ['A', 'P']);
    const parent = await add(store, 'P');
    const [first] = await store.insert([newJob('A', { uniqueKey: 'x', dependsOn: [parent] })]);
    const again = async () => (await store.insert([newJob('A', { uniqueKey: 'x' })]))[0];
    assert.equal((await again())?.id, first?.id, 'blocked');
    await claimer.work(COMPLETE);
    assert.equal((await again())?.id, first?.id, 'pending');
    const running = await claimer.one();
    assert.equal((await again())?.id, first?.id, 'processing');
    await claimer.settle(running, COMPLETE);
    assert.notEqual((await again())?.id, first?.id, 'completed');
  });

  check('two processes that dispatch one unique key at once make one job', async ({ store, again, all }) => {
    const other = await again();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? store : other).insert([newJob('A', { uniqueKey: 'x' })]),
      ),
    );
    assert.equal(new Set(answers.flat().map(({ id }) => id)).size, 1);
    assert.equal(answers.flat().filter(({ existing }) => !existing).length, 1);
    assert.equal(all().length, 1);
  });

  check(
    '[40] a job that waits for itself, or for a later one of its batch, is refused whole',
    async ({ store, all }) => {
      const waits = (index: number) => newJob('A', { dependsOn: [{ index }] });
      await assert.rejects(store.insert([waits(0)]));
      await assert.rejects(store.insert([waits(1), waits(0)]));
      await assert.rejects(store.insert([newJob('A'), waits(2), newJob('A')]));
      await assert.rejects(store.insert([newJob('A'), waits(-1)]));
      await assert.rejects(store.insert([newJob('A', { dependsOn: [1] })]), 'the id that it is about to get');
      assert.deepEqual(all(), []);
    },
  );

  check('a change is told, to the process itself and to others', async ({ store, again }) => {
    const other = await again();
    const heard: string[] = [];
    const inside = new Promise<void>((resolve) => {
      store.onChange((change) => {
        heard.push(change);
        resolve();
      });
    });
    const outside = new Promise<string>((resolve) => {
      other.onChange(resolve);
    });
    await add(store, 'A');
    await inside;
    assert.deepEqual(heard, ['local']);
    assert.equal(await outside, 'external');
  });

  check('a listener that was taken off hears no more', async ({ store }) => {
    let heard = 0;
    const off = store.onChange(() => heard++);
    await add(store, 'A');
    off();
    await add(store, 'A');
    assert.equal(heard, 1);
  });
}
