/** Claiming: what is due, in order, as far as there is room. */

import assert from 'node:assert/strict';

import fc from 'fast-check';

import { MORNING } from '../../tools/engine.ts';
import { add, Claimer, claimOf, COMPLETE, identity, newJob, settleOf } from '../../tools/store.ts';
import type { Check } from '../contract.ts';

export function claimContract(check: Check): void {
  check('a claim gives the job, and writes down who has it', async ({ store, job, clock }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A', {
      payload: '{"n":1}',
      priority: 3,
      maxAttempts: 4,
      options: '{"timeout":5}',
    });
    await clock.advance(500);
    assert.deepEqual(await claimer.one(), {
      id,
      type: 'A',
      payload: '{"n":1}',
      priority: 3,
      attempt: 1,
      maxAttempts: 4,
      crashes: 0,
      lease: 1,
      options: { timeout: 5 },
      dependencies: [],
    });
    const row = job(id);
    assert.equal(row?.status, 'processing');
    assert.equal(row?.attempts, 1);
    assert.equal(row?.claimedBy, claimer.process);
    assert.equal(row?.startedAt, '2026-11-23 08:00:00.500');
    assert.deepEqual(await claimer.claim(), [], 'and nobody gets it twice');
  });

  check('[1] several processes that claim at once never get the same job', async ({ store, again }) => {
    const claimers = await Promise.all(
      [store, await again(), await again()].map((one, i) => Claimer.join(one, ['A'], i)),
    );
    await store.insert(Array.from({ length: 300 }, () => newJob('A')));
    const got: number[] = [];
    await Promise.all(
      claimers.map(async (claimer) => {
        for (;;) {
          const claimed = await claimer.claim({ slots: 7 });
          if (claimed.length === 0) return;
          got.push(...claimed.map(({ id }) => id));
        }
      }),
    );
    assert.equal(got.length, 300);
    assert.equal(new Set(got).size, 300);
  });

  check('[2] priority first, then due time, then id, over all lanes', async ({ store }) => {
    const claimer = await Claimer.join(store, ['A', 'B', 'C']);
    const jobs = fc.array(
      fc.record({
        type: fc.constantFrom('A', 'B', 'C'),
        queue: fc.constantFrom('default', 'mail', 'z'),
        priority: fc.constantFrom(0, 1, 5, 9),
        availableAt: fc.integer({ min: MORNING - 5, max: MORNING }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    const rooms = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(jobs, rooms, async (given, slots) => {
        const inserted = await store.insert(given.map((one) => newJob(one.type, one)));
        const expected = given
          .map((one, i) => ({ ...one, id: inserted[i]?.id ?? 0 }))
          .sort((a, b) => b.priority - a.priority || a.availableAt - b.availableAt || a.id - b.id)
          .map(({ id }) => id);
        const got: number[] = [];
        for (let round = 0; got.length < expected.length; round++) {
          got.push(...(await claimer.ids({ slots: slots[round % slots.length] ?? 1 })));
        }
        assert.deepEqual(got, expected);
        await store.exchange(
          got.map((id) => settleOf({ id, lease: 1 }, COMPLETE)),
          null,
        );
      }),
      { numRuns: 60 },
    );
  });

  check(
    '[3] nothing before it is due, to the millisecond; the next due time is told',
    async ({ store, clock }) => {
      const claimer = await Claimer.join(store, ['A', 'B']);
      const later = await add(store, 'B', { delay: 2000 });
      const soon = await add(store, 'A', { delay: 1000 });
      await add(store, 'Unknown', { delay: 1 });
      const first = await claimer.look();
      assert.deepEqual(first.claimed, []);
      assert.equal(first.nextDue, MORNING + 1000);
      await clock.advance(999);
      assert.deepEqual(await claimer.ids(), []);
      await clock.advance(1);
      const due = await claimer.look();
      assert.deepEqual(
        due.claimed.map(({ id }) => id),
        [soon],
      );
      assert.equal(due.nextDue, MORNING + 2000);
      await clock.advance(1000);
      const last = await claimer.look();
      assert.deepEqual(
        last.claimed.map(({ id }) => id),
        [later],
      );
      assert.equal(last.nextDue, null);
    },
  );

  check('[5] other queues stay untouched, and tell no due time', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    const [here, there] = [
      await add(store, 'A', { queue: 'mail' }),
      await add(store, 'A', { queue: 'reports' }),
    ];
    await add(store, 'A', { queue: 'reports', delay: 5 });
    const done = await claimer.look({ queues: ['mail', 'other'] });
    assert.deepEqual(
      done.claimed.map(({ id }) => id),
      [here],
    );
    assert.equal(done.nextDue, null);
    assert.equal(job(there)?.status, 'pending');
    assert.equal(job(there)?.attempts, 0);
    assert.deepEqual(await claimer.ids({ queues: [] }), []);
    assert.deepEqual(await claimer.ids(), [there]);
  });

  check('[31] an unknown type waits and spends nothing', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'Nobody', { priority: 9 });
    const known = await add(store, 'A');
    assert.deepEqual(await claimer.ids({ slots: 1 }), [known]);
    assert.equal(job(id)?.status, 'pending');
    assert.equal(job(id)?.attempts, 0);
  });

  check('a claim takes no more than there is room for, and says that more is due', async ({ store }) => {
    const claimer = await Claimer.join(store, ['A']);
    await store.insert(Array.from({ length: 5 }, () => newJob('A')));
    const full = await claimer.look({ slots: 2 });
    assert.equal(full.claimed.length, 2);
    assert.equal('nextDue' in full, false, 'more is due at this moment');
    const rest = await claimer.look({ slots: 10 });
    assert.equal(rest.claimed.length, 3);
    assert.equal(rest.nextDue, null);
    assert.deepEqual(await claimer.ids({ slots: 0 }), []);
    assert.deepEqual(await claimer.ids({ slots: -3 }), []);
  });

  check('a claim takes no more than its transaction may, whatever the room', async ({ store }) => {
    const claimer = await Claimer.join(store, ['A', 'B']);
    await store.insert(Array.from({ length: 9 }, (_, i) => newJob(i % 2 === 0 ? 'A' : 'B')));
    const first = await claimer.look({ most: 4 });
    assert.deepEqual([first.claimed.map(({ id }) => id), 'nextDue' in first], [[1, 2, 3, 4], false]);
    assert.equal((await claimer.look({ most: 4 })).claimed.length, 4);
    assert.deepEqual(await claimer.ids({ most: 0 }), []);
    assert.equal((await claimer.look({ most: 4 })).nextDue, null);
  });

  check('light jobs share a worker, and are claimed ahead; heavy ones are not', async ({ store }) => {
    const process = await store.register(identity(1));
    const types = { Light: { weight: 1 / 64 }, Heavy: { weight: 1 } };
    await store.insert(Array.from({ length: 500 }, () => newJob('Light')));
    const light = await store.exchange([], claimOf(process, types, { slots: 1, ahead: 2 }));
    assert.equal(light.claimed.length, 192);
    assert.equal('nextDue' in light, false);
    await store.insert(Array.from({ length: 5 }, () => newJob('Heavy', { priority: 1 })));
    const heavy = await store.exchange([], claimOf(process, types, { slots: 2, ahead: 4 }));
    assert.deepEqual(
      heavy.claimed.map(({ type }) => type),
      ['Heavy', 'Heavy'],
    );
  });

  check('a heavy job at the head that does not fit stops those of lower priority', async ({ store }) => {
    const process = await store.register(identity(1));
    const types = { Light: { weight: 0.25 }, Heavy: { weight: 1 } };
    await store.insert([newJob('Heavy', { priority: 1 }), newJob('Light'), newJob('Light')]);
    const held = await store.exchange([], claimOf(process, types, { slots: 0.5, ahead: 2 }));
    assert.deepEqual(held.claimed, []);
    assert.equal('nextDue' in held, false, 'the caller must ask again when there is room');
    const room = await store.exchange([], claimOf(process, types, { slots: 1.5, ahead: 0 }));
    assert.deepEqual(
      room.claimed.map(({ type }) => type),
      ['Heavy', 'Light', 'Light'],
    );
  });

  check(
    'of one priority, due light jobs behind a heavy one that does not fit wait as well',
    async ({ store }) => {
      const process = await store.register(identity(1));
      const types = { Light: { weight: 0.25 }, Heavy: { weight: 1 } };
      await store.insert([
        newJob('Light', { availableAt: MORNING - 3 }),
        newJob('Heavy', { availableAt: MORNING - 2 }),
        newJob('Light', { availableAt: MORNING - 1 }),
      ]);
      const held = await store.exchange([], claimOf(process, types, { slots: 0.5, ahead: 2 }));
      assert.equal(held.claimed.length, 1);
      assert.equal('nextDue' in held, false);
    },
  );

  check(
    'a type runs no more jobs at once than its concurrency allows; others pass it by',
    async ({ store }) => {
      const process = await store.register(identity(1));
      const other = await store.register(identity(2));
      const types = { Few: { concurrency: 2 }, Many: {} };
      await store.insert([
        ...Array.from({ length: 5 }, () => newJob('Few', { priority: 1 })),
        ...Array.from({ length: 3 }, () => newJob('Many')),
      ]);
      const first = await store.exchange([], claimOf(process, types));
      assert.deepEqual(
        first.claimed.map(({ type }) => type),
        ['Few', 'Few', 'Many', 'Many', 'Many'],
      );
      const none = await store.exchange([], claimOf(other, types));
      assert.deepEqual(none.claimed, [], 'the limit counts over all processes');
      const few = first.claimed[0];
      assert.ok(few);
      const next = await store.exchange([settleOf(few, COMPLETE)], claimOf(process, types));
      assert.deepEqual(
        next.claimed.map(({ type }) => type),
        ['Few'],
        'one ended, one may start, in one exchange',
      );
    },
  );

  check(
    'jobs that must wait for others of their type, by their own option, take no places',
    async ({ store }) => {
      const process = await store.register(identity(1));
      await store.insert([
        ...Array.from({ length: 30 }, () => newJob('A', { options: '{"concurrency":1}' })),
        ...Array.from({ length: 30 }, () => newJob('A', { options: '{"concurrency":0}' })),
        newJob('A', { options: '{"timeout":5}' }),
        newJob('A'),
      ]);
      const claim = claimOf(process, ['A'], { slots: 3, ahead: 0 });
      const first = await store.exchange([], claim);
      assert.equal(first.claimed.length, 1);
      assert.equal(first.nextDue, MORNING, 'there may be others at once');
      const free = await store.exchange([], { ...claim, slots: 2 });
      assert.deepEqual(
        free.claimed.map(({ id }) => id),
        [61, 62],
      );
      const none = await store.exchange([], { ...claim, slots: 1 });
      assert.deepEqual([none.claimed, none.nextDue], [[], null]);
    },
  );

  check('due jobs are counted by type and queue, no further than asked', async ({ store, clock }) => {
    await store.insert([
      ...Array.from({ length: 4 }, () => newJob('A')),
      ...Array.from({ length: 3 }, () => newJob('A', { queue: 'mail', priority: 5 })),
      ...Array.from({ length: 2 }, () => newJob('B')),
      newJob('A', { delay: 1000 }),
    ]);
    assert.equal(await store.countDue(100, ['A', 'B'], null), 9);
    assert.equal(await store.countDue(100, ['A'], null), 7);
    assert.equal(await store.countDue(100, ['A', 'B'], ['mail']), 3);
    assert.equal(await store.countDue(5, ['A', 'B'], null), 5);
    assert.equal(await store.countDue(100, [], null), 0);
    await clock.advance(1000);
    assert.equal(await store.countDue(100, ['A'], null), 8);
  });

  check('a process that signed off, or never was, claims nothing', async ({ store, job }) => {
    const id = await add(store, 'A');
    const claimer = await Claimer.join(store, ['A']);
    await store.signOff(claimer.process);
    const refused = await claimer.look();
    assert.equal(refused.registered, false);
    assert.deepEqual(refused.claimed, []);
    assert.equal((await store.exchange([], claimOf(4711, ['A']))).registered, false);
    assert.equal(job(id)?.status, 'pending');
  });
}
