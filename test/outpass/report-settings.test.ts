/** When reports go out and to whom. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { userRows } from '../../src/outpass/import.ts';
import { changeTimes, frequencies, type ReportTimes, tellTimes } from '../../src/outpass/report-settings.ts';
import { one, openOffice } from '../tools/office.ts';

const daily: ReportTimes = { frequency: 'daily', weekday: null, day: null, month: null, time: '21:00' };
const wrong = (old: ReportTimes, change: Partial<ReportTimes>) => {
  const changed = changeTimes(old, change);
  return 'wrong' in changed ? changed.wrong : tellTimes(changed.times);
};

test('a change keeps what the frequency needs and drops the rest', () => {
  assert.equal(wrong(daily, { time: '06:15' }), 'daily at 06:15');
  assert.equal(wrong(daily, { frequency: 'weekly' }), 'a weekly report needs --weekday');
  assert.equal(wrong(daily, { weekday: 2 }), '--weekday means nothing to a daily report');
  assert.equal(wrong(daily, { frequency: 'weekly', weekday: 7 }), 'weekly on Sunday at 21:00');
  assert.equal(wrong(daily, { frequency: 'monthly', day: 31 }), 'monthly on day 31 at 21:00');
  const yearly: ReportTimes = { ...daily, frequency: 'yearly', day: 29, month: 2 };
  assert.equal(wrong(yearly, {}), 'yearly on 29 February at 21:00');
  assert.equal(wrong(yearly, { day: 30 }), 'month 2 never has a day 30');
  assert.deepEqual(changeTimes(yearly, { frequency: 'daily' }), { times: daily });
});

test('whatever is changed, the tables take what the check lets through', async (t) => {
  const { office } = await openOffice(t);
  const maybe = (max: number) => fc.option(fc.integer({ min: 1, max }), { nil: null });
  const change = fc.record(
    { frequency: fc.constantFrom(...frequencies), weekday: maybe(7), day: maybe(31), month: maybe(12) },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(change, async (times) => {
      const [old] = await office.reportSettings();
      const expected = changeTimes(old!, times);
      const done = office.changeReport(old!.report, old!.gender, { times });
      if ('wrong' in expected) await assert.rejects(done, { code: 'REPORT_TIMES', exit: 2 });
      else assert.equal(tellTimes((await done)[0]!), tellTimes(expected.times));
    }),
  );
});

test('reports are four, off at first, and changed for one gender or both', async (t) => {
  const { office, db } = await openOffice(t);
  const shown = async () =>
    (await office.reportSettings()).map(({ report, gender, enabled }) => `${report} ${gender} ${enabled}`);
  assert.deepEqual(await shown(), [
    'daily_movement male false',
    'daily_movement female false',
    'late_arrivals male false',
    'late_arrivals female false',
  ]);
  await office.changeReport('late_arrivals', undefined, { enabled: true });
  await office.changeReport('daily_movement', 'female', { enabled: true });
  assert.equal((await shown()).filter((line) => line.endsWith('true')).length, 3);
  db.exec(`UPDATE report_settings SET next_send_at = '2026-11-20 10:00'`);
  const next = async () => (await office.reportSettings()).map(({ nextSendAt }) => nextSendAt);
  await office.changeReport('late_arrivals', 'male', { enabled: true, recipients: [] });
  assert.ok(
    (await next()).every((time) => time !== null),
    'nothing about its time has changed',
  );
  await office.changeReport('late_arrivals', 'male', { times: { time: '06:00' } });
  assert.deepEqual(await next(), ['2026-11-20 10:00', '2026-11-20 10:00', null, '2026-11-20 10:00']);
});

test('recipients are active wardens, and chief wardens of the gender get every report, nobody twice', async (t) => {
  const { office, db } = await openOffice(t);
  const user = (name: string, role: string, gender = '', active = 'yes') => ({
    name,
    email: `${name}@b.edu`,
    role,
    gender,
    active,
  });
  const { rows } = userRows(
    one(
      user('w1', 'warden', 'male'),
      user('w2', 'warden', 'female'),
      user('old', 'warden', 'male', 'no'),
      user('chief', 'chief_warden', 'male'),
      user('head', 'chief_warden'),
      user('hers', 'chief_warden', 'female'),
      user('gate', 'verifier'),
    ),
  );
  await office.importUsers(rows);
  const recipients = ['w1@b.edu', 'W2@b.edu', 'w1@b.edu'];
  const [setting] = await office.changeReport('late_arrivals', 'male', { recipients });
  assert.deepEqual(
    setting!.recipients.map(({ name }) => name),
    ['w1', 'w2'],
  );
  const names = async () => (await office.reportReceivers(setting!)).map(({ name }) => name);
  assert.deepEqual(await names(), ['w1', 'w2', 'chief', 'head']);
  db.exec(`UPDATE users SET active = 0 WHERE name IN ('w1', 'chief')`);
  assert.deepEqual(await names(), ['w2', 'head']);
  await assert.rejects(
    office.changeReport('late_arrivals', 'male', {
      recipients: ['w2@b.edu', 'gate@b.edu', 'head@b.edu', 'old@b.edu', 'x@b.edu'],
    }),
    {
      code: 'NOT_WARDENS',
      message:
        'Only active wardens can be recipients: gate@b.edu is a verifier; head@b.edu is a chief warden, who gets every report anyway; old@b.edu is no longer active; x@b.edu is no user.',
    },
  );
  assert.equal(db.prepare('SELECT count(*) FROM report_recipients').pluck().get(), 2);
});
