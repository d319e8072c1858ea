/** The office's chain through the executable: import, approve, QR code → document → mail. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { simpleParser } from 'mailparser';
import { Site } from '../tools/daemon.ts';
import { smtpAnswer, startSmtp } from '../tools/smtp.ts';

const STUDENTS = `name,email,roll_number,hostel
Asha Verma,asha@example.edu,21CS001,Ganga
Imran Sheikh,imran@example.edu,21ME014,Kaveri
`;

/** Passes that lie ahead. */
function outpasses(): string {
  const day = (n: number) =>
    new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 16).replace('T', ' ');
  return `reference,roll_number,kind,purpose,destination,leaves_at,returns_at
OP-1,21CS001,Home pass,Wedding,Madurai,${day(1)},${day(3)}
OP-2,21ME014,Day pass,Dentist,Chennai,${day(2)},${day(2.5)}
`;
}

type Ends = { after: (clean: () => Promise<void>) => void };

async function office(t: Ends, env: Record<string, string> = {}): Promise<Site> {
  const here = new Site((clean) => t.after(clean), env);
  here.write('students.csv', STUDENTS);
  here.write('outpasses.csv', outpasses());
  assert.equal(
    await here.ok('import', 'students', 'students.csv'),
    'students: 2 inserted, 0 updated, 0 unchanged.\n',
  );
  assert.equal(
    await here.ok('import', 'outpasses', 'outpasses.csv'),
    'outpasses: 2 inserted, 0 updated, 0 unchanged.\n',
  );
  return here;
}

describe('the chain of an approved pass', { concurrency: 2 }, () => {
  it('a rejection mails the reason to the student; a cancellation mails nothing', async (t) => {
    const here = await office(t);
    assert.equal(
      await here.ok('outpass', 'reject', 'OP-1', '--reason', 'Exams that day', '--by', 'Dr. Rao'),
      'Outpass OP-1 rejected. Job #1 dispatched: mail to the student.\n',
    );
    assert.equal(await here.ok('outpass', 'cancel', 'OP-2'), 'Outpass OP-2 cancelled.\n');
    await here.ok('worker', '--drain');
    assert.deepEqual([here.value('SELECT count(*) FROM jobs'), here.status(1)], [1, 'completed']);
    const [name = ''] = readdirSync(here.path('outbox'));
    const mail = await simpleParser(readFileSync(here.path('outbox', name)));
    assert.match(mail.subject ?? '', /is rejected/);
    assert.match(mail.text ?? '', /Exams that day/);
    const listed = await here.json<{ via: string }[]>('mail', 'list', '--state', 'outbox');
    assert.deepEqual(
      listed.map(({ via }) => via),
      ['outbox'],
    );
    here.sql.exec(`UPDATE mails SET via = 'smtp'`);
    assert.deepEqual(await here.json('mail', 'list', '--state', 'outbox'), []);
  });

  it('makes the files, and a mail in the outbox where no server is configured', async (t) => {
    const here = await office(t);
    assert.equal(
      await here.ok('import', 'students', 'students.csv'),
      'students: 0 inserted, 0 updated, 2 unchanged.\n',
    );
    const said = await here.ok('outpass', 'approve', '1', '--by', 'Dr. Rao');
    assert.equal(said, 'Outpass OP-1 approved. Jobs #1 → #2 → #3 dispatched: QR code → document → mail.\n');
    const again = await here.run(['outpass', 'approve', 'OP-1']);
    assert.notEqual(again.code, 0, 'nothing is approved twice');
    assert.doesNotMatch(again.stderr, /^ +at /m);
    assert.equal(here.value('SELECT count(*) FROM jobs'), 3);
    assert.deepEqual(
      [1, 2, 3].map((id) => here.status(id)),
      ['pending', 'blocked', 'blocked'],
    );

    const daemon = await here.start();
    await here.drained();
    assert.deepEqual(
      [1, 2, 3].map((id) => here.status(id)),
      ['completed', 'completed', 'completed'],
    );
    const pass = await here.json<{
      status: string;
      approved_by: string;
      qr_path: string;
      document_path: string;
    }>('outpass', 'show', 'OP-1');
    assert.deepEqual([pass.status, pass.approved_by], ['approved', 'Dr. Rao']);
    assert.equal(readFileSync(here.path('files', pass.qr_path)).subarray(1, 4).toString(), 'PNG');
    assert.equal(readFileSync(here.path('files', pass.document_path)).subarray(0, 5).toString(), '%PDF-');

    const result = (await here.json<{ result: { via: string } }>('jobs', 'show', '3')).result;
    assert.match(JSON.stringify(result), /outbox/, 'it says that nothing was sent');
    const mails = readdirSync(here.path('outbox'));
    assert.equal(mails.length, 1);
    const mail = await simpleParser(readFileSync(here.path('outbox', mails[0]!)));
    assert.match(JSON.stringify(mail.to), /asha@example\.edu/);
    assert.deepEqual(mail.attachments.map(({ contentType }) => contentType).toSorted(), [
      'application/pdf',
      'image/png',
    ]);
    const open = ['outbox', 'files', 'keys'].filter((name) => (statSync(here.path(name)).mode & 0o077) !== 0);
    assert.deepEqual(open, [], 'nobody else may read them');
    assert.equal((await daemon.stop()).code, 0);
  });

  it('sends to a real server once it takes mail; a soft refusal waits, a hard one ends', async (t) => {
    let refusals = 1;
    const server = await startSmtp(t, {
      onRcptTo(address, _session, callback) {
        if (address.address.startsWith('imran')) callback(smtpAnswer(550, 'no such mailbox'));
        else if (refusals-- > 0) callback(smtpAnswer(451, 'come back later'));
        else callback();
      },
    });
    const here = await office(t, {
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(server.port),
      MAILER_FROM: 'Gate <gate@example.edu>',
    });
    await here.start();
    await here.ok('outpass', 'approve', 'OP-1');
    const second = await here.json<{ jobs: number[] }>('outpass', 'approve', 'OP-2');
    const [, , refused] = second.jobs;
    await here.reaches(refused!, 'failed');
    assert.match(here.value<string>('SELECT last_error FROM jobs WHERE id = ?', refused), /no such mailbox/);
    assert.equal(here.value('SELECT discarded FROM jobs WHERE id = ?', refused), 1);
    const { reasons } = JSON.parse((await here.run(['health', '--json'])).stdout) as {
      reasons: { code: string; message: string }[];
    };
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ['failed-mails'],
    );
    assert.match(
      reasons[0]?.message ?? '',
      /^1 mail was not sent in the last hour and will not be\. .*no such mailbox/,
    );

    await here.until(
      `SELECT status = 'pending' AND last_error LIKE '%come back later%' FROM jobs WHERE id = 3`,
    );
    assert.equal(server.mails.length, 0);
    assert.equal(here.value('SELECT attempts FROM jobs WHERE id = 3'), 0);
    here.sql.exec(`UPDATE jobs SET available_at = '2000-01-01 00:00:00.000' WHERE id = 3`);
    await here.reaches(3, 'completed');
    assert.equal(here.value('SELECT attempts FROM jobs WHERE id = 3'), 1);
    assert.equal(server.mails.length, 1);
    const mail = await simpleParser(server.mails[0]!);
    assert.match(mail.subject ?? '', /OP-1|approved/i);
    assert.equal(mail.attachments.length, 2);
    assert.ok(!existsSync(here.path('outbox')) || readdirSync(here.path('outbox')).length === 0);
  });

  it('waits for a greylisting server over a stop, for a day, and spends no attempt', async (t) => {
    let closed = true;
    const server = await startSmtp(t, {
      onRcptTo: (_to, _session, callback) =>
        callback(closed ? smtpAnswer(451, '4.7.1 greylisted') : undefined),
    });
    const here = await office(t, { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(server.port) });
    const answer = `The mail server 127.0.0.1:${server.port} answered: 451 4.7.1 greylisted`;
    const attempts = () => here.value('SELECT attempts FROM jobs WHERE id = 3');
    const tried = (times: number) =>
      here.until(
        `SELECT m.state = 'queued' AND m.attempts = ? AND j.status = 'pending' FROM mails m JOIN jobs j ON j.id = m.job_id`,
        [times],
      );
    const comeDue = () =>
      here.sql.exec(`UPDATE jobs SET available_at = '2000-01-01 00:00:00.000' WHERE id = 3`);

    await here.ok('outpass', 'approve', 'OP-1');
    const daemon = await here.start();
    await daemon.line(
      / warn +job waits id=3 type=SendOutpassEmail attempt=1 error=".*greylisted" again="in \d+s"/,
    );
    await tried(1);
    const [due, now] = [here.value<string>('SELECT available_at FROM jobs WHERE id = 3'), Date.now()];
    const wait = Date.parse(`${due.replace(' ', 'T')}Z`) - now;
    assert.ok(wait > 10_000 && wait <= 31_000, `${wait} ms`);
    assert.match(
      await here.ok('explain', '3'),
      new RegExp(`^Job #3 \\(SendOutpassEmail\\) waits until .*, in \\d+s, because: ${answer}\\.\n$`),
    );
    const shown = await here.ok('jobs', 'show', '3');
    assert.match(shown, /Status +pending\n +Attempts +0\n/);
    assert.ok(shown.includes(`Last error    ${answer}`) && !shown.includes('did not end well'), shown);
    assert.ok((await here.ok('mail', 'list')).endsWith(` (${answer})\n`));
    assert.match(await here.ok('mail', 'show', '1'), /State +queued\n[^]*Next try +\w{3} \d+ \w{3} \d{4}/);
    assert.match(await here.ok('health'), /Job queue is healthy/, 'a moment is no issue');

    assert.equal((await daemon.stop()).code, 0);
    here.sql.exec(`UPDATE mails SET created_at = strftime('%Y-%m-%d %H:%M:%f', 'now', '-3 hours')`);
    const health = await here.ok('health');
    assert.ok(health.includes(`- 1 mail waits for another try, the oldest for 3h. ${answer}.\n`), health);
    comeDue();
    await here.start();
    await tried(2);
    assert.equal(attempts(), 0);
    here.sql.exec(`UPDATE mails SET created_at = strftime('%Y-%m-%d %H:%M:%f', 'now', '-24 hours')`);
    comeDue();
    await here.reaches(3, 'failed');
    assert.match(
      await here.ok('explain', '3'),
      new RegExp(
        `its handler gave it up \\(Tried for 24 hours and given up\\. ${answer}\\); 'passito jobs retry 3'`,
      ),
    );
    assert.equal(here.value<string>('SELECT state FROM mails'), 'failed');

    await here.ok('jobs', 'retry', '3');
    await tried(4);
    assert.match(await here.ok('explain', '3'), /waits until .*, in [12]?\d+s, because/, 'a day of its own');
    closed = false;
    comeDue();
    await here.reaches(3, 'completed');
    assert.equal(server.mails.length, 1);
    assert.equal(attempts(), 2, 'that which gave up, and that which sent it');
    assert.deepEqual(here.sql.prepare('SELECT outcome FROM attempts').pluck().all(), ['discarded']);
  });

  it('gives each mail of a job one Message-ID, whatever the attempt', async (t) => {
    const server = await startSmtp(t);
    const here = await office(t, { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(server.port) });
    here.job(
      'Two',
      `for (const to of ['a@example.edu', 'b@example.edu']) await context.mail({ to, subject: 'Hi', text: 'Hi' });
       if (context.attempt === 1) throw new Error('after both');`,
      `backoff: { base: 1 },`,
    );
    await here.start();
    await here.ok('dispatch', 'Two', '--wait', '20s');
    const mails = await Promise.all(server.mails.map((mail) => simpleParser(mail)));
    const ids = mails.map(({ messageId }) => messageId);
    assert.equal(ids.length, 4);
    assert.deepEqual(ids.slice(2), ids.slice(0, 2));
    assert.match(
      ids.slice(0, 2).join(' '),
      /^<passito\.1\.1@([\w-]+)\.passito> <passito\.1\.2@\1\.passito>$/,
    );
  });
});
