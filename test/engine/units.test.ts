/** Durations and sizes as people write them; the options of a type; time as text. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { DEFAULT_BACKOFF } from '../../src/engine/backoff.ts';
import { formatTime, parseTime } from '../../src/engine/clock.ts';
import { JobPayloadBuilder } from '../../src/engine/payload-builder.ts';
import { completeType, DEFAULTS, NAME, optionProblems, storedOptions } from '../../src/engine/types.ts';
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  roughDuration,
} from '../../src/engine/units.ts';

test('durations are read as they are written', () => {
  const read: [unknown, number | undefined][] = [
    ['90s', 90_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['30d', 2_592_000_000],
    ['250ms', 250],
    ['1.5h', 5_400_000],
    [' 5 m ', 300_000],
    ['5M', 300_000],
    ['0', 0],
    [0, 0],
    [1500, 1500],
    ['5', undefined],
    ['', undefined],
    ['m', undefined],
    ['-5m', undefined],
    ['5m30s', undefined],
    ['5 minutes', undefined],
    ['1e3s', undefined],
    [-1, undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    ['99999d', undefined],
    [null, undefined],
    [undefined, undefined],
    [{}, undefined],
  ];
  for (const [given, expected] of read) assert.equal(parseDuration(given), expected, String(given));
});

test('a duration that was written is read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3653 * 86_400_000 }), (ms) => {
      assert.equal(parseDuration(formatDuration(ms)), ms);
    }),
  );
  assert.deepEqual([0, 1, 1000, 90_000, 300_000, 7_200_000, 86_400_000].map(formatDuration), [
    '0',
    '1ms',
    '1s',
    '90s',
    '5m',
    '2h',
    '1d',
  ]);
});

test('rough durations have one unit', () => {
  const given = [0, 12.4, 999, 93_784, 119_999, 600_000, 7_300_000, 400_000_000];
  assert.deepEqual(given.map(roughDuration), ['0s', '12ms', '999ms', '94s', '120s', '10m', '2h', '5d']);
  fc.assert(fc.property(fc.nat(), (ms) => assert.match(roughDuration(ms), /^\d+(ms|s|m|h|d)$/)));
});

test('sizes', () => {
  assert.deepEqual(
    ['256mb', '1gb', '512KB', '7b', 4096, '1.5mb'].map(parseSize),
    [268_435_456, 1_073_741_824, 524_288, 7, 4096, 1_572_864],
  );
  for (const bad of ['256', 'mb', '-1mb', '1tb', -1, Number.NaN, null]) {
    assert.equal(parseSize(bad), undefined);
  }
  assert.deepEqual([0, 1023, 1024, 1_572_864, 2 ** 30].map(formatSize), [
    '0 B',
    '1023 B',
    '1 KB',
    '1.5 MB',
    '1 GB',
  ]);
});

test('time as text sorts as time does, and is read back', () => {
  const times = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
  fc.assert(
    fc.property(times, times, (a, b) => {
      assert.equal(parseTime(formatTime(a)), a);
      assert.equal(
        Math.sign(a - b),
        formatTime(a) < formatTime(b) ? -1 : formatTime(a) > formatTime(b) ? 1 : 0,
      );
    }),
  );
  assert.equal(formatTime(0), '1970-01-01 00:00:00.000');
  assert.equal(parseTime('2026-11-23 08:00:00'), Date.UTC(2026, 10, 23, 8));
});

test('good options have no problems', () => {
  assert.deepEqual(optionProblems({}), []);
  assert.deepEqual(
    optionProblems({
      maxAttempts: 1,
      backoff: { base: '1s', factor: 1, max: '1h' },
      timeout: 0,
      memoryLimit: '16mb',
      priority: 9,
      queue: 'mail.out:1-2_3',
      concurrency: 1,
    }),
    [],
  );
});

test('each bad option is named with its value and what is allowed', () => {
  const bad: [Record<string, unknown>, RegExp][] = [
    [{ maxAttempts: 0 }, /^maxAttempts cannot be 0; it must be a whole number from 1 to 1000$/],
    [{ maxAttempts: '3' }, /^maxAttempts cannot be '3'/],
    [{ timeout: '5 parsecs' }, /^timeout cannot be '5 parsecs'; it must be a duration/],
    [{ timeout: -1 }, /^timeout cannot be -1/],
    [{ memoryLimit: '1mb' }, /^memoryLimit cannot be '1mb'; it must be .*at least 16mb/],
    [{ priority: 10 }, /^priority cannot be 10; it must be a whole number from 0 to 9/],
    [{ priority: 1.5 }, /^priority cannot be 1.5/],
    [{ queue: '' }, /^queue cannot be ''/],
    [{ queue: 'a b' }, /^queue cannot be 'a b'/],
    [{ queue: 7 }, /^queue cannot be 7/],
    [{ concurrency: 0 }, /^concurrency cannot be 0/],
    [{ backoff: '10s' }, /^backoff cannot be '10s'/],
    [{ backoff: null }, /^backoff cannot be null/],
    [{ backoff: { base: 'x' } }, /^backoff.base cannot be 'x'/],
    [{ backoff: { max: -1 } }, /^backoff.max cannot be -1/],
    [{ backoff: { factor: 0.5 } }, /^backoff.factor cannot be 0.5/],
  ];
  for (const [options, message] of bad) {
    const problems = optionProblems(options);
    assert.equal(problems.length, 1, JSON.stringify(options));
    assert.match(problems[0] ?? '', message);
  }
  assert.equal(optionProblems({ maxAttempts: 0, priority: 10, backoff: { base: 'x', factor: 0 } }).length, 4);
});

test('whatever the options, checking them throws nothing, and no line is long', () => {
  const keys = fc.constantFrom(
    'maxAttempts',
    'backoff',
    'timeout',
    'memoryLimit',
    'priority',
    'queue',
    'concurrency',
  );
  fc.assert(
    fc.property(fc.dictionary(keys, fc.anything({ withBigInt: false })), (options) => {
      for (const problem of optionProblems(options)) assert.ok(problem.length < 200, problem);
    }),
  );
  for (const hostile of [1n, Symbol('x'), () => 1]) {
    assert.doesNotThrow(() => optionProblems({ priority: hostile, queue: hostile, backoff: hostile }));
  }
});

test('a type is completed with the defaults', () => {
  assert.deepEqual(completeType({ type: 'A', source: '/a.ts' }), {
    type: 'A',
    source: '/a.ts',
    ...DEFAULTS,
    backoff: DEFAULT_BACKOFF,
    redact: [],
    checked: false,
  });
  const own = completeType({
    type: 'A',
    source: '/a.ts',
    maxAttempts: 5,
    timeout: '30s',
    memoryLimit: '64mb',
    backoff: { base: '1s' },
    queue: 'mail',
    priority: 2,
    concurrency: 4,
    redact: ['password'],
  });
  assert.equal(own.timeout, 30_000);
  assert.equal(own.memoryLimit, 64 * 1024 ** 2);
  assert.deepEqual(own.backoff, { base: 1000, factor: 2, max: 3_600_000 });
  assert.deepEqual([own.maxAttempts, own.queue, own.priority, own.concurrency], [5, 'mail', 2, 4]);
  assert.equal(completeType({ type: 'A', source: '', timeout: 0 }).timeout, 0);
});

test("one job's own options are kept as numbers", () => {
  assert.equal(storedOptions({}), null);
  assert.equal(
    storedOptions({ priority: 3, queue: 'mail', maxAttempts: 2 }),
    null,
    'these have columns of their own',
  );
  assert.deepEqual(
    JSON.parse(storedOptions({ timeout: '5m', memoryLimit: '64mb', backoff: { factor: 3 } }) ?? ''),
    {
      timeout: 300_000,
      memoryLimit: 67_108_864,
      backoff: { base: 10_000, factor: 3, max: 3_600_000 },
    },
  );
});

test('names need no quoting', () => {
  for (const good of ['A', 'GenerateQrCode', 'mail.out', 'a:b-c_d', '9', 'Ärger', '_x']) {
    assert.match(good, NAME);
  }
  for (const bad of ['', ' ', 'a b', '-a', '.a', 'a/b', '../x', "a'b", 'a\n', 'x'.repeat(101)]) {
    assert.doesNotMatch(bad, NAME);
  }
});

test('the payload builder collects fields and parents', () => {
  const builder = new JobPayloadBuilder()
    .set('id', 123)
    .set('id', 124)
    .set('__proto__', 'x')
    .dependsOn(1)
    .dependsOn([2, 3]);
  assert.equal(JSON.stringify(builder.payload), '{"id":124,"__proto__":"x"}');
  assert.deepEqual(builder.parents, [1, 2, 3]);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});
