/** Report settings from a file: what `reports set` would take, with the names of columns. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

import { reportRows, tellProblems, userRows } from '../../src/outpass/import.ts';
import type { ImportOptions } from '../../src/store/sqlite/office-import.ts';
import { one, openOffice } from '../tools/office.ts';

const NEXT = '2026-11-20 15:30:00.000';

/** An office with two wardens, a chief and a verifier, whose reports have all been worked out. */
async function desk(t: TestContext) {
  const it = await openOffice(t);
  const people = [
    ['w1', 'warden'],
    ['w2', 'warden'],
    ['chief', 'chief_warden'],
    ['gate', 'verifier'],
  ].map(([name, role]) => ({ name, email: `${name}@b.edu`, role }));
  await it.office.importUsers(userRows(one(...people)).rows);
  it.db.prepare('UPDATE report_settings SET next_send_at = ?').run(NEXT);
  const load = async (records: Record<string, unknown>[], options: ImportOptions = {}) => {
    const { rows, problems } = reportRows(one(...records));
    return it.office.importReports(rows, { ...options, problems });
  };
  const outcome = async (record: Record<string, unknown>) => {
    const { updated, unchanged } = await load([record]);
    return updated === 1 ? 'updated' : unchanged === 1 ? 'unchanged' : 'neither';
  };
  const faults = async (...records: Record<string, unknown>[]) =>
    tellProblems((await load(records, { partial: true })).problems);
  const men = async () => {
    const settings = await it.office.reportSettings();
    const { recipients, ...setting } = settings.find(
      ({ report, gender }) => report === 'daily_movement' && gender === 'male',
    )!;
    return { ...setting, recipients: recipients.map(({ name }) => name).join(' ') };
  };
  return { ...it, load, outcome, faults, men };
}

const key = { report: 'daily_movement', gender: 'male' };

test('a row sets when a report goes out and to whom, and only the report of its gender', async (t) => {
  const { office, outcome, men } = await desk(t);
  const record = {
    report: 'Daily Movement',
    gender: 'M',
    enabled: 'yes',
    frequency: 'Weekly',
    weekday: '1',
    day: '',
    month: '',
    time: '06:15:00',
    recipients: 'w1@b.edu; W2@b.edu w1@b.edu',
  };
  assert.equal(await outcome(record), 'updated');
  const { id: _, lastSentAt: __, ...setting } = await men();
  assert.deepEqual(setting, {
    ...key,
    enabled: true,
    frequency: 'weekly',
    weekday: 1,
    day: null,
    month: null,
    time: '06:15',
    recipients: 'w1 w2',
    nextSendAt: null,
  });
  const others = (await office.reportSettings()).filter(({ nextSendAt }) => nextSendAt === NEXT);
  assert.deepEqual(
    others.map(({ enabled, frequency }) => [enabled, frequency]),
    [
      [false, 'daily'],
      [false, 'daily'],
      [false, 'daily'],
    ],
  );
  assert.equal(await outcome(record), 'unchanged');
});

test('the next sending is worked out anew where the times or the switch change, and only there', async (t) => {
  const { db, outcome, men } = await desk(t);
  const after = async (record: Record<string, unknown>) => {
    db.prepare('UPDATE report_settings SET next_send_at = ?').run(NEXT);
    const word = await outcome({ ...key, ...record });
    return [word, (await men()).nextSendAt];
  };
  assert.deepEqual(await after({ enabled: 'yes' }), ['updated', null]);
  assert.deepEqual(await after({ enabled: 'yes', time: '21:00', frequency: 'daily' }), ['unchanged', NEXT]);
  assert.deepEqual(await after({ recipients: 'w1@b.edu' }), ['updated', NEXT]);
  assert.deepEqual(await after({ recipients: 'W1@b.edu' }), ['unchanged', NEXT]);
  assert.deepEqual(await after({ recipients: 'w2@b.edu' }), ['updated', NEXT]);
  assert.deepEqual(await after({ time: '06:00' }), ['updated', null]);
  assert.deepEqual(await after({ frequency: 'monthly', day: 31 }), ['updated', null]);
  assert.deepEqual(await after({ enabled: 'no' }), ['updated', null]);
});

test('what is empty stays, but an empty list of recipients is nobody', async (t) => {
  const { outcome, men } = await desk(t);
  await outcome({ ...key, enabled: true, frequency: 'yearly', day: 29, month: 2, recipients: 'w1@b.edu' });
  assert.equal(
    await outcome({ ...key, enabled: '', frequency: '', day: '', month: '', time: '' }),
    'unchanged',
  );
  assert.equal((await men()).recipients, 'w1');
  assert.equal(await outcome({ ...key, recipients: '' }), 'updated');
  const { recipients, enabled, day } = await men();
  assert.deepEqual([recipients, enabled, day], ['', true, 29]);
});

test('every bad row is named with all its faults, and none of the file is written', async (t) => {
  const { faults, load, men } = await desk(t);
  const bad = [
    { report: 'movements', gender: 'male', weekday: '8', time: '25:00' },
    { report: 'late_arrivals', gender: 'male', frequency: 'fortnightly', recipients: 'gate@b.edu' },
    { report: 'late_arrivals', gender: 'female', frequency: 'weekly', recipients: 'chief@b.edu, x@b.edu' },
    { report: 'late_arrivals', gender: 'F', enabled: 'maybe', day: '0', month: 'May' },
    { report: 'daily_movement', gender: 'female', frequency: 'daily', weekday: '1' },
    {
      report: 'daily_movement',
      gender: 'male',
      enabled: 'maybe',
      frequency: 'weekly',
      recipients: 'x@b.edu',
    },
  ];
  const told = [
    "item 1: report 'movements' is not a report (one of daily_movement, late_arrivals); weekday '8' is not a weekday (1, Monday, to 7); time '25:00' is not a time of day (00:00 to 23:59)",
    "item 2: frequency 'fortnightly' is not a frequency (one of daily, weekly, monthly, yearly); recipients must be active wardens: gate@b.edu is a verifier",
    'item 3: a weekly report needs weekday; recipients must be active wardens: chief@b.edu is a chief warden, who gets every report anyway; x@b.edu is no user',
    "item 4: enabled 'maybe' is neither yes nor no; day '0' is not a day of the month (1 to 31); month 'May' is not a month (1 to 12); report and gender 'late_arrivals female' already stands in item 3",
    'item 5: weekday means nothing to a daily report',
    "item 6: enabled 'maybe' is neither yes nor no; a weekly report needs weekday; recipients must be active wardens: x@b.edu is no user",
  ].join('\n');
  await assert.rejects(
    load([{ ...key, enabled: 'yes' }, ...bad.slice(0, -1)]),
    /^ImportError: item 2: report 'movements'/,
  );
  assert.equal((await men()).enabled, false);
  assert.equal(await faults(...bad), told);
  assert.equal((await load([{ ...key, enabled: 'yes' }, ...bad.slice(0, -1)], { partial: true })).updated, 1);
});
