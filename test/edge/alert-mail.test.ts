/** Every alert that an admin can get, as it reads; `UPDATE=1` writes them anew, and then a person reads them. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type AlertFacts, alertMail } from '../../src/edge/alert-mail.ts';
import { healthReasons, type HealthSnapshot, type Remedies } from '../../src/engine/health.ts';

const snapshotFile = join(import.meta.dirname, 'alert-mail.snapshot');
const NOW = Date.UTC(2026, 10, 24, 4, 30);
const MINUTE = 60_000;
const GB = 1024 ** 3;

/** Where the supervisor is a service. */
const HERE: Remedies = {
  start: 'sudo systemctl restart passito-supervisor',
  log: 'journalctl -u passito-supervisor -n 50',
  warnings: 'journalctl -u passito-supervisor -p warning -n 20',
  large: 'sudo du -xh /var/lib/passito | sort -h | tail',
};

const well: HealthSnapshot = {
  now: NOW,
  threshold: 5 * MINUTE,
  pending: 12,
  processing: 2,
  failed: 1,
  stale: 0,
  oldestDue: null,
  stuck: [],
  finished: { total: 40, failed: 1 },
  supervisors: 1,
  lostSupervisor: null,
  silentSupervisor: null,
  unknownTypes: [],
  waitingMails: null,
  failedMails: null,
  paused: [],
  lateSchedules: [],
  backupDue: null,
  disk: { free: 9 * GB, database: GB, wal: 0 },
};

const CASES: readonly [string, AlertFacts['kind'], Partial<HealthSnapshot>, Partial<AlertFacts>?][] = [
  ['jobs that wait', 'problem', { stale: 3, oldestDue: NOW - 20 * MINUTE }],
  [
    'jobs that wait while the queue is paused',
    'reminder',
    {
      stale: 3,
      oldestDue: NOW - 20 * MINUTE,
      paused: [{ queue: null, since: '2026-11-24 04:00:00.000', by: 'rao' }],
    },
  ],
  ['no supervisor', 'problem', { stale: 1, oldestDue: NOW - 6 * MINUTE, supervisors: 0 }],
  [
    'a supervisor that was killed',
    'problem',
    { supervisors: 0, lostSupervisor: { pid: 77, silentFor: 6 * MINUTE } },
  ],
  [
    'a supervisor that cannot write',
    'problem',
    { silentSupervisor: { pid: 77, silentFor: 2 * MINUTE, lockedBy: { program: 'sqlite3', pid: 99 } } },
  ],
  [
    'a supervisor that hangs',
    'problem',
    { silentSupervisor: { pid: 77, silentFor: 2 * MINUTE, lockedBy: null } },
  ],
  [
    'jobs that fail',
    'changed',
    { finished: { total: 40, failed: 9 }, failed: 9 },
    { errors: [{ id: 12, type: 'SendOutpassEmail', error: '554 5.7.1 Relay denied' }] },
  ],
  ['a job that hangs', 'problem', { stuck: [4, 5, 6, 7, 8, 9] }],
  ['a type that nobody knows', 'problem', { unknownTypes: ['SyncAttendance'] }],
  [
    'mails that wait',
    'problem',
    {
      waitingMails: {
        count: 4,
        since: NOW - 30 * MINUTE,
        answer: 'The mail server smtp.example.edu:587 answered: 421 busy',
      },
    },
  ],
  ['a late schedule', 'problem', { lateSchedules: [{ name: 'nightly-sync', due: NOW - 9 * MINUTE }] }],
  ['a backup that was not made', 'problem', { backupDue: NOW - 180 * MINUTE }],
  ['a full disk, and a log that grows', 'problem', { disk: { free: 0.1 * GB, database: GB, wal: GB } }],
  ['the end', 'recovered', {}],
  [
    'the end of what could not be told',
    'recovered',
    {},
    { failure: 'The mail server smtp.example.edu:587 cannot be reached' },
  ],
];

function factsOf(kind: AlertFacts['kind'], changes: Partial<HealthSnapshot>): AlertFacts {
  const snapshot = { ...well, ...changes };
  return {
    kind,
    snapshot,
    reasons: healthReasons(snapshot, HERE),
    since: NOW - 20 * MINUTE,
    errors: [],
    failure: null,
    appName: 'Gate Office',
    host: 'gate',
    look: 'sudo -u passito passito health',
    database: '/var/lib/passito/passito.db',
    zone: 'Asia/Kolkata',
  };
}

test('every alert is as it was when somebody read it', () => {
  const text = CASES.map(([name, kind, changes, more = {}]) => {
    const facts = { ...factsOf(kind, changes), ...more };
    const mail = alertMail(facts);
    // The same words in both parts.
    for (const { message } of facts.reasons) assert.ok(mail.text.includes(message), message);
    assert.doesNotMatch(mail.text + mail.html, /undefined|NaN|\[object/);
    return `## ${name}\nSubject: ${mail.subject}\n\n${mail.text}`;
  }).join('\n');
  if (process.env['UPDATE'] === '1') writeFileSync(snapshotFile, text);
  assert.equal(text, readFileSync(snapshotFile, 'utf8'), 'UPDATE=1 keeps the new words');
});

test('the failure rate is red where health finds it too high, and only there', () => {
  const isRed = (total: number, failed: number) => {
    const { html } = alertMail(factsOf('problem', { finished: { total, failed }, stale: 1 }));
    return /color:#a3252b[^>]*>\d+ % of/.test(html);
  };
  // 10.25 %, which is shown as 10 %; one of two jobs says nothing yet.
  assert.deepEqual([isRed(400, 41), isRed(400, 40), isRed(2, 1), isRed(5, 1)], [true, false, false, true]);
});
