/** The state machine, as data and as decisions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { backoffDelay, DEFAULT_BACKOFF } from '../../src/engine/backoff.ts';
import {
  afterCrash,
  allows,
  decide,
  JOB_STATES,
  MAX_CRASHES,
  type Move,
  MOVES,
  type Outcome,
} from '../../src/engine/job.ts';
import { numbers } from '../tools/engine.ts';

const facts = { attempt: 1, maxAttempts: 3, backoff: DEFAULT_BACKOFF };
const half = numbers(0.5);

test('every state but the last ones can be left, and every state can be reached', () => {
  const moves = Object.values(MOVES);
  const reached = new Set<string>([...moves.flatMap(({ to }) => to), 'pending', 'blocked']);
  assert.deepEqual([...reached].sort(), [...JOB_STATES].sort());
  const left = new Set<string>(moves.flatMap(({ from }) => from));
  assert.deepEqual(
    JOB_STATES.filter((state) => !left.has(state)),
    ['completed'],
    'a completed job never changes',
  );
});

test('allows() is what the table of moves says', () => {
  const moves = Object.keys(MOVES) as Move[];
  fc.assert(
    fc.property(fc.constantFrom(...moves), fc.constantFrom(...JOB_STATES), (move, state) => {
      assert.equal(allows(move, state), (MOVES[move].from as readonly string[]).includes(state));
    }),
  );
  assert.equal(allows('cancel', 'processing'), true);
  assert.equal(allows('cancel', 'failed'), false);
  assert.equal(allows('revive', 'completed'), false);
  assert.equal(allows('complete', 'pending'), false);
});

test('an attempt that completed completes, with its result and what it dispatched', () => {
  assert.deepEqual(decide({ kind: 'completed', result: '1' }, facts, half), {
    move: 'complete',
    result: '1',
  });
  const dispatches = [{ ref: 'a', type: 'B', payload: '{}' }];
  assert.deepEqual(decide({ kind: 'completed', result: null, dispatches }, facts, half), {
    move: 'complete',
    result: null,
    dispatches,
  });
});

test('[25] a failure is tried again until the last attempt, then it fails with its error', () => {
  const error = { message: 'no route', stack: 'at x' };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), (attempt, maxAttempts) => {
      const settlement = decide({ kind: 'failed', error }, { ...facts, attempt, maxAttempts }, half);
      if (attempt < maxAttempts) {
        const delay = backoffDelay(DEFAULT_BACKOFF, attempt, half);
        assert.deepEqual(settlement, { move: 'retry', delay, error });
      } else assert.deepEqual(settlement, { move: 'fail', error, discarded: false });
    }),
  );
});

test('[27] a snooze and a release give the attempt back, also at the last one', () => {
  const last = { ...facts, attempt: 3 };
  assert.deepEqual(decide({ kind: 'snoozed', delay: 60_000 }, last, half), {
    move: 'release',
    delay: 60_000,
  });
  assert.deepEqual(decide({ kind: 'released' }, last, half), { move: 'release', delay: 0 });
});

test('[27] a snooze keeps its reason, whatever attempt it is, and spends none', () => {
  const reasons = fc.option(fc.record({ message: fc.string() }), { nil: undefined });
  fc.assert(
    fc.property(
      reasons,
      fc.nat(),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      (error, delay, attempt, maxAttempts) => {
        const why = error === undefined ? {} : { error };
        const settlement = decide(
          { kind: 'snoozed', delay, ...why },
          { ...facts, attempt, maxAttempts },
          half,
        );
        assert.deepEqual(settlement, { move: 'release', delay, ...why });
      },
    ),
  );
});

test('a discard fails at once, whatever attempts are left', () => {
  const error = { message: 'no such student' };
  assert.deepEqual(decide({ kind: 'discarded', error }, facts, half), {
    move: 'fail',
    error,
    discarded: true,
  });
});

test('whatever the outcome, the move may start in processing', () => {
  const error = fc.record({ message: fc.string() });
  const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
    fc.record({ kind: fc.constant('completed' as const), result: fc.option(fc.string()) }),
    fc.record({ kind: fc.constant('failed' as const), error }),
    fc.record({ kind: fc.constant('discarded' as const), error }),
    fc.record({ kind: fc.constant('snoozed' as const), delay: fc.nat() }),
    fc.record({ kind: fc.constant('snoozed' as const), delay: fc.nat(), error }),
    fc.record({ kind: fc.constant('released' as const) }),
  );
  fc.assert(
    fc.property(
      outcomes,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      (outcome, attempt, maxAttempts) => {
        const { move } = decide(outcome, { ...facts, attempt, maxAttempts }, Math.random);
        assert.ok(allows(move, 'processing'));
      },
    ),
  );
});

test('[16] the third crash is the last', () => {
  assert.equal(MAX_CRASHES, 3);
  assert.deepEqual([0, 1, 2, 3].map(afterCrash), ['pending', 'pending', 'failed', 'failed']);
});

const policies = fc.record({
  base: fc.integer({ min: 1, max: 3_600_000 }),
  factor: fc.double({ min: 1, max: 100, noNaN: true }),
  max: fc.integer({ min: 1, max: 86_400_000 }),
});
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('[24] a wait lies between half of the full one and all of it, in whole milliseconds', () => {
  fc.assert(
    fc.property(policies, fc.integer({ min: 1, max: 1000 }), chance, (policy, attempt, random) => {
      const full = Math.min(policy.base * policy.factor ** (attempt - 1), policy.max);
      const delay = backoffDelay(policy, attempt, () => random);
      assert.ok(Number.isInteger(delay));
      assert.ok(delay >= Math.floor(full / 2) && delay <= Math.ceil(full), `${delay} of ${full}`);
    }),
    { numRuns: 1000 },
  );
});

test('[24] waits grow with the attempts, up to the most, and chance spreads them over the whole half', () => {
  const full = (attempt: number) => backoffDelay(DEFAULT_BACKOFF, attempt, () => 1 - Number.EPSILON);
  assert.deepEqual(
    [1, 2, 3, 4, 9, 10, 500].map(full),
    [10_000, 20_000, 40_000, 80_000, 2_560_000, 3_600_000, 3_600_000],
  );
  assert.equal(
    backoffDelay(DEFAULT_BACKOFF, 1, () => 0),
    5000,
  );
  const seen = new Set(Array.from({ length: 200 }, () => backoffDelay(DEFAULT_BACKOFF, 1, Math.random)));
  assert.ok(seen.size > 100, 'jobs that failed together do not come back together');
});
