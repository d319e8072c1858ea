/** Settling: one guarded write for each end of an attempt, and only while the lease stands. */

import assert from 'node:assert/strict';

import { formatTime } from '../../../src/engine/clock.ts';
import type { Settlement } from '../../../src/engine/job.ts';
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
  waitFor,
} from '../../tools/store.ts';
import type { Check } from '../contract.ts';

const ENDS: Settlement[] = [COMPLETE, FAIL, DISCARD, RELEASE, waitFor('a reason', 0), retryAfter(1000)];

export function settleContract(check: Check): void {
  check(
    'complete keeps the result and the time, and forgets the last error',
    async ({ store, job, clock }) => {
      const claimer = await Claimer.join(store, ['A']);
      const id = await add(store, 'A');
      await claimer.work(retryAfter(0, 'first'));
      assert.equal(job(id)?.lastError, 'first');
      await clock.advance(250);
      await claimer.work({ move: 'complete', result: '{"ok":true}' });
      const row = job(id);
      assert.equal(row?.status, 'completed');
      assert.equal(row?.result, '{"ok":true}');
      assert.equal(row?.finishedAt, formatTime(MORNING + 250));
      assert.equal(row?.lastError, null);
      assert.equal(row?.attempts, 2);
    },
  );

  check(
    'retry waits, keeps its attempt and what went wrong with it',
    async ({ store, job, attempts, clock }) => {
      const claimer = await Claimer.join(store, ['A']);
      const id = await add(store, 'A');
      const first = await claimer.one();
      const settlement: Settlement = {
        move: 'retry',
        delay: 5000,
        error: { message: 'no route', stack: 'at x' },
      };
      await claimer.settle(first, settlement);
      assert.equal(job(id)?.status, 'pending');
      assert.equal(job(id)?.attempts, 1);
      assert.equal(job(id)?.lastError, 'no route');
      assert.deepEqual(attempts(id), [
        { attempt: 1, outcome: 'failed', error: 'no route', process: claimer.process },
      ]);
      const waiting = await claimer.look();
      assert.deepEqual(waiting.claimed, []);
      assert.equal(waiting.nextDue, MORNING + 5000);
      await clock.advance(5000);
      const second = await claimer.one();
      assert.equal(second.attempt, 2);
      assert.ok(second.lease > first.lease);
    },
  );

  check('[25] fail keeps the error with the job and with each attempt', async ({ store, job, attempts }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A');
    await claimer.work(retryAfter(0, 'one'));
    await claimer.work(FAIL);
    assert.equal(job(id)?.status, 'failed');
    assert.equal(job(id)?.lastError, 'broken');
    assert.equal(job(id)?.finishedAt, formatTime(MORNING));
    assert.deepEqual(
      attempts(id).map(({ attempt, outcome, error }) => ({ attempt, outcome, error })),
      [
        { attempt: 1, outcome: 'failed', error: 'one' },
        { attempt: 2, outcome: 'failed', error: 'broken' },
      ],
    );
    assert.deepEqual(await claimer.ids(), []);
  });

  check('discard fails at once and is told from an ordinary failure', async ({ store, job, attempts }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A', { maxAttempts: 5 });
    await claimer.work(DISCARD);
    assert.equal(job(id)?.status, 'failed');
    assert.deepEqual(
      attempts(id).map(({ outcome }) => outcome),
      ['discarded'],
    );
  });

  check('[27] a snooze gives the attempt back and waits', async ({ store, job, clock }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A');
    await claimer.work({ move: 'release', delay: 60_000 });
    assert.equal(job(id)?.status, 'pending');
    assert.equal(job(id)?.attempts, 0);
    assert.equal((await claimer.look()).nextDue, MORNING + 60_000);
    await clock.advance(60_000);
    assert.equal((await claimer.one()).attempt, 1);
  });

  check(
    '[27] a snooze keeps its reason until the job completes; one without a reason leaves it',
    async ({ store, job, attempts, clock }) => {
      const claimer = await Claimer.join(store, ['A']);
      const id = await add(store, 'A');
      await claimer.work(waitFor('the server is busy', 60_000));
      assert.equal(job(id)?.status, 'pending');
      assert.equal(job(id)?.attempts, 0);
      assert.equal(job(id)?.lastError, 'the server is busy');
      assert.deepEqual(attempts(id), [], 'a wait is no attempt that went wrong');
      await clock.advance(60_000);
      await claimer.work(RELEASE);
      assert.equal(job(id)?.lastError, 'the server is busy');
      await claimer.work(waitFor('it is busy still', 0));
      assert.equal(job(id)?.lastError, 'it is busy still');
      await claimer.work(COMPLETE);
      assert.equal(job(id)?.lastError, null);
      assert.equal(job(id)?.attempts, 1);
    },
  );

  check('a release is due at once, also after the clock was set back', async ({ store, job, clock }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A');
    const running = await claimer.one();
    clock.jump(-3_600_000);
    await claimer.settle(running, RELEASE);
    assert.equal(job(id)?.status, 'pending');
    assert.equal(job(id)?.attempts, 0);
    clock.jump(3_600_000);
    assert.equal((await claimer.one()).id, id);
  });

  check('[23] an attempt is settled exactly once, however it ended', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    for (const first of ENDS) {
      const id = await add(store, 'A');
      const attempt = (await claimer.claim()).find((one) => one.id === id);
      assert.ok(attempt);
      assert.equal(await claimer.settle(attempt, first), true);
      const after = job(id);
      for (const second of ENDS) assert.equal(await claimer.settle(attempt, second), false);
      assert.deepEqual(job(id), after, `nothing changed after ${first.move}`);
    }
  });

  check('[23] two settles of one attempt in one exchange: the first counts', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A');
    const attempt = await claimer.one();
    const { settled } = await store.exchange([settleOf(attempt, COMPLETE), settleOf(attempt, FAIL)], null);
    assert.deepEqual(settled, [true, false]);
    assert.equal(job(id)?.status, 'completed');
  });

  check(
    'a settle of an unknown job, or of a job that nobody claimed, changes nothing',
    async ({ store, job }) => {
      const id = await add(store, 'A');
      const { settled } = await store.exchange(
        [settleOf({ id: 4711, lease: 1 }, COMPLETE), settleOf({ id, lease: 0 }, COMPLETE)],
        null,
      );
      assert.deepEqual(settled, [false, false]);
      assert.equal(job(id)?.status, 'pending');
    },
  );

  check('what is settled in an exchange is free for its claim', async ({ store }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A');
    const attempt = await claimer.one();
    const { settled, claimed } = await store.exchange([settleOf(attempt, RELEASE)], {
      process: claimer.process,
      slots: 1,
      ahead: 0,
      most: 1000,
      types: new Map([['A', { weight: 1, concurrency: 1 }]]),
      queues: null,
      suspects: 'any',
    });
    assert.deepEqual(settled, [true]);
    assert.deepEqual(
      claimed.map((one) => one.id),
      [id],
    );
  });

  check('redacted fields are dropped at completion, and only then', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    const payload = JSON.stringify({ to: 'a', password: 's', 'a.b': 1, 'q"u\\o': 2, $: 3, '[0]': 4 });
    const redact = ['password', 'a.b', 'q"u\\o', '$', '[0]', 'absent'];
    const id = await add(store, 'A', { payload });
    const first = await claimer.one();
    await store.exchange([{ ...settleOf(first, retryAfter(0)), redact }], null);
    assert.equal(job(id)?.payload, payload);
    const second = await claimer.one();
    await store.exchange([{ ...settleOf(second, COMPLETE), redact }], null);
    assert.deepEqual(JSON.parse(job(id)?.payload ?? ''), { to: 'a' });
  });

  check('redacting a payload that is no object harms nothing', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A', { payload: '[1,"two"]' });
    await store.exchange([{ ...settleOf(await claimer.one(), COMPLETE), redact: ['password'] }], null);
    assert.equal(job(id)?.status, 'completed');
    assert.equal(job(id)?.payload, '[1,"two"]');
  });

  check('progress is kept while the lease stands, and dropped after', async ({ store, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    const id = await add(store, 'A');
    const attempt = await claimer.one();
    await store.progress(id, attempt.lease, '{"percent":40}');
    assert.equal(job(id)?.progress, '{"percent":40}');
    await claimer.settle(attempt, retryAfter(0));
    await store.progress(id, attempt.lease, '{"percent":50}');
    assert.equal(job(id)?.progress, '{"percent":40}');
  });

  check('a large exchange is one step: hundreds of settles and claims', async ({ store, all, job }) => {
    const claimer = await Claimer.join(store, ['A']);
    await store.insert(Array.from({ length: 600 }, () => newJob('A')));
    const claimed = await claimer.claim({ slots: 300 });
    const { settled, claimed: next } = await store.exchange(
      claimed.map((one) => settleOf(one, COMPLETE)),
      {
        process: claimer.process,
        slots: 1000,
        ahead: 0,
        most: 1000,
        types: new Map([['A', { weight: 1, concurrency: 1000 }]]),
        queues: null,
        suspects: 'any',
      },
    );
    assert.ok(settled.every(Boolean));
    assert.equal(next.length, 300);
    assert.deepEqual(
      all()
        .map((id) => job(id)?.status)
        .filter((status) => status === 'completed').length,
      300,
    );
  });
}
