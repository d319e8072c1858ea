/** What an admin does by hand: cancel, retry, delete. */

import assert from 'node:assert/strict';

import { formatTime } from '../../../src/engine/clock.ts';
import type { JobState } from '../../../src/engine/job.ts';
import { MORNING } from '../../tools/engine.ts';
import { add, Claimer, COMPLETE, DISCARD, FAIL, newJob, retryAfter } from '../../tools/store.ts';
import type { Check, Subject } from '../contract.ts';

/** One job in each state, and the claimer that made them. */
async function oneOfEach({ store }: Subject): Promise<{ claimer: Claimer; ids: Record<JobState, number> }> {
  const claimer = await Claimer.join(store, ['A']);
  const completed = await add(store, 'A');
  await claimer.work(COMPLETE);
  const failed = await add(store, 'A');
  await claimer.work(FAIL);
  const cancelled = await add(store, 'A');
  await store.cancel([cancelled]);
  const processing = await add(store, 'A');
  await claimer.one();
  const pending = await add(store, 'A');
  const blocked = await add(store, 'A', { dependsOn: [pending] });
  return { claimer, ids: { blocked, pending, processing, completed, failed, cancelled } };
}

const ALL: JobState[] = ['blocked', 'pending', 'processing', 'completed', 'failed', 'cancelled'];

export function adminContract(check: Check): void {
  check('cancel applies to what is not finished, and to nothing else', async (subject) => {
    const { ids } = await oneOfEach(subject);
    const applied = await subject.store.cancel([...ALL.map((state) => ids[state]), 4711]);
    assert.deepEqual(
      applied.map(({ from, to }) => [from, to]),
      [
        ['blocked', 'cancelled'],
        ['pending', 'cancelled'],
        ['processing', 'cancelled'],
        ['completed', 'completed'],
        ['failed', 'failed'],
        ['cancelled', 'cancelled'],
        [null, null],
      ],
    );
    for (const state of ALL) {
      const now = subject.job(ids[state])?.status;
      assert.equal(now, state === 'completed' || state === 'failed' ? state : 'cancelled');
    }
    assert.equal(subject.job(ids.blocked)?.finishedAt, formatTime(MORNING));
  });

  check('[26] a cancel beats the attempts left, pending or running', async ({ store, job, attempts }) => {
    const claimer = await Claimer.join(store, ['A']);
    const waiting = await add(store, 'A', { maxAttempts: 9 });
    await claimer.work(retryAfter(0));
    await store.cancel([waiting]);
    assert.deepEqual(await claimer.ids(), []);
    const running = await add(store, 'A', { maxAttempts: 9 });
    const attempt = await claimer.one();
    await store.cancel([running]);
    assert.deepEqual(await store.lost([attempt]), [attempt]);
    for (const end of [retryAfter(0), COMPLETE, FAIL]) {
      assert.equal(await claimer.settle(attempt, end), false);
    }
    assert.equal(job(running)?.status, 'cancelled');
    assert.deepEqual(await claimer.ids(), []);
    assert.deepEqual(
      attempts(running).map(({ attempt: n, outcome }) => [n, outcome]),
      [[1, 'cancelled']],
    );
  });

  check('revive applies to failed and cancelled jobs only', async (subject) => {
    const { ids } = await oneOfEach(subject);
    const applied = await subject.store.revive([...ALL.map((state) => ids[state]), 4711]);
    assert.deepEqual(
      applied.map(({ from, to }) => [from, to]),
      [
        ['blocked', 'blocked'],
        ['pending', 'pending'],
        ['processing', 'processing'],
        ['completed', 'completed'],
        ['failed', 'pending'],
        ['cancelled', 'pending'],
        [null, null],
      ],
    );
    assert.equal(subject.job(ids.failed)?.finishedAt, null);
  });

  check('[29] a revived job gets one more attempt than it had spent', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    const own = await add(store, 'A', { maxAttempts: 2 });
    await claimer.work(retryAfter(0));
    await claimer.work(FAIL);
    await store.revive([own]);
    const again = await claimer.one();
    assert.equal(again.attempt, 3);
    assert.equal(again.maxAttempts, 3);
    await claimer.settle(again, FAIL);
    await store.revive([own]);
    assert.equal((await claimer.one()).maxAttempts, 4);

    const byType = await add(store, 'A');
    await claimer.work(retryAfter(0));
    await claimer.work(FAIL);
    await store.revive([byType]);
    assert.equal(job(byType)?.maxAttempts, 3);
  });

  check('a revived job whose attempts were not spent keeps those that it had', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    const discarded = await add(store, 'A', { maxAttempts: 5 });
    await claimer.work(DISCARD);
    await store.revive([discarded]);
    assert.equal(job(discarded)?.maxAttempts, 5);
    assert.equal((await claimer.one()).attempt, 2);
    const cancelled = await add(store, 'A');
    await store.cancel([cancelled]);
    await store.revive([cancelled]);
    assert.equal(job(cancelled)?.maxAttempts, null);
  });

  check(
    'a job cancelled while blocked comes back blocked, or pending where its parents are done',
    async ({ store, job }) => {
      const claimer = await Claimer.join(store, ['P']);
      const parents = [await add(store, 'P'), await add(store, 'P')];
      const child = await add(store, 'C', { dependsOn: parents });
      await store.cancel([child]);
      await claimer.work(COMPLETE);
      assert.equal(job(child)?.status, 'cancelled', 'a finished parent does not bring it back');
      await store.revive([child]);
      assert.equal(job(child)?.status, 'blocked');
      assert.equal(job(child)?.waitingFor, 1);
      await store.cancel([child]);
      await claimer.work(COMPLETE);
      await store.revive([child]);
      assert.equal(job(child)?.status, 'pending');
      assert.equal(job(child)?.waitingFor, 0);
    },
  );

  check(
    'a job cancelled and revived while it runs: the old attempt cannot settle the new one',
    async ({ store, job }) => {
      const claimer = await Claimer.join(store, ['A']);
      const id = await add(store, 'A');
      const old = await claimer.one();
      await store.cancel([id]);
      await store.revive([id]);
      assert.equal(await claimer.settle(old, COMPLETE), false);
      const fresh = await claimer.one();
      assert.equal(await claimer.settle(old, COMPLETE), false);
      assert.equal(job(id)?.status, 'processing');
      assert.equal(await claimer.settle(fresh, COMPLETE), true);
    },
  );

  check(
    'reviving a job whose unique key another one holds does not apply, and spoils no other',
    async ({ store, job }) => {
      const claimer = await Claimer.join(store, ['A']);
      const old = await add(store, 'A', { uniqueKey: 'k' });
      await claimer.work(FAIL);
      const holder = await add(store, 'A', { uniqueKey: 'k' });
      const other = await add(store, 'A');
      await store.cancel([other]);
      const applied = await store.revive([old, other]);
      assert.deepEqual(
        applied.map(({ from, to }) => [from, to]),
        [
          ['failed', 'failed'],
          ['cancelled', 'pending'],
        ],
      );
      assert.equal(job(old)?.status, 'failed');
      assert.equal(job(holder)?.status, 'pending');
      await store.cancel([holder]);
      assert.equal((await store.revive([old]))[0]?.to, 'pending', 'the key is free again');
    },
  );

  check('[36] a running job is not deleted; what is not running is', async (subject) => {
    const { store, job } = subject;
    const { ids, claimer } = await oneOfEach(subject);
    const applied = await store.remove([
      ids.processing,
      ids.completed,
      ids.failed,
      ids.cancelled,
      ids.blocked,
      ids.pending,
      4711,
    ]);
    assert.deepEqual(
      applied.map(({ from, to }) => [from, to]),
      [
        ['processing', 'processing'],
        ['completed', null],
        ['failed', null],
        ['cancelled', null],
        ['blocked', null],
        ['pending', null],
        [null, null],
      ],
    );
    assert.equal(job(ids.processing)?.status, 'processing');
    assert.equal(job(ids.completed), undefined);
    assert.equal(job(ids.failed), undefined);
    assert.deepEqual(await claimer.ids(), []);
  });

  check('a job that an unfinished one waits for is not deleted', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['P']);
    const parents = [await add(store, 'P'), await add(store, 'P')];
    const child = await add(store, 'C', { dependsOn: parents });
    await claimer.work(COMPLETE);
    const [done, waiting] = parents as [number, number];
    assert.deepEqual(
      (await store.remove([done, waiting])).map(({ from, to }) => [from, to]),
      [
        ['completed', 'completed'],
        ['pending', 'pending'],
      ],
    );
    await claimer.work(COMPLETE);
    assert.equal(job(child)?.status, 'pending');
    assert.deepEqual(
      (await store.remove([done])).map(({ to }) => to),
      ['completed'],
      'its child reads its result',
    );
    await store.remove([child]);
    assert.equal(job(child), undefined);
    assert.deepEqual(
      (await store.remove([done, waiting])).map(({ to }) => to),
      [null, null],
    );
  });

  check('a removed child is not missed by its parent', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['P']);
    const parent = await add(store, 'P');
    const child = await add(store, 'C', { dependsOn: [parent] });
    await store.remove([child]);
    assert.equal(await claimer.work(COMPLETE), parent);
    assert.equal(job(parent)?.status, 'completed');
  });

  check('verbs without ids do nothing', async ({ store }) => {
    await store.insert([newJob('A')]);
    assert.deepEqual(await store.cancel([]), []);
    assert.deepEqual(await store.revive([]), []);
    assert.deepEqual(await store.remove([]), []);
    assert.deepEqual(await store.lost([]), []);
    assert.deepEqual((await store.exchange([], null)).claimed, []);
  });
}
