import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { OfficeSettings } from '../../src/outpass/office.ts';
import { reportFileName, reportMail, reportName } from '../../src/outpass/reports/mail.ts';
import type { ReportRun } from '../../src/outpass/reports/mail.ts';

const settings: OfficeSettings = {
  institutionName: 'St. Mary’s <College> & Co',
  institutionAddress: '',
  brandLogo: null,
  timeZone: 'Asia/Kolkata',
  appName: 'Passito',
  fontsFolder: null,
  lateGrace: { all: 30 * 60_000, male: null, female: null },
};

const run: ReportRun = {
  key: 'daily_movement',
  gender: 'male',
  scheduledFor: '2026-11-20 18:30:00.000',
  generatedAt: '2026-11-20 18:31:00.000',
  rows: 12,
};

const file = { filename: 'x.csv', content: Buffer.from('a'), contentType: 'text/csv' };

test('name, both times with their zone, one sentence and the file; text and HTML say the same', () => {
  const mail = reportMail(run, settings, [file]);
  assert.equal(mail.subject, 'Daily movement report, men’s hostels: Sat 21 Nov 2026');
  assert.deepEqual(mail.attachments, [file]);
  for (const text of [mail.text, mail.html]) {
    for (const fact of [
      'Daily movement report, men’s hostels',
      'This report lists the students who went out or came back on Sat 21 Nov 2026.',
      'Sat 21 Nov 2026, 12:00 AM (Asia/Kolkata, UTC+05:30)',
      'Sat 21 Nov 2026, 12:01 AM (Asia/Kolkata, UTC+05:30)',
      '12',
      'The attached CSV file',
    ]) {
      assert.ok(text.includes(fact), `${fact} is missing in: ${text}`);
    }
  }
});

test('an empty report says so and carries nothing', () => {
  const mail = reportMail({ ...run, key: 'late_arrivals', gender: 'female', rows: 0 }, settings, [file]);
  assert.equal(mail.subject, 'Late arrivals report, women’s hostels: nothing to report, Sat 21 Nov 2026');
  assert.deepEqual(mail.attachments, []);
  for (const text of [mail.text, mail.html]) {
    assert.ok(
      text.includes('No student came back late on Sat 21 Nov 2026. There is nothing to report'),
      text,
    );
    assert.ok(!text.includes('attached CSV'), text);
  }
});

test('values are escaped in the HTML, and the subject is one line', () => {
  const { html, text, subject } = reportMail(run, settings, [file]);
  assert.ok(html.includes('St. Mary’s &lt;College&gt; &amp; Co') && !html.includes('<College>'));
  assert.ok(text.includes('St. Mary’s <College> & Co'));
  assert.doesNotMatch(subject, /[\r\n]/);
});

test('the same run makes the same mail', () => {
  assert.deepEqual(reportMail(run, settings, [file]), reportMail({ ...run }, settings, [file]));
});

test('a report and its file have a name; the day is the zone’s', () => {
  assert.equal(
    reportName({ key: 'late_arrivals', gender: 'female' }),
    'Late arrivals report, women’s hostels',
  );
  assert.equal(reportFileName(run, 'Asia/Kolkata'), 'daily-movement-male-2026-11-21.csv');
  assert.equal(reportFileName(run, 'America/Lima'), 'daily-movement-male-2026-11-20.csv');
});
