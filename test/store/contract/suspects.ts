/** Suspects: jobs whose process died. They start alone, so that the one which kills is found. */

import assert from 'node:assert/strict';

import type { Store } from '../../../src/engine/store.ts';
import { add, Claimer, COMPLETE, newJob, retryAfter } from '../../tools/store.ts';
import type { Check } from '../contract.ts';

/** A process claims all that is due, and dies. */
async function crash(store: Store, types: string[], queues: string[] | null = null): Promise<number[]> {
  const victim = await Claimer.join(store, types, 99);
  const ids: number[] = [];
  // A suspect comes alone: until nothing is left.
  for (;;) {
    const claimed = await victim.ids({ queues });
    if (claimed.length === 0) break;
    ids.push(...claimed);
  }
  await store.expire(victim.process);
  return ids;
}

export function suspectsContract(check: Check): void {
  check('any: one suspect comes, alone, and the others are counted', async ({ store }) => {
    await store.insert([newJob('A'), newJob('A'), newJob('A')]);
    const suspects = await crash(store, ['A']);
    await add(store, 'A', { priority: 9 });
    const claimer = await Claimer.join(store, ['A']);
    const done = await claimer.look({ suspects: 'any' });
    assert.deepEqual(
      done.claimed.map(({ id, crashes, attempt }) => ({ id, crashes, attempt })),
      [{ id: suspects[0], crashes: 1, attempt: 1 }],
    );
    assert.equal(done.suspectsWaiting, 2);
  });

  check('none: while suspects are due nothing else is claimed either', async ({ store }) => {
    await add(store, 'A');
    await crash(store, ['A']);
    await add(store, 'A', { priority: 9 });
    const claimer = await Claimer.join(store, ['A']);
    const done = await claimer.look({ suspects: 'none' });
    assert.deepEqual(done.claimed, []);
    assert.equal(done.suspectsWaiting, 1);
  });

  check('first: only one that crashed once; a second crash waits for an idle process', async ({ store }) => {
    const twice = await add(store, 'A');
    await crash(store, ['A']);
    await crash(store, ['A']);
    const once = await add(store, 'B');
    await crash(store, ['B']);
    const claimer = await Claimer.join(store, ['A', 'B']);
    const first = await claimer.look({ suspects: 'first' });
    assert.deepEqual(
      first.claimed.map(({ id }) => id),
      [once],
    );
    assert.equal(first.suspectsWaiting, 1);
    assert.deepEqual(await claimer.ids({ suspects: 'first' }), []);
    assert.deepEqual(await claimer.ids({ suspects: 'any' }), [twice]);
  });

  check(
    'fewest crashes first, so that the innocent are done before the killer has its third',
    async ({ store }) => {
      const old = await add(store, 'A', { priority: 9 });
      await crash(store, ['A']);
      await crash(store, ['A']);
      const young = await add(store, 'B');
      await crash(store, ['B']);
      const claimer = await Claimer.join(store, ['A', 'B']);
      assert.deepEqual(await claimer.ids(), [young]);
      assert.deepEqual(await claimer.ids(), [old]);
    },
  );

  check('once no suspect is due the others come as ever', async ({ store }) => {
    await add(store, 'A');
    await crash(store, ['A']);
    const ordinary = await add(store, 'A');
    const claimer = await Claimer.join(store, ['A']);
    await claimer.work(COMPLETE);
    const done = await claimer.look({ suspects: 'none' });
    assert.deepEqual(
      done.claimed.map(({ id }) => id),
      [ordinary],
    );
    assert.equal(done.suspectsWaiting, 0);
  });

  check('a suspect that is to be tried later holds up nobody until then', async ({ store, clock }) => {
    const suspect = await add(store, 'A');
    await crash(store, ['A']);
    const claimer = await Claimer.join(store, ['A']);
    await claimer.work(retryAfter(5000));
    const ordinary = await add(store, 'A');
    const done = await claimer.look({ suspects: 'none' });
    assert.deepEqual(
      done.claimed.map(({ id }) => id),
      [ordinary],
    );
    await clock.advance(5000);
    assert.deepEqual(await claimer.ids({ suspects: 'none' }), []);
    assert.deepEqual(await claimer.ids({ suspects: 'any' }), [suspect]);
  });

  check('[19] hundreds of suspects that nobody here can run do not hide the others', async ({ store }) => {
    await store.insert(Array.from({ length: 400 }, () => newJob('Gone')));
    await store.insert(Array.from({ length: 300 }, () => newJob('A', { queue: 'closed' })));
    const victim = await Claimer.join(store, ['Gone', 'A'], 99);
    assert.equal((await victim.claim({ slots: 1000 })).length, 700);
    await store.expire(victim.process);
    const suspect = await add(store, 'A');
    const second = await Claimer.join(store, ['A'], 98);
    assert.deepEqual(await second.ids({ queues: ['default'] }), [suspect]);
    await store.expire(second.process);
    const ordinary = await store.insert([newJob('A'), newJob('A')]);
    const claimer = await Claimer.join(store, ['A']);
    const done = await claimer.look({ queues: ['default'] });
    assert.deepEqual(
      done.claimed.map(({ id }) => id),
      [suspect],
    );
    assert.equal(done.suspectsWaiting, 0);
    const rest = await claimer.ids({ queues: ['default'], suspects: 'none' });
    assert.deepEqual(
      rest,
      ordinary.map(({ id }) => id),
    );
  });

  check('a suspect whose type is at its limit holds up nobody', async ({ store, clock }) => {
    const claimer = await Claimer.join(store, ['A', 'B']);
    await store.insert([newJob('A'), newJob('A', { delay: 1 })]);
    const running = await claimer.one();
    await clock.advance(1);
    const victim = await Claimer.join(store, ['A'], 99);
    await victim.one();
    await store.expire(victim.process);
    const ordinary = await add(store, 'B');
    const types = new Map([
      ['A', { weight: 1, concurrency: 1 }],
      ['B', { weight: 1, concurrency: Number.POSITIVE_INFINITY }],
    ]);
    const request = {
      process: claimer.process,
      slots: 5,
      ahead: 0,
      most: 1000,
      types,
      queues: null,
      suspects: 'none',
    } as const;
    const done = await store.exchange([], request);
    assert.deepEqual(
      done.claimed.map(({ id }) => id),
      [ordinary],
    );
    await claimer.settle(running, COMPLETE);
    assert.equal((await store.exchange([], request)).suspectsWaiting, 1);
  });
}
