/** What threads say of attempts is believed only as far as it is well formed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { readOutcomeText } from '../../src/engine/outcome.ts';

const read = (said: unknown) => readOutcomeText(JSON.stringify(said));

test('a snooze is read with its reason, or without one', () => {
  const plain = { kind: 'snoozed', delay: 5 };
  const why = { ...plain, error: { message: 'the server is busy' } };
  assert.deepEqual(read(plain), plain);
  assert.deepEqual(read(why), why);
  assert.deepEqual(read({ ...why, error: { message: 'x', stack: 'at y' }, lease: 7 }), {
    ...plain,
    error: { message: 'x', stack: 'at y' },
  });
});

test('a snooze whose reason is no error, or whose delay is no time, is not believed', () => {
  for (const error of [null, 'busy', 7, [], {}, { message: 7 }, { message: 'x', stack: 1 }]) {
    assert.equal(read({ kind: 'snoozed', delay: 5, error }), undefined, JSON.stringify(error));
  }
  for (const delay of [null, '5m', -1, undefined, {}]) {
    assert.equal(read({ kind: 'snoozed', delay, error: { message: 'x' } }), undefined, JSON.stringify(delay));
  }
});

test('whatever is said, what is believed has a known kind, and errors that are errors', () => {
  const said = fc.record(
    {
      kind: fc.constantFrom('completed', 'failed', 'discarded', 'snoozed', 'released', 'other'),
      result: fc.jsonValue(),
      delay: fc.oneof(fc.integer(), fc.jsonValue()),
      error: fc.oneof(fc.record({ message: fc.oneof(fc.string(), fc.jsonValue()) }), fc.jsonValue()),
    },
    { requiredKeys: ['kind'] },
  );
  fc.assert(
    fc.property(said, (one) => {
      const outcome = read(one);
      if (outcome === undefined) return;
      assert.notEqual(outcome.kind, 'released');
      if (outcome.kind === 'snoozed') assert.ok(outcome.delay >= 0);
      if ('error' in outcome) assert.equal(typeof outcome.error?.message, 'string');
    }),
    { numRuns: 1000 },
  );
});
