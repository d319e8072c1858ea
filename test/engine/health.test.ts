/** Health from a snapshot: what is wrong, how bad, and what to type. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type HealthReason, healthReasons, type HealthSnapshot, severity } from '../../src/engine/health.ts';

const now = Date.UTC(2026, 10, 24, 8);
const MINUTE = 60_000;
const GB = 1024 ** 3;

const well: HealthSnapshot = {
  now,
  threshold: 5 * MINUTE,
  pending: 12,
  processing: 2,
  failed: 1,
  stale: 0,
  oldestDue: now - MINUTE,
  stuck: [],
  finished: { total: 50, failed: 5 },
  supervisors: 1,
  lostSupervisor: null,
  silentSupervisor: null,
  unknownTypes: [],
  waitingMails: null,
  failedMails: null,
  paused: [],
  backupDue: null,
  lateSchedules: [],
  disk: { free: 10 * GB, database: GB, wal: 4_000_000 },
};

const HERE = {
  start: 'passito supervisor',
  log: 'passito doctor',
  warnings: 'passito doctor',
  large: 'df -h',
};

const codes = (changes: Partial<HealthSnapshot>) =>
  healthReasons({ ...well, ...changes }, HERE).map(({ code }) => code);

test('a queue with work, an old failure and a tenth of failures is healthy', () => {
  assert.deepEqual(codes({}), []);
  assert.equal(severity([]), 'ok');
});

for (const [what, changes, code, worst] of [
  ['a job that is due for too long', { stale: 1 }, 'stale', 'critical'],
  ['a job that hangs', { stuck: [7] }, 'stuck', 'warning'],
  ['more than a tenth of failures', { finished: { total: 50, failed: 6 } }, 'failure-rate', 'warning'],
  [
    'a lost supervisor',
    { supervisors: 0, lostSupervisor: { pid: 1, silentFor: 5 * MINUTE } },
    'supervisor-gone',
    'critical',
  ],
  [
    'a supervisor that cannot write',
    { silentSupervisor: { pid: 1, silentFor: MINUTE, lockedBy: { program: 'sqlite3', pid: 7 } } },
    'supervisor-silent',
    'critical',
  ],
  ['a type that nobody knows', { unknownTypes: ['X'] }, 'unknown-type', 'warning'],
  [
    'mails that wait',
    { waitingMails: { count: 3, since: now - 9 * MINUTE, answer: '451' } },
    'waiting-mails',
    'warning',
  ],
  [
    'mails that were refused',
    { failedMails: { count: 1, answer: '550 no such user' } },
    'failed-mails',
    'warning',
  ],
  [
    'a tick that was missed',
    { lateSchedules: [{ name: 'a', due: now - 3 * MINUTE }] },
    'late-schedule',
    'warning',
  ],
  ['a disk that is nearly full', { disk: { free: 400_000_000, database: GB, wal: 0 } }, 'disk', 'critical'],
  ['a backup that failed', { backupDue: now - 300 * MINUTE }, 'backup', 'warning'],
  ['a log that nobody could copy', { disk: { free: 9 * GB, database: GB, wal: GB } }, 'wal', 'warning'],
] as const) {
  test(`${what} is ${worst}`, () => {
    const reasons: HealthReason[] = healthReasons({ ...well, ...(changes as Partial<HealthSnapshot>) }, HERE);
    assert.deepEqual(
      reasons.map((reason) => reason.code),
      [code],
    );
    assert.equal(severity(reasons), worst);
    const [{ message, try: next }] = reasons as [HealthReason];
    assert.match(message, /^[A-Z0-9].*\.$/);
    assert.doesNotMatch(message, /NaN|undefined|\n/);
    assert.match(next, /^(passito|ps|lslocks|df) /);
  });
}

test('what is not enough to tell is not told', () => {
  assert.deepEqual(codes({ finished: { total: 4, failed: 4 } }), [], 'four jobs are no rate');
  assert.deepEqual(
    codes({ lostSupervisor: { pid: 1, silentFor: 4 * MINUTE } }),
    [],
    'it may just be starting again',
  );
  assert.deepEqual(codes({ supervisors: 0 }), [], 'a clean stop is no fault');
  const missed = { lateSchedules: [{ name: 'a', due: now - 28 * MINUTE }], backupDue: now - 300 * MINUTE };
  assert.deepEqual(codes({ supervisors: 0, ...missed }), [], 'nor what it leaves undone');
  const lost = { lostSupervisor: { pid: 1, silentFor: 28 * MINUTE } };
  assert.deepEqual(codes({ supervisors: 0, ...missed, ...lost }), [
    'supervisor-gone',
    'late-schedule',
    'backup',
  ]);
  assert.deepEqual(codes({ disk: null }), []);
});

test('stale jobs of a paused queue say who paused it, and how to go on', () => {
  const paused = [{ queue: 'mail', since: '2026-11-24 07:00:00.000', by: 'asha' }];
  const [reason] = healthReasons({ ...well, stale: 2, paused }, HERE);
  assert.match(reason?.message ?? '', /The queue mail was paused by asha at 2026-11-24 07:00 UTC\.$/);
  assert.equal(reason?.try, 'passito resume --queue mail');
  assert.deepEqual(codes({ paused }), [], 'a pause alone is no fault');
});
