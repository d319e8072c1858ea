/** Reports from the settings to the mailbox: what is due, what it holds, who gets it, and nobody twice. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

import { MailError } from '../../src/edge/mail-error.ts';
import { isDiscard, isSnooze, type MailMessage, type MailReceipt } from '../../src/engine/handler.ts';
import { type Clock, formatTime, systemClock } from '../../src/engine/clock.ts';
import { sendScheduledReport } from '../../src/outpass/jobs/send-scheduled-report.ts';
import { FakeClock } from '../tools/engine.ts';
import { openOffice, type TestOffice } from '../tools/office.ts';

/** 18:00 in Chennai. */
const EVENING = Date.UTC(2026, 10, 20, 12, 30);
const SCHEDULED = '2026-11-20 12:30:00.000';

/** An office with wardens, a movement, and both reports of the men's hostels on at 18:00. */
async function opened(t: TestContext, clock: Clock = systemClock): Promise<TestOffice> {
  const it = await openOffice(t, undefined, clock);
  it.db.exec(`
    UPDATE students SET gender = 'male';
    INSERT INTO users (id, name, email, role, gender, active) VALUES
      (1, 'Kumar', 'kumar@example.edu', 'warden', 'male', 1),
      (2, 'Rao', 'RAO@example.edu', 'warden', 'male', 1),
      (3, 'Chief', 'chief@example.edu', 'chief_warden', 'male', 1),
      (4, 'Meena', 'meena@example.edu', 'chief_warden', 'female', 1),
      (5, 'Gone', 'gone@example.edu', 'warden', 'male', 0);
    UPDATE report_settings SET enabled = 1, time = '18:00' WHERE gender = 'male';
    INSERT INTO report_recipients SELECT id, 1 FROM report_settings WHERE gender = 'male';
    INSERT INTO report_recipients SELECT id, 2 FROM report_settings WHERE gender = 'male' AND report = 'daily_movement';
    INSERT INTO report_recipients SELECT id, 5 FROM report_settings WHERE gender = 'male';
    UPDATE outpasses SET leaves_at = '2026-11-20 02:00:00.000', returns_at = '2026-11-20 10:00:00.000', status = 'approved';
    INSERT INTO movements (outpass_id, direction, at, recorded_by) VALUES
      (1, 'out', '2026-11-20 02:05:00.000', 'Gate 1'), (1, 'in', '2026-11-20 11:35:00.000', 'Gate 1');
  `);
  return it;
}

/** A mail server: what it took, and whom it does not take now, or ever. */
class Post {
  readonly sent: MailMessage[] = [];
  readonly down = new Set<string>();
  readonly never = new Set<string>();

  readonly mail = async (message: MailMessage): Promise<MailReceipt> => {
    const to = String(message.to);
    if (this.down.has(to)) throw new MailError('451 later', false);
    if (this.never.has(to)) throw new MailError('550 nobody', true);
    this.sent.push(message);
    return { messageId: `<${to}>`, via: 'smtp', response: '250 yes' };
  };

  get recipients(): string[] {
    return this.sent.map(({ to }) => String(to)).toSorted();
  }
}

const run = (it: TestOffice, post: Post, setting = 1) =>
  sendScheduledReport.handle({ setting_id: setting, scheduled_for: SCHEDULED }, it.context(post));

test('a new setting is initialized, then due once at its time, however often one looks', async (t) => {
  const { office } = await opened(t);
  const counters = ({
    checked,
    initialized,
    due,
    skipped,
    reports,
  }: ReturnType<typeof office.decideReports>) => [checked, initialized, due, skipped, reports.length];
  assert.deepEqual(counters(office.decideReports(EVENING - 60_000, false)), [2, 2, 0, 0, 0]);
  assert.deepEqual(counters(office.decideReports(EVENING - 1, false)), [2, 0, 0, 0, 0]);
  assert.deepEqual(counters(office.decideReports(EVENING, true)), [2, 0, 2, 0, 2], 'a dry run notes nothing');
  const round = office.decideReports(EVENING, false);
  assert.deepEqual(counters(round), [2, 0, 2, 0, 2]);
  assert.deepEqual(round.reports[0], {
    settingId: 1,
    report: 'daily_movement',
    gender: 'male',
    scheduledFor: SCHEDULED,
    recipients: 3,
  });
  assert.deepEqual(counters(office.decideReports(EVENING + 1000, false)), [2, 0, 0, 0, 0]);
});

test('a clock that ran ahead for a while switches no report off, and its last send does not stay', async (t) => {
  const { db, office } = await opened(t, new FakeClock());
  office.decideReports(Date.UTC(2036, 0, 1), false);
  assert.equal(office.decideReports(EVENING - 60_000, false).initialized, 2);
  assert.equal(office.decideReports(EVENING, false).due, 2);
  const last = () => db.prepare('SELECT last_sent_at FROM report_settings WHERE id = 1').pluck().get();
  await office.reportSent(1, '2036-01-01 12:30:00.000');
  await office.reportSent(1, SCHEDULED);
  assert.equal(last(), SCHEDULED);
  await office.reportSent(1, '2026-11-19 12:30:00.000');
  assert.equal(last(), SCHEDULED, 'an older run that comes later');
});

test('without recipients a due report is skipped, and its next send moves on', async (t) => {
  const { db, office } = await opened(t);
  db.exec('DELETE FROM report_recipients; UPDATE users SET active = 0');
  office.decideReports(EVENING - 60_000, false);
  const { due, skipped, reports } = office.decideReports(EVENING, false);
  assert.deepEqual([due, skipped, reports.length], [2, 2, 0]);
  assert.equal(office.decideReports(EVENING, false).due, 0);
});

test('the movement report goes to its wardens and the super admin of its gender, once each', async (t) => {
  const it = await opened(t);
  const post = new Post();
  assert.deepEqual(await run(it, post), { rows: 1, recipients: 3, refused: [] });
  assert.deepEqual(post.recipients, ['RAO@example.edu', 'chief@example.edu', 'kumar@example.edu']);
  const [csv] = post.sent[0]?.attachments ?? [];
  assert.match(
    Buffer.from(csv?.content ?? []).toString(),
    /^\uFEFFName,Roll No,Email,Date,Time,Action\r\nArjun Selvam,21CS001,arjun@students\.example\.edu,20-11-2026,05:05:00 PM,CHECKED_IN\r\n$/,
  );
  assert.equal(
    it.db.prepare('SELECT last_sent_at FROM report_settings WHERE id = 1').pluck().get(),
    SCHEDULED,
  );
});

test('run twice, nobody gets it twice', async (t) => {
  const it = await opened(t);
  const post = new Post();
  await run(it, post);
  await run(it, post);
  assert.equal(post.sent.length, 3);
});

test('late arrivals: only those who came back after the grace', async (t) => {
  const it = await opened(t);
  const setting = it.db
    .prepare<[], number>(`SELECT id FROM report_settings WHERE report = 'late_arrivals' AND gender = 'male'`)
    .pluck()
    .get()!;
  const late = new Post();
  assert.deepEqual(await run(it, late, setting), { rows: 1, recipients: 2, refused: [] });
  assert.match(Buffer.from(late.sent[0]!.attachments![0]!.content!).toString(), /,1h 35m\r\n$/);
  it.db.exec(`UPDATE movements SET at = '2026-11-20 10:30:00.000' WHERE direction = 'in'; DELETE FROM mails`);
  const punctual = new Post();
  assert.deepEqual(await run(it, punctual, setting), { rows: 0, recipients: 2, refused: [] });
  assert.deepEqual(punctual.sent[0]!.attachments, [], 'nothing to report: no file');
});

test('where one mail is not taken, the others have it, and the job waits to try that one alone', async (t) => {
  const it = await opened(t);
  const post = new Post();
  post.down.add('RAO@example.edu');
  await assert.rejects(
    async () => run(it, post),
    (error) => {
      assert.ok(isSnooze(error));
      assert.equal(error.reason, '1 of 3 recipients were not reached: RAO@example.edu: 451 later');
      return true;
    },
  );
  assert.deepEqual(post.recipients, ['chief@example.edu', 'kumar@example.edu']);
  post.down.clear();
  assert.deepEqual(await run(it, post), { rows: 1, recipients: 3, refused: [] });
  assert.deepEqual(post.recipients, ['RAO@example.edu', 'chief@example.edu', 'kumar@example.edu']);
});

test('who is refused for good is named in the result, and not tried again', async (t) => {
  const it = await opened(t);
  const post = new Post();
  post.never.add('kumar@example.edu');
  assert.deepEqual(await run(it, post), { rows: 1, recipients: 2, refused: ['kumar@example.edu'] });
  assert.equal(it.warnings.length, 1);
  post.never.add('RAO@example.edu').add('chief@example.edu');
  it.db.exec('DELETE FROM mails');
  await assert.rejects(
    async () =>
      run(
        it,
        new (class extends Post {
          override readonly never = post.never;
        })(),
      ),
    (error) => isDiscard(error) && /No recipient was reached/.test(String(error)),
  );
});

test('who was refused and is taken off the list counts no more: those who are left have it', async (t) => {
  const it = await opened(t);
  const post = new Post();
  const setting = it.db
    .prepare<[], number>(`SELECT id FROM report_settings WHERE report = 'late_arrivals' AND gender = 'male'`)
    .pluck()
    .get()!;
  post.never.add('kumar@example.edu');
  post.down.add('chief@example.edu');
  await assert.rejects(
    async () => run(it, post, setting),
    (error) => isSnooze(error),
  );
  it.db.exec('DELETE FROM report_recipients WHERE user_id = 1');
  post.down.clear();
  assert.deepEqual(await run(it, post, setting), { rows: 1, recipients: 1, refused: [] });
  assert.equal(
    it.db.prepare('SELECT last_sent_at FROM report_settings WHERE id = ?').pluck().get(setting),
    SCHEDULED,
  );
});

test('what somebody has who is on the list no more did arrive', async (t) => {
  const it = await opened(t);
  const post = new Post();
  post.never.add('kumar@example.edu');
  post.down.add('RAO@example.edu');
  await assert.rejects(
    async () => run(it, post),
    (error) => isSnooze(error),
  );
  it.db.exec('UPDATE users SET active = 0 WHERE id IN (2, 3)');
  assert.deepEqual(await run(it, post), { rows: 1, recipients: 0, refused: ['kumar@example.edu'] });
});

test('whose mail is not taken for a day is named in the result; the others had it on the first', async (t) => {
  const clock = new FakeClock();
  const it = await opened(t, clock);
  const post = new Post();
  post.down.add('RAO@example.edu');
  const began = clock.now();
  let result: unknown;
  while (result === undefined) {
    try {
      result = await run(it, post);
    } catch (error) {
      assert.ok(isSnooze(error) && typeof error.delay === 'number', String(error));
      await clock.advance(error.delay);
    }
  }
  assert.equal(clock.now() - began, 86_400_000);
  assert.deepEqual(result, { rows: 1, recipients: 2, refused: ['RAO@example.edu'] });
  assert.deepEqual(post.recipients, ['chief@example.edu', 'kumar@example.edu']);
});

test('a report that reached nobody tries everybody again once an admin brings it back', async (t) => {
  const clock = new FakeClock();
  const it = await opened(t, clock);
  const post = new Post();
  const all = ['RAO@example.edu', 'chief@example.edu', 'kumar@example.edu'];
  for (const one of all) post.never.add(one);
  await assert.rejects(
    async () => run(it, post),
    (error) => {
      assert.ok(isDiscard(error));
      for (const one of all) assert.ok(error.message.includes(`${one}: 550 nobody`), error.message);
      return true;
    },
  );
  const ended = (outcome: string) =>
    it.db
      .prepare(`INSERT INTO attempts (job_id, attempt, outcome, ended_at) VALUES (1, 1, ?, ?)`)
      .run(outcome, formatTime(clock.now()));
  ended('discarded');
  await clock.advance(1000);
  post.never.clear();
  post.never.add('kumar@example.edu');
  post.down.add('chief@example.edu');
  await assert.rejects(
    async () => run(it, post),
    (error) => isSnooze(error),
  );
  post.never.clear();
  post.down.clear();
  await clock.advance(1000);
  ended('crashed');
  assert.deepEqual(await run(it, post), { rows: 1, recipients: 2, refused: ['kumar@example.edu'] });
  assert.deepEqual(post.recipients, ['RAO@example.edu', 'chief@example.edu']);
});

test('a kill between the server’s yes and the ledger: sent again, under the same key, and said so', async (t) => {
  const it = await opened(t);
  const post = new Post();
  const { mailTaken } = it.office;
  let first = true;
  it.office.mailTaken = async (...args) => {
    if (!first) return mailTaken.apply(it.office, args);
    first = false;
    throw new Error('killed here');
  };
  await assert.rejects(async () => run(it, post));
  await run(it, post);
  assert.equal(post.sent.length, 4);
  const keys = post.sent.map(({ key }) => key);
  assert.equal(new Set(keys).size, 3, 'the two that went to one person have one Message-ID');
  assert.deepEqual(it.warnings, [
    'the mail server may have taken this mail before: it is sent again, under the same Message-ID',
  ]);
  assert.deepEqual(it.db.prepare('SELECT attempts, doubts FROM mails ORDER BY doubts').raw().all(), [
    [1, 0],
    [1, 0],
    [2, 1],
  ]);
});
