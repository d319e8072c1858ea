/** How many workers there should be, and when the scaler looks. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { type EventMap, Events } from '../../src/engine/events.ts';
import { type ScaleLimits, Scaler, targetWorkers } from '../../src/engine/scaler.ts';
import { FakeClock } from '../tools/engine.ts';

const guide: ScaleLimits = { minWorkers: 1, maxWorkers: 10, scaleUpThreshold: 5, scaleDownThreshold: 2 };

const limits = fc
  .record({
    minWorkers: fc.integer({ min: 1, max: 20 }),
    more: fc.nat(100),
    scaleDownThreshold: fc.integer({ min: 0, max: 20 }),
    gap: fc.integer({ min: 1, max: 20 }),
  })
  .map(({ minWorkers, more, scaleDownThreshold, gap }) => ({
    minWorkers,
    maxWorkers: minWorkers + more,
    scaleDownThreshold,
    scaleUpThreshold: scaleDownThreshold + gap,
  }));
const cases = limits.chain((given) =>
  fc.record({
    given: fc.constant(given),
    current: fc.integer({ min: given.minWorkers, max: given.maxWorkers }),
    pending: fc.nat(3000),
  }),
);

test("the guide's formula, to the letter", () => {
  const of = (pending: number, current: number) => targetWorkers(pending, current, guide);
  assert.equal(of(0, 1), 1);
  assert.equal(of(5, 1), 1, 'at the threshold nothing happens');
  assert.equal(of(6, 1), 2);
  assert.equal(of(23, 1), 5);
  assert.equal(of(500, 1), 10);
  assert.equal(of(6, 3), 3, 'load 2 is not below 2');
  assert.equal(of(5, 3), 1);
  assert.equal(of(15, 8), 3);
  assert.equal(of(0, 10), 1);
});

test('the target lies within the limits, and is what the formula of each side says', () => {
  fc.assert(
    fc.property(cases, ({ given, current, pending }) => {
      const target = targetWorkers(pending, current, given);
      assert.ok(target >= given.minWorkers && target <= given.maxWorkers, `${target}`);
      assert.ok(Number.isInteger(target));
      const load = pending / current;
      const wanted = Math.ceil(pending / given.scaleUpThreshold);
      if (load > given.scaleUpThreshold) {
        assert.equal(target, Math.min(wanted, given.maxWorkers));
        assert.ok(target >= current, 'a high load never shrinks the pool');
      } else if (load < given.scaleDownThreshold) {
        assert.equal(target, Math.max(wanted, given.minWorkers));
        assert.ok(target <= current, 'a low load never grows it');
      } else assert.equal(target, current);
    }),
    { numRuns: 1000 },
  );
});

test('more pending jobs never mean fewer workers', () => {
  fc.assert(
    fc.property(cases, fc.nat(500), ({ given, current, pending }, more) => {
      assert.ok(targetWorkers(pending + more, current, given) >= targetWorkers(pending, current, given));
    }),
    { numRuns: 1000 },
  );
});

test('with an unchanged load the target settles: a second check changes nothing', () => {
  fc.assert(
    fc.property(cases, ({ given, current, pending }) => {
      const first = targetWorkers(pending, current, given);
      assert.equal(targetWorkers(pending, first, given), first);
    }),
    { numRuns: 1000 },
  );
});

/** A scaler over a queue whose length the test sets. */
function open(changes: Partial<ScaleLimits> = {}) {
  const clock = new FakeClock();
  const events = new Events();
  const queue = { due: 0, asked: [] as number[], broken: false };
  const applied: number[] = [];
  const scaled: EventMap['scaled'][] = [];
  const troubles: EventMap['trouble'][] = [];
  events.on('scaled', (event) => scaled.push(event));
  events.on('trouble', (event) => troubles.push(event));
  const scaler = new Scaler({
    limits: { ...guide, ...changes },
    interval: 10_000,
    clock,
    events,
    countDue: async (limit) => {
      queue.asked.push(limit);
      if (queue.broken) throw new Error('the disk is full');
      return Math.min(queue.due, limit);
    },
    apply: (target) => applied.push(target),
  });
  return { clock, queue, applied, scaled, troubles, scaler };
}

test('it begins with the fewest workers and looks every interval', async () => {
  const { clock, queue, applied, scaled, scaler } = open();
  scaler.start();
  assert.deepEqual(applied, [1]);
  queue.due = 23;
  await clock.advance(9999);
  assert.deepEqual(queue.asked, []);
  await clock.advance(1);
  assert.deepEqual(queue.asked, [51], 'no further than it needs to know');
  assert.deepEqual(applied, [1, 5]);
  assert.deepEqual(scaled, [{ from: 1, to: 5, pending: '23', load: 23, reason: 'check' }]);
  queue.due = 0;
  await clock.advance(10_000);
  assert.deepEqual(applied, [1, 5, 1]);
  await clock.advance(60_000);
  assert.deepEqual(applied, [1, 5, 1], 'no change, no word');
  assert.equal(scaled.length, 2);
});

test('a longer queue than it needs to know is shown as such', async () => {
  const { clock, queue, scaled, scaler } = open();
  scaler.start();
  queue.due = 1_000_000;
  await clock.advance(10_000);
  assert.equal(scaled[0]?.pending, '50+');
  assert.equal(scaled[0]?.to, 10);
});

test('a burst is looked at soon, but only to grow', async () => {
  const { clock, queue, applied, scaler } = open();
  scaler.start();
  queue.due = 30;
  for (let i = 0; i < 100; i++) scaler.burst();
  await clock.advance(250);
  assert.deepEqual(queue.asked.length, 1, 'a hundred bursts are one look');
  assert.deepEqual(applied, [1, 6]);
  queue.due = 0;
  scaler.burst();
  await clock.advance(250);
  assert.deepEqual(applied, [1, 6], 'shrinking waits for the check');
  await clock.advance(10_000);
  assert.deepEqual(applied, [1, 6, 1]);
});

test('at the most workers a burst is not looked at', async () => {
  const { clock, queue, scaler } = open({ maxWorkers: 1 });
  scaler.start();
  queue.due = 30;
  scaler.burst();
  await clock.advance(1000);
  assert.deepEqual(queue.asked, []);
});

test('a store that fails does not stop the checks', async () => {
  const { clock, queue, applied, troubles, scaler } = open();
  scaler.start();
  queue.broken = true;
  queue.due = 10;
  await clock.advance(20_000);
  assert.equal(troubles.length, 2);
  queue.broken = false;
  await clock.advance(10_000);
  assert.deepEqual(applied, [1, 2]);
});

test('after a stop nothing is looked at, and no timer is left', async () => {
  const { clock, queue, scaler } = open();
  scaler.start();
  scaler.burst();
  scaler.stop();
  assert.equal(clock.timers, 0);
  await clock.advance(60_000);
  assert.deepEqual(queue.asked, []);
});

test('an admin’s wish for more, or for fewer, counts from the next check on, and until it lapses', async () => {
  const clock = new FakeClock();
  const applied: number[] = [];
  const wish: { max: number | undefined } = { max: undefined };
  const scaler = new Scaler({
    limits: guide,
    interval: 10_000,
    clock,
    events: new Events(),
    countDue: async (limit) => Math.min(limit, 1000),
    ceiling: async () => wish.max,
    apply: (target) => applied.push(target),
  });
  scaler.start();
  await clock.advance(10_000);
  wish.max = 50;
  await clock.advance(10_000);
  wish.max = 3;
  await clock.advance(10_000);
  assert.equal(scaler.limits.maxWorkers, 3);
  wish.max = undefined;
  await clock.advance(10_000);
  assert.deepEqual(applied, [1, 10, 50, 3, 10]);
});
