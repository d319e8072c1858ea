/** Schedules of the config file: what they may say, and what is said where they are wrong. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readSchedules } from '../../src/config/schedules.ts';

const read = (given: unknown) => readSchedules(given, { zone: 'Asia/Kolkata', backups: false }, 'schedules');

test('three are built in, in the office’s zone', () => {
  const { schedules, problems } = read(undefined);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    schedules.map(({ name, cron, zone, request }) => [name, cron, zone, request?.type]),
    [
      ['cleanup-expired-files', '0 2 * * *', 'Asia/Kolkata', 'CleanupExpiredFiles'],
      ['dispatch-scheduled-reports', '* * * * *', 'Asia/Kolkata', undefined],
      ['prune-jobs', '30 3 * * *', 'Asia/Kolkata', undefined],
    ],
  );
});

test('they can be moved and switched off, and others added', () => {
  const { schedules, problems } = read({
    'cleanup-expired-files': { cron: '0 4 * * *', zone: 'UTC' },
    'prune-jobs': false,
    sync: {
      cron: '@hourly',
      type: 'Sync',
      payload: { a: 1 },
      queue: 'slow',
      overlap: 'queue',
      catchUp: 'all',
    },
  });
  assert.deepEqual(problems, []);
  const [cleanup, , sync] = schedules;
  assert.deepEqual(
    [cleanup?.cron, cleanup?.zone, cleanup?.request?.type],
    ['0 4 * * *', 'UTC', 'CleanupExpiredFiles'],
  );
  assert.deepEqual(sync, {
    name: 'sync',
    cron: '@hourly',
    zone: 'Asia/Kolkata',
    overlap: 'queue',
    catchUp: 'all',
    request: { type: 'Sync', payload: '{"a":1}', queue: 'slow' },
  });
});

for (const [what, entry, problem] of [
  ['no expression', { type: 'A' }, "schedules.x.cron is missing: five fields, such as '30 2 * * MON'."],
  [
    'a bad expression',
    { cron: '0 25 * * *', type: 'A' },
    /^schedules\.x\.cron cannot be '0 25 \* \* \*': .*\.$/,
  ],
  [
    'no type',
    { cron: '@daily' },
    'schedules.x.type is missing: the type of the job that each tick dispatches.',
  ],
  ['a bad type', { cron: '@daily', type: '../a' }, /^schedules\.x: The type cannot be '\.\.\/a'/],
  [
    'a zone that is none',
    { cron: '@daily', type: 'A', zone: 'Mars' },
    'schedules.x.zone cannot be "Mars"; it must be an IANA zone such as Asia/Kolkata.',
  ],
  [
    'a slip',
    { cron: '@daily', type: 'A', overlapp: 'skip' },
    "schedules.x has no 'overlapp'; did you mean 'overlap'?",
  ],
  [
    'a word that is none',
    { cron: '@daily', type: 'A', catchUp: 'some' },
    'schedules.x.catchUp cannot be "some"; it must be one of: latest, all, skip.',
  ],
  ['a bad option of the job', { cron: '@daily', type: 'A', priority: 11 }, /^schedules\.x: .*priority/],
  [
    'a number as expression',
    { cron: 5, type: 'A' },
    "schedules.x.cron cannot be 5; it must be a text of five fields, such as '30 2 * * MON'.",
  ],
  [
    'a word of other crons',
    { cron: '@reboot', type: 'A' },
    "schedules.x.cron cannot be '@reboot': such words are @yearly, @monthly, @weekly, @daily and @hourly.",
  ],
  [
    'a range without its end',
    { cron: '0 8- * * *', type: 'A' },
    "schedules.x.cron cannot be '0 8- * * *': its hour is '8-', and may be 0 to 23, lists (1,2), ranges (1-5), steps (*/2) or *.",
  ],
  [
    'four fields',
    { cron: '0 8 * *', type: 'A' },
    "schedules.x.cron cannot be '0 8 * *': it has 4 fields, and 5 or 6 are meant.",
  ],
  [
    'a payload that JSON cannot hold',
    { cron: '@daily', type: 'A', payload: { id: 5n } },
    /^schedules\.x\.payload cannot be written as JSON: .*BigInt\.$/,
  ],
  ['a list', [], 'schedules.x must be an object, or false to switch it off.'],
  ['a text', 'daily', 'schedules.x must be an object, or false to switch it off.'],
] as const) {
  test(`${what} is one line, and the others still count`, () => {
    const { schedules, problems } = read({ x: entry });
    assert.equal(schedules.length, 3);
    assert.equal(problems.length, 1);
    if (typeof problem === 'string') assert.equal(problems[0], problem);
    else assert.match(problems[0] ?? '', problem);
  });
}

test('all that is wrong with an entry is told at once', () => {
  const { schedules, problems } = read({
    x: { cron: '61 * * * *', zone: 'Mars', overlap: 'no', catchUp: 1, priority: 11, uniqueKey: '', queue: 5 },
  });
  assert.equal(schedules.length, 3);
  const about = ['zone', 'cron', 'type', 'queue', 'priority', 'unique key', 'overlap', 'catchUp'];
  assert.equal(problems.length, about.length, problems.join('\n'));
  for (const [i, word] of about.entries()) assert.ok(problems[i]?.includes(word), `${word}: ${problems[i]}`);
});

test('of what is built in the job stays', () => {
  assert.deepEqual(read({ 'prune-jobs': { type: 'A' } }).problems, [
    "schedules.prune-jobs is built in, so its job cannot be changed by 'type'; what can be set is cron, zone, overlap, catchUp.",
  ]);
});

test('a list is no object of schedules', () => {
  assert.match(read([]).problems[0] ?? '', /must be an object/);
});

test('a name that every object has is not built in', () => {
  const { schedules, problems } = read(JSON.parse('{"constructor": {"cron": "@daily", "type": "A"}}'));
  assert.deepEqual(problems, []);
  assert.equal(schedules.at(-1)?.request?.type, 'A');
  assert.match(read({ constructor: { cron: '@daily' } }).problems[0] ?? '', /constructor\.type is missing/);
});

test('the backup is changed only where there is one, and is any name elsewhere', () => {
  assert.deepEqual(read({ backup: { cron: '0 1 * * *' } }).problems, [
    'schedules.backup is built in only where PASSITO_BACKUPS names a folder for the backups: set that, or leave schedules.backup out.',
  ]);
  assert.deepEqual(read({ backup: { cron: '@daily', type: 'A' } }).problems, []);
  assert.deepEqual(read({ backup: false }).problems, []);
});
