/** Jobs as JSON lines: everything that is wrong is told at once, under the names that the writer used. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import {
  insertLines,
  type JobLine,
  LINE_KEYS,
  readLines,
  readOne,
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
    assert.throws(() => readOne('{"type":"A","depends_on":"a"}', times, 'it'), /no job with the ref 'a'/);
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
