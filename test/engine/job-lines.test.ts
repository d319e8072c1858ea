/** Jobs as JSON lines: everything that is wrong is told at once, under the names that the writer used. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import {
  insertLines,
  type JobLine,
  LINE_KEYS,
  readLines,
  readOne,
  refuseUnknown,
  toldLines,
} from '../../src/engine/job-lines.ts';
import type { NewJob } from '../../src/engine/store.ts';
import { PassitoError, type Problem } from '../../src/errors.ts';

const times = { read: (text: string) => (text === 'noon' ? 12 : undefined), form: 'noon' };

function problemsOf(action: () => unknown): readonly Problem[] {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof PassitoError, String(error));
    assert.equal(error.code, 'BAD_LINES');
    return error.problems;
  }
  assert.fail('nothing was refused');
}

suite('job lines', () => {
  test('every key is read', () => {
    const [parent, line] = readLines(
      `{"type":"A","ref":"a"}\n\n${JSON.stringify({
        type: 'B', payload: [1], available_at: 'noon', priority: 3, queue: 'q', max_attempts: 2, timeout: '5m',
        backoff: { base: 1 }, memory_limit: '64mb', concurrency: 4, unique_key: 'u', depends_on: [7, 'a'], ref: 'b',
      })}\r\n`, // prettier-ignore
      times,
      'it',
    );
    assert.deepEqual(parent, { number: 1, ref: 'a', after: [], request: { type: 'A', payload: '{}' } });
    assert.deepEqual(line, {
      number: 3,
      ref: 'b',
      after: [7, 'a'],
      request: {
        type: 'B', payload: '[1]', availableAt: 12, priority: 3, queue: 'q', maxAttempts: 2, timeout: '5m',
        backoff: { base: 1 }, memoryLimit: '64mb', concurrency: 4, uniqueKey: 'u',
      },
    }); // prettier-ignore
    assert.equal(readOne('{"type":"A","delay":"5m"}', times, 'it').request.delay, '5m');
  });

  test('all that is wrong is told, each with its line and key', () => {
    const text = [
      '{"type":"A"}',
      'nonsense',
      '[]',
      '{"typ":"A"}',
      '{"type":"a b","max_attempts":0,"memory_limit":"1","queue":"x y","priority":10,"available_at":"one","unique_key":"","depends_on":[0],"ref":1}',
      '{"type":"A","delay":"soon","payload":{}}',
      '{"type":"A","delay":"5m","available_at":"noon"}',
    ].join('\n');
    const problems = problemsOf(() => readLines(text, times, 'it'));
    assert.deepEqual(
      problems.map(({ line, key }) => `${line} ${key ?? ''}`),
      [
        '2 ', '3 ', '4 typ', '4 type', '5 available_at', '5 ref', '5 depends_on', '5 priority', '5 queue',
        '5 max_attempts', '5 memory_limit', '5 type', '5 unique_key', '6 delay', '7 delay',
      ],
    ); // prettier-ignore
    for (const { key, message } of problems) {
      assert.ok(key === undefined || LINE_KEYS.includes(key) || key === 'typ');
      assert.doesNotMatch(message, /maxAttempts|memoryLimit/);
    }
  });

  test('refs that stand twice or that nobody has are told with the other slips, in the order of the lines', () => {
    const text = [
      '{"type":"A","ref":"a","priority":10}',
      '{"type":"A","depends_on":["a","b",7,"b"]}',
      '{"type":"A","ref":"a","depends_on":["c",0]}',
      '{"type":"A","delay":"soon","available_at":"noon"}',
      '{"type":"A","delay":"5m","available_at":"noon"}',
    ].join('\n');
    const told = problemsOf(() => readLines(text, times, 'it')).map(
      ({ line, key, message }) => `${line} ${key}: ${message}`,
    );
    assert.deepEqual(told, [
      '1 priority: priority cannot be 10; it must be a whole number from 0 to 9.',
      "2 depends_on: There is no job with the ref 'b' to depend on.",
      '3 depends_on: \'depends_on\' must be ids or refs, such as [1, "a"]',
      "3 ref: the ref 'a' already stands in line 1",
      "3 depends_on: There is no job with the ref 'c' to depend on.",
      "4 delay: The delay cannot be 'soon'; it must be a duration such as 90s, 5m, 2h or 30d.",
      '4 delay: delay and available_at cannot be used together.',
      '5 delay: delay and available_at cannot be used together.',
    ]);
  });

  test('a circle names its lines, and an id that nobody has its line', () => {
    const line = (ref: string, after: string) => `{"type":"A","ref":"${ref}","depends_on":"${after}"}`;
    assert.throws(
      () => readLines(['', line('a', 'b'), line('b', 'c'), line('c', 'b')].join('\n'), times, 'it'),
      {
        code: 'DEPENDENCY_CYCLE',
        message: 'These jobs wait for each other in a circle: b (line 3) → c (line 4) → b (line 3).',
      },
    );
    const lines = readLines('{"type":"A"}\n{"type":"A","depends_on":[1,2]}', times, 'it');
    const [, second] = lines;
    const unknown = { code: 'UNKNOWN_DEPENDENCY' };
    refuseUnknown(lines, () => undefined);
    assert.throws(() => refuseUnknown(lines, ([, id]) => id), {
      ...unknown,
      message: /^Line 2: There is no job #2 /,
    });
    assert.throws(() => refuseUnknown([second!], () => 1), { ...unknown, message: /^There is no job #1 / });
  });

  test('no more than twenty problems are told, and how many more there are', () => {
    const problems = problemsOf(() => readLines('x\n'.repeat(25), times, 'it'));
    assert.deepEqual([problems.length, problems.at(-1)?.message], [21, '… and 5 more']);
  });

  test('a payload that is too large or too deep is a problem like others', () => {
    const large = `{"type":"A","payload":"${'x'.repeat(10 * 1024 ** 2)}"}`;
    const [problem] = problemsOf(() => readOne(large, times, 'it'));
    assert.deepEqual([problem?.key, problem?.tooLarge], ['payload', true]);
    const deep = `{"type":"A","payload":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    assert.deepEqual(
      problemsOf(() => readOne(deep, times, 'it')).map(({ key, tooLarge }) => [key, tooLarge]),
      [['payload', undefined]],
    );
  });

  test('a single job can wait for ids, and not for refs', () => {
    assert.deepEqual(readOne('{"type":"A","depends_on":3}', times, 'it').after, [3]);
    for (const text of ['{"type":"A","depends_on":"a"}', '{"type":"A","ref":"a","depends_on":"a"}']) {
      const [problem] = problemsOf(() => readOne(text, times, 'it'));
      assert.deepEqual(problem, {
        key: 'depends_on',
        message: "There is no job with the ref 'a' to depend on.",
      });
    }
  });

  test('batches name parents by place, and those of earlier batches by id', async () => {
    const lines: JobLine[] = readLines(
      Array.from({ length: 502 }, (_, i) =>
        JSON.stringify({ type: 'A', ref: `r${i}`, ...(i === 0 ? {} : { depends_on: `r${i - 1}` }) }),
      ).join('\n'),
      times,
      'it',
    );
    const batches: NewJob[][] = [];
    const write = (atomic: boolean) =>
      insertLines(lines, {
        atomic,
        defaults: () => ({ queue: 'own' }),
        insert: async (jobs) => {
          const from = batches.push(jobs) * 1000;
          return jobs.map((_, i) => ({ id: from + i, existing: i === 1 }));
        },
      });
    const inserted = await write(false);
    assert.deepEqual(
      batches.map(({ length }) => length),
      [500, 2],
    );
    assert.deepEqual(batches[0]?.[1]?.dependsOn, [{ index: 0 }]);
    assert.deepEqual([batches[1]?.[0]?.dependsOn, batches[1]?.[1]?.dependsOn], [[1499], [{ index: 0 }]]);
    assert.equal(batches[0]?.[0]?.queue, 'own');
    const told = toldLines(lines, inserted);
    assert.deepEqual([told.dispatched, told.existing], [500, 2]);
    assert.deepEqual(told.jobs[501], { line: 502, ref: 'r501', id: 2001, existing: true });
    batches.length = 0;
    await write(true);
    assert.deepEqual(
      batches.map(({ length }) => length),
      [502],
    );
  });

  test('one that is wrong by what its type says stops all before the first is written', async () => {
    const lines = readLines('{"type":"A"}\n'.repeat(600), times, 'it');
    (lines[599] as JobLine).request.uniqueKey = 'x'.repeat(501);
    let writes = 0;
    const insert = async () => [writes++] as never;
    let asked = 0;
    const defaults = () => {
      asked += 1;
      return undefined;
    };
    await assert.rejects(insertLines(lines, { atomic: false, defaults, insert }), { code: 'BAD_VALUE' });
    assert.equal(writes, 0);
    assert.equal(asked, 1, 'what a type says is looked up once');
  });
});
