/** Processes, their leases, and what is taken back from a dead one. */

import assert from 'node:assert/strict';

import { formatTime } from '../../../src/engine/clock.ts';
import { MORNING } from '../../tools/engine.ts';
import { add, Claimer, COMPLETE, FAIL, identity, newJob } from '../../tools/store.ts';
import type { Check } from '../contract.ts';

export function crashContract(check: Check): void {
  check(
    '[11] a dead process gives its jobs back, with their attempts',
    async ({ store, job, attempts, clock }) => {
      const victim = await Claimer.join(store, ['A']);
      const [one, two] = [await add(store, 'A'), await add(store, 'A')];
      await victim.claim();
      await clock.advance(1000);
      const expired = await store.expire(victim.process);
      assert.deepEqual(expired, { returned: [one, two], failed: [] });
      const row = job(one);
      assert.equal(row?.status, 'pending');
      assert.equal(row?.attempts, 0);
      assert.equal(row?.crashes, 1);
      assert.equal(row?.claimedBy, null);
      assert.equal(row?.availableAt, formatTime(MORNING + 1000), 'due at once');
      assert.deepEqual(
        attempts(one).map(({ attempt, outcome, process }) => ({ attempt, outcome, process })),
        [{ attempt: 1, outcome: 'crashed', process: victim.process }],
      );
    },
  );

  check('[16] the third crash fails the job and says why', async ({ store, job }) => {
    const id = await add(store, 'A', { maxAttempts: 10 });
    for (let crash = 1; crash <= 3; crash++) {
      const victim = await Claimer.join(store, ['A'], crash);
      const attempt = await victim.one();
      assert.equal(attempt.attempt, 1, 'no crash spends an attempt');
      assert.equal(attempt.crashes, crash - 1);
      const expired = await store.expire(victim.process);
      assert.deepEqual(expired, crash < 3 ? { returned: [id], failed: [] } : { returned: [], failed: [id] });
    }
    assert.equal(job(id)?.status, 'failed');
    assert.equal(job(id)?.crashes, 3);
    assert.match(job(id)?.lastError ?? '', /died 3 times/);
    assert.ok(job(id)?.finishedAt);
  });

  check('[17] neighbours of a killer lose no attempt and complete', async ({ store, job }) => {
    const killer = await add(store, 'Killer');
    const others = await store.insert(Array.from({ length: 20 }, () => newJob('A')));
    for (let life = 1; ; life++) {
      assert.ok(life <= 3, 'three crashes are enough to find it');
      const claimer = await Claimer.join(store, ['A', 'Killer'], life);
      let died = false;
      while (!died) {
        const claimed = await claimer.claim();
        if (claimed.length === 0) break;
        // It runs beside others once; from then on its claim brings it alone.
        died = claimed.some(({ id }) => id === killer);
        if (!died) for (const one of claimed) await claimer.settle(one, COMPLETE);
      }
      if (!died) break;
      await store.expire(claimer.process);
      if (job(killer)?.status === 'failed') break;
    }
    const rest = await Claimer.join(store, ['A', 'Killer'], 50);
    for (let claimed = await rest.claim(); claimed.length > 0; claimed = await rest.claim()) {
      for (const one of claimed) await rest.settle(one, COMPLETE);
    }
    assert.equal(job(killer)?.status, 'failed');
    for (const { id } of others) {
      assert.equal(job(id)?.status, 'completed');
      assert.equal(job(id)?.attempts, 1);
    }
  });

  check(
    '[14] a lapsed lease cannot settle, neither before nor after the next claim',
    async ({ store, job }) => {
      const old = await Claimer.join(store, ['A']);
      const id = await add(store, 'A');
      const stale = await old.one();
      await store.expire(old.process);
      assert.equal(await old.settle(stale, COMPLETE), false);
      const young = await Claimer.join(store, ['A'], 2);
      const fresh = await young.one();
      assert.equal(fresh.id, id);
      assert.notEqual(fresh.lease, stale.lease);
      assert.deepEqual(await store.lost([stale, fresh]), [stale]);
      assert.equal(await old.settle(stale, FAIL), false);
      assert.equal(job(id)?.status, 'processing');
      assert.equal(await young.settle(fresh, COMPLETE), true);
      assert.equal(await old.settle(stale, FAIL), false);
      assert.equal(job(id)?.status, 'completed');
    },
  );

  check('[15] a late heartbeat does not take a job back', async ({ store, job }) => {
    const slow = await Claimer.join(store, ['A']);
    const id = await add(store, 'A');
    const stale = await slow.one();
    await store.expire(slow.process);
    assert.equal(await store.beat(slow.process, '{}'), false);
    assert.equal(job(id)?.status, 'pending');
    assert.equal((await slow.look()).registered, false);
    assert.equal(await slow.settle(stale, COMPLETE), false);
    const again = await Claimer.join(store, ['A'], 1);
    assert.notEqual(again.process, slow.process, 'it is registered anew, under a new id');
    assert.equal((await again.one()).id, id);
    assert.equal(await store.beat(slow.process, '{}'), false);
    assert.equal(await store.beat(again.process, '{}'), true);
  });

  check(
    '[18] the rescue of one process leaves the jobs of the living alone, however long they run',
    async ({ store, job, clock }) => {
      const living = await Claimer.join(store, ['A']);
      const dead = await Claimer.join(store, ['A'], 2);
      const long = await add(store, 'A');
      const attempt = await living.one();
      const other = await add(store, 'A');
      await dead.one();
      await clock.advance(36 * 3_600_000);
      assert.deepEqual(await store.expire(dead.process), { returned: [other], failed: [] });
      assert.equal(job(long)?.status, 'processing');
      assert.equal(await living.settle(attempt, COMPLETE), true);
    },
  );

  check('a process expires once; a second rescuer finds nothing', async ({ store, again, job }) => {
    const victim = await Claimer.join(store, ['A']);
    const id = await add(store, 'A');
    await victim.one();
    const other = await again();
    const both = await Promise.all([store.expire(victim.process), other.expire(victim.process)]);
    assert.deepEqual(
      both.flatMap(({ returned }) => returned),
      [id],
    );
    assert.equal(job(id)?.crashes, 1);
  });

  check('processes are listed with their heartbeats and what they hold', async ({ store, clock }) => {
    const [one, two, three] = [
      await store.register({ ...identity(1), info: '{"workers":2}' }),
      await store.register(identity(2)),
      await store.register(identity(3)),
    ];
    await store.insert([newJob('A'), newJob('A')]);
    await new Claimer(store, one, ['A']).claim();
    await clock.advance(5000);
    assert.equal(await store.beat(one, '{"workers":3}'), true);
    await store.signOff(two);
    await store.expire(three);
    const at = formatTime(MORNING);
    const later = formatTime(MORNING + 5000);
    const common = { host: 'here', bootId: 'boot', kind: 'supervisor', startedAt: at };
    assert.deepEqual(
      (await store.processes()).map((record) => ({ ...record })),
      [
        {
          ...common,
          id: one,
          pid: 1,
          startTime: '1',
          heartbeatAt: later,
          stoppedAt: null,
          lostAt: null,
          info: '{"workers":3}',
          processing: 2,
        },
        {
          ...common,
          id: two,
          pid: 2,
          startTime: '2',
          heartbeatAt: later,
          stoppedAt: later,
          lostAt: null,
          info: '{}',
          processing: 0,
        },
        {
          ...common,
          id: three,
          pid: 3,
          startTime: '3',
          heartbeatAt: at,
          stoppedAt: null,
          lostAt: later,
          info: '{}',
          processing: 0,
        },
      ],
    );
    assert.equal(await store.beat(two, '{}'), false);
  });

  check('processes of long ago are forgotten, and their ids are not used again', async ({ store, clock }) => {
    const old = await store.register(identity(1));
    await store.signOff(old);
    await clock.advance(8 * 86_400_000);
    const young = await store.register(identity(2));
    assert.ok(young > old);
    const third = await store.register(identity(3));
    const listed = (await store.processes()).map(({ id }) => id);
    assert.ok(!listed.includes(old) || listed.length === 3);
    assert.ok(listed.includes(young) && listed.includes(third));
  });

  check(
    'a child of a crashed parent stays blocked until the parent has completed',
    async ({ store, job }) => {
      const victim = await Claimer.join(store, ['A', 'C']);
      const parent = await add(store, 'A');
      const child = await add(store, 'C', { dependsOn: [parent] });
      await victim.one();
      await store.expire(victim.process);
      assert.equal(job(child)?.status, 'blocked');
      const claimer = await Claimer.join(store, ['A', 'C'], 2);
      assert.equal(await claimer.work(COMPLETE), parent);
      assert.equal(await claimer.work(COMPLETE), child);
    },
  );
}
