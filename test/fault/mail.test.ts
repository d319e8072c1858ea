/** A mail server in every mood, through the executable: nothing is sent twice, or marked sent before it was. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { simpleParser } from 'mailparser';
import type { SMTPServerOptions } from 'smtp-server';
import { type Daemon, Site } from '../tools/daemon.ts';
import { closedPort, smtpAnswer, startBreakable, startSilent, startSmtp } from '../tools/smtp.ts';

const ADDRESSES = Array.from({ length: 5 }, (_, i) => `user${i}@example.edu`);

/** A site whose mails go to this port, and which has one mail to send to each address. */
async function siteWithMails(t: TestContext, port: number): Promise<Site> {
  const env = { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(port), MAILER_FROM: 'gate@example.edu' };
  const here = new Site((clean) => t.after(clean), env);
  await here.ok('migrate');
  const lines = ADDRESSES.map((to) => ({
    type: 'SendPasswordResetEmail',
    payload: { to, reset_link: 'https://x.example.edu/a' },
  }));
  const input = lines.map((line) => JSON.stringify(line)).join('\n');
  assert.equal((await here.run(['dispatch', '--ndjson', '-'], { input })).code, 0);
  return here;
}

/** Resolves once every job waits again with such an answer, and then has all of them try anew at once. */
async function allWait(here: Site, answer: string): Promise<void> {
  await here.until(
    `SELECT count(*) = ? FROM jobs WHERE status = 'pending' AND available_at > '2001' AND last_error LIKE ?`,
    [ADDRESSES.length, `%${answer}%`],
  );
  assert.equal(here.value(`SELECT count(*) FROM mails WHERE state <> 'queued' OR sent_at IS NOT NULL`), 0);
  assert.equal(here.value('SELECT sum(attempts) FROM jobs'), 0, 'waiting spends no attempt');
}

function hurry(here: Site): void {
  here.sql.exec(`UPDATE jobs SET available_at = '2000-01-01 00:00:00.000' WHERE status = 'pending'`);
}

async function stopped(daemon: Daemon): Promise<void> {
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
}

describe('a mail server in every mood', { concurrency: 4 }, () => {
  it(
    'down, then 421, 451 and 450, cut off in the middle, then well again: one mail each, no attempt spent',
    { timeout: 120_000 },
    async (t) => {
      const port = await closedPort();
      const here = await siteWithMails(t, port);
      const daemon = await here.start();
      await allWait(here, 'ECONNREFUSED');

      let mood: keyof typeof moods = 'busy';
      const moods = {
        busy: '421 4.3.2 too busy',
        grey: '451 4.7.1 greylisted',
        full: '450 4.2.2 mailbox full',
        well: '',
      };
      const refuse = (when: keyof typeof moods) =>
        mood === when ? smtpAnswer(Number(moods[when].slice(0, 3)), moods[when].slice(4)) : undefined;
      const options: SMTPServerOptions = {
        onConnect: (_session, callback) => callback(refuse('busy')),
        onMailFrom: (_from, _session, callback) => callback(refuse('grey')),
        onRcptTo: (_to, _session, callback) => callback(refuse('full')),
      };
      const server = await startSmtp(t, options, port);
      for (const next of ['busy', 'grey', 'full'] as const) {
        mood = next;
        hurry(here);
        await allWait(here, moods[next]);
      }
      mood = 'well';
      hurry(here);
      await here.drained();
      await stopped(daemon);
      const mails = await Promise.all(server.mails.map((mail) => simpleParser(mail)));
      const sentTo = mails.map(({ to }) => [to].flat()[0]?.text ?? '');
      assert.deepEqual(sentTo.toSorted(), ADDRESSES);
      assert.equal(
        here.value(`SELECT count(*) FROM jobs WHERE status = 'completed' AND attempts = 1`),
        ADDRESSES.length,
      );
      assert.equal(
        here.value(`SELECT count(*) FROM mails WHERE state = 'sent' AND attempts = 5`),
        ADDRESSES.length,
      );
      assert.equal(here.value('SELECT count(*) FROM attempts'), 0);
    },
  );

  it(
    'cut off in the middle of each mail: none arrives or counts as sent, then each does once',
    { timeout: 120_000 },
    async (t) => {
      // In plain text, so that where the mail begins can be seen on the way.
      const server = await startSmtp(t, { disabledCommands: ['STARTTLS'] });
      let cuts = true;
      const port = await startBreakable(t, server.port, ({ sent }) => cuts && /\r\n\r\n.{20}/s.test(sent));
      const here = await siteWithMails(t, port);
      const daemon = await here.start();
      await here.until(`SELECT count(*) = ? FROM jobs WHERE status = 'pending' AND last_error IS NOT NULL`, [
        ADDRESSES.length,
      ]);
      assert.equal(server.mails.length, 0);
      assert.equal(here.value(`SELECT count(*) FROM mails WHERE state = 'sent'`), 0);
      cuts = false;
      hurry(here);
      await here.drained();
      await stopped(daemon);
      assert.equal(server.mails.length, ADDRESSES.length);
      assert.equal(
        here.value(`SELECT count(*) FROM mails WHERE state = 'sent' AND sent_at IS NOT NULL`),
        ADDRESSES.length,
      );
    },
  );

  it(
    'a server that takes connections and says nothing holds up no stop, and no other job',
    { timeout: 120_000 },
    async (t) => {
      const here = await siteWithMails(t, await startSilent(t));
      here.job('Note', '');
      const daemon = await here.start(['--min-workers', '2', '--drain-timeout', '1s']);
      await here.until(`SELECT count(*) = 1 FROM mails WHERE state = 'sending'`);
      await here.reaches(here.insert('Note'), 'completed');
      await stopped(daemon);
      assert.equal(
        here.value(`SELECT count(*) FROM jobs WHERE status = 'pending' AND attempts = 0`),
        ADDRESSES.length,
      );
      assert.equal(here.value(`SELECT count(*) FROM mails WHERE state = 'sent'`), 0);

      const server = await startSmtp(t);
      here.env['SMTP_PORT'] = String(server.port);
      const next = await here.start();
      await here.drained();
      await stopped(next);
      assert.equal(server.mails.length, ADDRESSES.length);
    },
  );

  it('550 for one: that one fails with the words, the others arrive', { timeout: 120_000 }, async (t) => {
    const server = await startSmtp(t, {
      onRcptTo: ({ address }, _session, callback) =>
        callback(address === ADDRESSES[3] ? smtpAnswer(550, '5.1.1 no such user') : undefined),
    });
    const here = await siteWithMails(t, server.port);
    const daemon = await here.start();
    await here.drained();
    await stopped(daemon);
    assert.equal(server.mails.length, ADDRESSES.length - 1);
    const failed = here.sql
      .prepare(`SELECT discarded, attempts, last_error AS error FROM jobs WHERE status = 'failed'`)
      .all();
    assert.deepEqual(failed.length, 1);
    const { error, ...rest } = failed[0] as { discarded: number; attempts: number; error: string };
    assert.deepEqual(rest, { discarded: 1, attempts: 1 });
    assert.match(error, /answered: 550 5\.1\.1 no such user$/);
    assert.equal(here.value(`SELECT count(*) FROM mails WHERE state = 'failed'`), 1);
  });
});
