/** How many jobs make a chunk, and how long a suspect has the process to itself. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { MAX_CHUNK } from '../../src/engine/arena.ts';
import { nextMean, Pace, takeChunk, weightOf } from '../../src/engine/pace.ts';
import { soloWindow } from '../../src/engine/solo.ts';

const microseconds = fc.double({ min: 0, max: 1e10, noNaN: true });

test('a weight lies between a 256th of a worker and a whole one, and only grows with the time taken', () => {
  fc.assert(
    fc.property(microseconds, microseconds, (a, b) => {
      assert.ok(weightOf(a) >= 1 / MAX_CHUNK && weightOf(a) <= 1);
      if (a <= b) assert.ok(weightOf(a) <= weightOf(b));
    }),
  );
  assert.equal(weightOf(undefined), 1, 'what is not known counts as slow');
  assert.equal(weightOf(2000), 1);
  assert.equal(weightOf(1000), 1 / 2);
  assert.equal(weightOf(0), 1 / 256);
});

test('the mean rises at once to a slow sample, falls slowly, and stays among the samples', () => {
  assert.equal(nextMean(undefined, 70), 70);
  assert.equal(nextMean(10, 1000), 1000);
  assert.equal(nextMean(1000, 0), 800);
  fc.assert(
    fc.property(fc.array(microseconds, { minLength: 1 }), (samples) => {
      let mean: number | undefined;
      for (const sample of samples) mean = nextMean(mean, sample);
      assert.ok(
        mean !== undefined && mean >= Math.min(...samples) * 0.999 && mean <= Math.max(...samples) * 1.001,
      );
    }),
  );
});

test('each type has a pace of its own', () => {
  const pace = new Pace();
  assert.equal(pace.weight('Fast'), 1);
  pace.note('Fast', 5);
  pace.note('Slow', 20_000);
  assert.equal(pace.weight('Fast'), 1 / 256);
  assert.equal(pace.weight('Slow'), 1);
  pace.note('Fast', 9000);
  assert.equal(pace.weight('Fast'), 1, 'one slow job is believed at once');
});

test('chunks take everything once, in order, never more than fits a worker, and share it out', () => {
  const weights = fc.array(fc.constantFrom(1, 0.5, 1 / 3, 0.1, 1 / 256), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(weights, fc.integer({ min: 0, max: 10 }), (jobs, workers) => {
      const buffer = jobs.map((weight, index) => ({ weight, index }));
      const taken: number[] = [];
      while (buffer.length > 0) {
        const before = buffer.length;
        const chunk = takeChunk(buffer, ({ weight }) => weight, workers);
        assert.ok(chunk.length >= 1, 'a worker is never given nothing');
        assert.ok(chunk.length <= MAX_CHUNK);
        assert.ok(chunk.length <= Math.max(1, Math.ceil(before / Math.max(workers, 1))));
        const sum = chunk.reduce((total, { weight }) => total + weight, 0);
        assert.ok(chunk.length === 1 || sum <= 1 + 1e-6, `${sum} of a worker`);
        taken.push(...chunk.map(({ index }) => index));
      }
      assert.deepEqual(
        taken,
        jobs.map((_, index) => index),
      );
    }),
  );
});

test('a slow job is never in a chunk with others', () => {
  const buffer = [1 / 256, 1 / 256, 1, 1 / 256].map((weight) => ({ weight }));
  const sizes: number[] = [];
  while (buffer.length > 0) sizes.push(takeChunk(buffer, ({ weight }) => weight, 1).length);
  assert.deepEqual(sizes, [2, 1, 1]);
});

test('a suspect has the process to itself for a while, after a second crash for as long as it runs', () => {
  assert.equal(soloWindow(2, 0, 0), Number.POSITIVE_INFINITY);
  assert.equal(soloWindow(3, 1e9, 500), Number.POSITIVE_INFINITY);
  assert.equal(soloWindow(1, 0, 0), 4000);
  fc.assert(
    fc.property(fc.nat(1e6), fc.nat(2000), (elapsed, waiting) => {
      const window = soloWindow(1, elapsed, waiting);
      assert.ok(window >= 10 && window <= 4000);
    }),
  );
});

test('all suspects have had their turn within five seconds, however many they are', () => {
  for (const count of [1, 2, 10, 100]) {
    let elapsed = 0;
    for (let waiting = count - 1; waiting >= 0; waiting--) elapsed += soloWindow(1, elapsed, waiting);
    assert.ok(elapsed <= 5000, `${count} suspects take ${elapsed} ms`);
  }
});
