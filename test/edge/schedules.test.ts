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
    'schedules.x.zone cannot be "Mars": an IANA zone such as Asia/Kolkata.',
  ],
  [
    'a slip',
    { cron: '@daily', type: 'A', overlapp: 'skip' },
    "schedules.x has no 'overlapp'; did you mean 'overlap'?",
  ],
  [
    'a word that is none',
    { cron: '@daily', type: 'A', catchUp: 'some' },
    'schedules.x.catchUp cannot be "some": latest, all, skip.',
  ],
  ['a bad option of the job', { cron: '@daily', type: 'A', priority: 11 }, /^schedules\.x: .*priority/],
  ['a text', 'daily', 'schedules.x must be an object, or false to switch it off.'],
  ['null', null, "schedules.x.cron is missing: five fields, such as '30 2 * * MON'."],
] as const) {
  test(`${what} is one line, and the others still count`, () => {
    const { schedules, problems } = read({ x: entry });
    assert.equal(schedules.length, 3);
    assert.equal(problems.length, 1);
    if (typeof problem === 'string') assert.equal(problems[0], problem);
    else assert.match(problems[0] ?? '', problem);
  });
}

test('a list is no object of schedules', () => {
  assert.match(read([]).problems[0] ?? '', /must be an object/);
});
