/** Dependencies, and jobs that a handler dispatched. */

import assert from 'node:assert/strict';

import { formatTime } from '../../../src/engine/clock.ts';
import type { NestedDispatch } from '../../../src/engine/job.ts';
import type { Store } from '../../../src/engine/store.ts';
import { MORNING } from '../../tools/engine.ts';
import {
  add,
  Claimer,
  COMPLETE,
  DISCARD,
  FAIL,
  newJob,
  RELEASE,
  retryAfter,
  settleOf,
} from '../../tools/store.ts';
import type { Check } from '../contract.ts';

function nested(ref: string, type: string, changes: Partial<NestedDispatch> = {}): NestedDispatch {
  return { ref, type, payload: '{}', ...changes };
}

/** Completes a claimed attempt with further jobs. */
async function completeWith(
  store: Store,
  attempt: { id: number; lease: number },
  dispatches: NestedDispatch[],
): Promise<boolean> {
  const { settled } = await store.exchange(
    [
      {
        ...settleOf(attempt, { move: 'complete', result: '1', dispatches }),
        otherwise: (message) => ({ move: 'fail', error: { message }, discarded: false }),
      },
    ],
    null,
  );
  return settled[0] as boolean;
}

export function flowContract(check: Check): void {
  check(
    'a child is blocked until its parent completes, then pending in that same step',
    async ({ store, job, clock }) => {
      const claimer = await Claimer.join(store, ['A']);
      const [parent, child] = await store.insert([newJob('A'), newJob('A', { dependsOn: [{ index: 0 }] })]);
      assert.ok(parent && child);
      assert.equal(job(child.id)?.status, 'blocked');
      assert.equal(job(child.id)?.waitingFor, 1);
      for (const end of [retryAfter(0), RELEASE]) {
        await claimer.work(end);
        assert.equal(job(child.id)?.status, 'blocked');
      }
      await clock.advance(700);
      const attempt = await claimer.one();
      assert.equal(await claimer.settle(attempt, COMPLETE), true);
      assert.equal(job(child.id)?.status, 'pending');
      assert.equal(job(child.id)?.waitingFor, 0);
      assert.equal(
        job(child.id)?.availableAt,
        formatTime(MORNING + 700),
        'it became due when it was unblocked',
      );
    },
  );

  check('the claim of the same exchange may take the child that its settle unblocked', async ({ store }) => {
    const claimer = await Claimer.join(store, ['A']);
    const [, child] = await store.insert([newJob('A'), newJob('A', { dependsOn: [{ index: 0 }] })]);
    const attempt = await claimer.one();
    const { claimed } = await store.exchange([settleOf(attempt, COMPLETE)], {
      process: claimer.process,
      slots: 1,
      ahead: 0,
      most: 1000,
      types: new Map([['A', { weight: 1, concurrency: 9 }]]),
      queues: null,
      suspects: 'any',
    });
    assert.deepEqual(
      claimed.map(({ id }) => id),
      [child?.id],
    );
  });

  check('[38] two parents that finish in one exchange unblock their child once', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['P', 'C']);
    const parents = await store.insert([newJob('P'), newJob('P')]);
    const child = await add(store, 'C', { dependsOn: parents.map(({ id }) => id) });
    const attempts = await claimer.claim();
    const { settled } = await store.exchange(
      attempts.map((one) => settleOf(one, COMPLETE)),
      null,
    );
    assert.deepEqual(settled, [true, true]);
    assert.equal(job(child)?.status, 'pending');
    assert.equal(job(child)?.waitingFor, 0);
  });

  check(
    '[38] two parents that finish in two processes at once unblock their child once',
    async ({ store, again, job }) => {
      const one = await Claimer.join(store, ['P']);
      const two = await Claimer.join(await again(), ['P'], 2);
      for (let round = 0; round < 20; round++) {
        const parents = await store.insert([newJob('P'), newJob('P')]);
        const child = await add(store, 'C', { dependsOn: parents.map(({ id }) => id) });
        const [first, second] = [await one.one(), await two.one()];
        await Promise.all([one.settle(first, COMPLETE), two.settle(second, COMPLETE)]);
        assert.equal(job(child)?.status, 'pending');
        assert.equal(job(child)?.waitingFor, 0);
      }
    },
  );

  check(
    'one parent fails and one completes in one exchange: still blocked, waiting for one',
    async ({ store, job }) => {
      const claimer = await Claimer.join(store, ['P', 'C']);
      const parents = await store.insert([newJob('P'), newJob('P')]);
      const child = await add(store, 'C', { dependsOn: parents.map(({ id }) => id) });
      const [first, second] = await claimer.claim();
      assert.ok(first && second);
      await store.exchange([settleOf(first, COMPLETE), settleOf(second, FAIL)], null);
      assert.equal(job(child)?.status, 'blocked');
      assert.equal(job(child)?.waitingFor, 1);
    },
  );

  check(
    '[39] a failed, discarded or cancelled parent keeps its child blocked; its revival unblocks',
    async ({ store, job }) => {
      const claimer = await Claimer.join(store, ['P', 'C']);
      for (const end of [FAIL, DISCARD, null]) {
        const parent = await add(store, 'P');
        const child = await add(store, 'C', { dependsOn: [parent] });
        if (end === null) await store.cancel([parent]);
        else await claimer.work(end);
        assert.equal(job(child)?.status, 'blocked');
        assert.deepEqual(await claimer.ids(), []);
        await store.revive([parent]);
        assert.equal(job(child)?.status, 'blocked');
        assert.equal(await claimer.work(COMPLETE), parent);
        assert.equal(job(child)?.status, 'pending');
        assert.equal(await claimer.work(COMPLETE), child);
      }
    },
  );

  check(
    'a completed parent is satisfied at once; a failed or cancelled one blocks',
    async ({ store, job }) => {
      const claimer = await Claimer.join(store, ['P']);
      const [done, failed] = [await add(store, 'P'), await add(store, 'P')];
      await claimer.work(COMPLETE);
      await claimer.work(FAIL);
      const cancelled = await add(store, 'P');
      await store.cancel([cancelled]);
      const status = async (...dependsOn: number[]) => job(await add(store, 'C', { dependsOn }))?.status;
      assert.equal(await status(done), 'pending');
      assert.equal(await status(failed), 'blocked');
      assert.equal(await status(cancelled), 'blocked');
      assert.equal(await status(done, failed), 'blocked');
    },
  );

  check('a parent named twice counts once', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['P', 'C']);
    const parent = await add(store, 'P');
    const child = await add(store, 'C', { dependsOn: [parent, parent] });
    assert.equal(job(child)?.waitingFor, 1);
    await claimer.work(COMPLETE);
    assert.equal(job(child)?.status, 'pending');
  });

  check(
    'a child that was to wait for a later time still does once it is unblocked',
    async ({ store, job, clock }) => {
      const claimer = await Claimer.join(store, ['P', 'C']);
      const parent = await add(store, 'P');
      const child = await add(store, 'C', { dependsOn: [parent], delay: 10_000 });
      await claimer.work(COMPLETE);
      assert.equal(job(child)?.status, 'pending');
      assert.deepEqual(await claimer.ids(), []);
      await clock.advance(10_000);
      assert.deepEqual(await claimer.ids(), [child]);
    },
  );

  check("[41] a claim brings the parents' results, in the order of the dispatch", async ({ store }) => {
    const claimer = await Claimer.join(store, ['P', 'Q']);
    const [one, two] = [await add(store, 'P'), await add(store, 'Q')];
    const types = ['C'];
    await add(store, 'C', { dependsOn: [two, one] });
    await claimer.work({ move: 'complete', result: '{"path":"x"}' });
    await claimer.work(COMPLETE);
    const reader = new Claimer(store, claimer.process, types);
    assert.deepEqual((await reader.one()).dependencies, [
      { id: two, type: 'Q', result: null },
      { id: one, type: 'P', result: { path: 'x' } },
    ]);
  });

  check('a wide fan-out and a wide fan-in', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['P', 'C', 'E']);
    const root = await add(store, 'P');
    const middle = await store.insert(Array.from({ length: 200 }, () => newJob('C', { dependsOn: [root] })));
    const end = await add(store, 'E', { dependsOn: middle.map(({ id }) => id) });
    await claimer.work(COMPLETE);
    for (;;) {
      const claimed = await claimer.claim({ slots: 33 });
      if (claimed[0]?.id === end) break;
      assert.notEqual(claimed.length, 0);
      await store.exchange(
        claimed.map((one) => settleOf(one, COMPLETE)),
        null,
      );
    }
    assert.equal(job(end)?.attempts, 1);
    assert.ok(middle.every(({ id }) => job(id)?.status === 'completed'));
  });

  check('what a handler dispatched is written with its completion', async ({ store, job, all }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A');
    const attempt = await claimer.one();
    const dispatches = [
      nested('a', 'B', {
        payload: '{"x":1}',
        priority: 4,
        queue: 'mail',
        maxAttempts: 2,
        delay: 3000,
        uniqueKey: 'u',
      }),
      nested('b', 'C', { dependsOn: ['a', id], at: MORNING + 99, options: '{"timeout":9}' }),
    ];
    assert.equal(await completeWith(store, attempt, dispatches), true);
    const [, first = 0, second = 0] = all();
    assert.equal(job(id)?.status, 'completed');
    assert.equal(job(id)?.result, '1');
    const { type, payload, priority, queue, maxAttempts, availableAt, uniqueKey, status } = job(first) ?? {};
    assert.deepEqual(
      { type, payload, priority, queue, maxAttempts, availableAt, uniqueKey, status },
      {
        type: 'B',
        payload: '{"x":1}',
        priority: 4,
        queue: 'mail',
        maxAttempts: 2,
        availableAt: formatTime(MORNING + 3000),
        uniqueKey: 'u',
        status: 'pending',
      },
    );
    assert.equal(job(second)?.availableAt, formatTime(MORNING + 99));
    assert.equal(job(second)?.options, '{"timeout":9}');
  });

  check(
    'a job dispatched by a handler waits for all its parents, also beside the handler itself',
    async ({ store, job, all }) => {
      const claimer = await Claimer.join(store, ['A']);
      const id = await add(store, 'A');
      const attempt = await claimer.one();
      await completeWith(store, attempt, [nested('a', 'B'), nested('b', 'C', { dependsOn: ['a', id] })]);
      const [, , child = 0] = all();
      assert.equal(job(child)?.status, 'blocked', 'the other one has not run yet');
      assert.equal(job(child)?.waitingFor, 1);
    },
  );

  check(
    'jobs that finish in one exchange: what one dispatched waits for exactly the unfinished',
    async ({ store, job, all }) => {
      const claimer = await Claimer.join(store, ['A', 'Open']);
      const [before, self, after, open] = [
        await add(store, 'A'),
        await add(store, 'A'),
        await add(store, 'A'),
        await add(store, 'Open', { delay: 1000 }),
      ];
      const attempts = new Map((await claimer.claim()).map((one) => [one.id, one]));
      const settles = [before, self, after].map((id) =>
        settleOf(attempts.get(id) ?? { id, lease: 0 }, COMPLETE),
      );
      const dispatches = [
        nested('x', 'X', { dependsOn: [before, self, after, open] }),
        nested('y', 'Y', { dependsOn: [before, self, after] }),
        nested('z', 'Z', { dependsOn: [before, open] }),
      ];
      settles[1] = settleOf(attempts.get(self) ?? { id: self, lease: 0 }, {
        move: 'complete',
        result: null,
        dispatches,
      });
      await store.exchange(settles, null);
      const [x = 0, y = 0, z = 0] = all().slice(4);
      assert.deepEqual([job(x)?.status, job(x)?.waitingFor], ['blocked', 1]);
      assert.deepEqual([job(y)?.status, job(y)?.waitingFor], ['pending', 0]);
      assert.deepEqual([job(z)?.status, job(z)?.waitingFor], ['blocked', 1]);
    },
  );

  check(
    'a refused dispatch turns the completion into what `otherwise` says, and leaves nothing',
    async ({ store, job, all }) => {
      const claimer = await Claimer.join(store, ['A']);
      const id = await add(store, 'A');
      const attempt = await claimer.one();
      const dispatches = [nested('a', 'B'), nested('b', 'C', { dependsOn: [4711] })];
      assert.equal(await completeWith(store, attempt, dispatches), true);
      assert.deepEqual(all(), [id]);
      assert.equal(job(id)?.status, 'failed');
      assert.equal(job(id)?.result, null);
      assert.match(job(id)?.lastError ?? '', /#4711/);
    },
  );

  check('a refused dispatch does not touch the others of its exchange', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    const [one, two, three] = [await add(store, 'A'), await add(store, 'A'), await add(store, 'A')];
    const [first, second, third] = await claimer.claim();
    assert.ok(first && second && third);
    const bad = {
      move: 'complete',
      result: null,
      dispatches: [nested('a', 'B', { dependsOn: [4711] })],
    } as const;
    const { settled } = await store.exchange(
      [
        settleOf(first, COMPLETE),
        {
          ...settleOf(second, { ...bad, dispatches: [...bad.dispatches] }),
          otherwise: () => retryAfter(0, 'refused'),
        },
        settleOf(third, COMPLETE),
      ],
      null,
    );
    assert.deepEqual(settled, [true, true, true]);
    assert.deepEqual(
      [one, two, three].map((id) => job(id)?.status),
      ['completed', 'pending', 'completed'],
    );
  });

  check('a lost attempt dispatches nothing', async ({ store, all }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A');
    const attempt = await claimer.one();
    await store.cancel([id]);
    assert.equal(await completeWith(store, attempt, [nested('a', 'B')]), false);
    assert.deepEqual(all(), [id]);
  });

  check('a dispatch of a handler whose unique key is held finds the holder', async ({ store, all, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A');
    const holder = await add(store, 'B', { uniqueKey: 'k' });
    const attempt = await claimer.one();
    const dispatches = [nested('a', 'B', { uniqueKey: 'k' }), nested('b', 'C', { dependsOn: ['a'] })];
    await completeWith(store, attempt, dispatches);
    assert.equal(job(id)?.status, 'completed');
    const ids = all();
    assert.equal(ids.length, 3);
    await new Claimer(store, claimer.process, ['B']).work(COMPLETE);
    assert.equal(job(holder)?.status, 'completed');
    assert.equal(job(ids[2] ?? 0)?.status, 'pending');
  });
}
