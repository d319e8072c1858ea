/** The same trouble over and over: told at once, then once a minute. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Repeats } from '../../src/edge/repeats.ts';

test('what comes every second is told at once, then once a minute with how often it came', () => {
  const repeats = new Repeats();
  const told: number[] = [];
  for (let second = 0; second <= 180; second++) {
    const times = repeats.count('full', second * 1000);
    if (times > 0) told.push(times);
  }
  assert.deepEqual(told, [1, 60, 60, 60]);
});

test('what is new is told at once, and again when it comes back after a quiet time', () => {
  const repeats = new Repeats();
  assert.equal(repeats.count('full', 0), 1);
  assert.equal(repeats.count('locked', 1), 1);
  assert.equal(repeats.count('full', 2), 0);
  assert.equal(repeats.count('locked', 300_000), 1);
  assert.equal(repeats.count('full', 300_001), 1, 'two of them, five minutes apart, are two troubles');
});
