/** SendParentApproval and what a parent's answer does, on records in memory and a stand-in for Twilio. */

import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { type Clock, formatTime, systemClock } from '../../src/engine/clock.ts';
import { isDiscard, isSnooze, type MailMessage } from '../../src/engine/handler.ts';
import { sendParentApproval } from '../../src/outpass/jobs/send-parent-approval.ts';
import { outpassRows, studentRows } from '../../src/outpass/import.ts';
import type { ParentSettings } from '../../src/outpass/parent/question.ts';
import { tokenHash } from '../../src/outpass/parent/token.ts';
import { MailError } from '../../src/edge/mail-error.ts';
import { FakeClock } from '../tools/engine.ts';
import { one, openOffice, passRecord, settings, studentRecord } from '../tools/office.ts';
import { refuseSms, startTwilio } from '../tools/twilio.ts';

const DAY = 86_400_000;

/** An office that can send SMS, with a pass of tomorrow (number 2). */
async function opened(t: TestContext, changes: Partial<ParentSettings> = {}, clock: Clock = systemClock) {
  const twilio = await startTwilio(t);
  const account = { url: twilio.url, sid: 'AC123', authToken: 'hush', from: '+15005550006' };
  const here = await openOffice(t, () => ({}), clock, { twilio: account, ...changes });
  const { office } = here;
  await office.importStudents(studentRows(one({ ...studentRecord, parent_email: 'parent@example.in' })).rows);
  const time = (days: number) => new Date(clock.now() + days * DAY).toISOString().slice(0, 16) + 'Z';
  const pass = { ...passRecord, leaves_at: time(1), returns_at: time(4) };
  await office.importOutpasses(outpassRows(one(pass), settings.timeZone).rows);
  const ask = (extra: Parameters<typeof here.context>[0] = {}, channel?: 'sms' | 'mail', outpass = 2) =>
    sendParentApproval.handle({ outpass_id: outpass, channel }, here.context(extra)) as Promise<
      Record<string, string>
    >;
  const status = async () => (await office.pass(2))?.status;
  return { ...here, twilio, ask, status };
}

const linkIn = (text: string) => /https:\/\/gate\.example\.edu\/parent\/([\w-]{22})\b/.exec(text)![1]!;
/** It waits for the way to be free again, half a minute at most at first. */
const snoozed = (reason: RegExp) => (error: unknown) =>
  isSnooze(error) && Number(error.delay) <= 35_000 && reason.test(error.reason ?? '');
const discarded = (reason: RegExp) => (error: unknown) => isDiscard(error) && reason.test(error.message);

suite('SendParentApproval by SMS', () => {
  test('sends a link that opens the question; a second run of the job sends nothing', async (t) => {
    const { ask, twilio, office, status, db, folder } = await opened(t);
    const result = await ask();
    assert.deepEqual(
      twilio.asked.map(({ body: _, ...rest }) => rest),
      [
        {
          path: '/2010-04-01/Accounts/AC123/Messages.json',
          authorization: `Basic ${Buffer.from('AC123:hush').toString('base64')}`,
          to: '+919840012345',
          from: '+15005550006',
          service: null,
        },
      ],
    );
    assert.equal(result['channel'], 'sms');
    assert.equal(result['message_id'], 'SM00000000000000000000000000000001');
    assert.equal(await status(), 'parent_pending');
    const token = linkIn(twilio.asked[0]!.body);
    const page = await office.parentPage(tokenHash(token));
    assert.deepEqual([page?.state, page?.pass.id], ['open', 2]);
    assert.ok(
      !JSON.stringify(db.prepare('SELECT * FROM parent_verifications').all()).includes(token),
      'only its hash is kept',
    );
    assert.equal(statSync(path.join(folder, 'keys', 'parent-links.key')).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(path.join(folder, 'keys')), ['parent-links.key']);

    assert.deepEqual(await ask(), result);
    assert.equal(twilio.asked.length, 1);
    office.parentDecides(tokenHash(token), 'parent_approved', Date.now());
    assert.deepEqual(await ask(), result, 'also when the parent was faster than the second run');
    assert.equal(twilio.asked.length, 1);
  });

  test('an attempt that failed sends the same link again; a new job asks anew, and both links work', async (t) => {
    const { ask, twilio, office, db } = await opened(t);
    twilio.answer = (response) => refuseSms(response, 429, 20_429, 'Too Many Requests');
    await assert.rejects(ask(), snoozed(/^Twilio answered 429: Too Many Requests \(Twilio's error 20429\)$/));
    twilio.answer = (response) => response.destroy();
    await assert.rejects(ask(), snoozed(/^Twilio \(http:\/\/127\.0\.0\.1:\d+\) cannot be reached: /));
    twilio.answer = undefined;
    await ask();
    await ask({ id: 2 });
    const links = twilio.asked.map(({ body }) => linkIn(body));
    assert.equal(links.length, 4);
    assert.equal(new Set(links.slice(0, 3)).size, 1);
    assert.notEqual(links[3], links[0]);
    assert.deepEqual(db.prepare('SELECT issue, job_id FROM parent_verifications').raw().all(), [
      [1, 1],
      [2, 2],
    ]);
    assert.equal((await office.parentPage(tokenHash(links[3]!)))?.state, 'open');
    assert.equal(office.parentDecides(tokenHash(links[0]!), 'parent_denied', Date.now())?.state, 'open');
    assert.equal((await office.parentPage(tokenHash(links[3]!)))?.state, 'closed');
  });

  test('what Twilio refuses for good is given up, with its words', async (t) => {
    const { ask, twilio } = await opened(t);
    twilio.answer = (response) => refuseSms(response, 400, 21_211, "The 'To' number is not valid");
    await assert.rejects(
      ask(),
      discarded(/Twilio answered 400: The 'To' number is not valid \(Twilio's error 21211\)/),
    );
    twilio.answer = (response) => refuseSms(response, 401, 20_003, 'Authenticate');
    await assert.rejects(ask(), discarded(/401: Authenticate.*TWILIO_SID and TWILIO_AUTH_TOKEN/));
  });

  test('what Twilio echoes of the account’s token, or of the link, is not passed on', async (t) => {
    const { ask, twilio } = await opened(t);
    let sent: string[] = [];
    twilio.answer = (response, { authorization, body }) => {
      sent = ['hush', authorization.slice(6), linkIn(body), encodeURIComponent(body)];
      refuseSms(response, 400, 21_211, `${sent.join(' ')} ${body} ${'x'.repeat(500)}`);
    };
    await assert.rejects(ask(), (error: Error) => {
      for (const secret of [...sent, linkIn(twilio.asked[0]!.body)]) {
        assert.ok(!error.message.includes(secret), `${secret} in ${error.message}`);
      }
      return error.message.startsWith('Twilio answered 400: [hidden] [hidden]');
    });
  });

  test('the account’s token follows no redirect', async (t) => {
    const { ask, twilio } = await opened(t);
    twilio.answer = (response) => response.writeHead(307, { location: '/elsewhere' }).end();
    await assert.rejects(ask(), snoozed(/cannot be reached: unexpected redirect/));
    assert.equal(twilio.asked.length, 1);
  });

  test('a messaging service is named as one', async (t) => {
    const twilio = await startTwilio(t);
    const { ask } = await opened(t, { twilio: { url: twilio.url, sid: 'AC1', authToken: 'x', from: 'MG9' } });
    await ask();
    assert.deepEqual([twilio.asked[0]?.service, twilio.asked[0]?.from], ['MG9', null]);
  });
});

suite('SendParentApproval by mail', () => {
  test('sends one letter with the link, whose Message-ID is the result', async (t) => {
    const { ask, office, twilio, db } = await opened(t);
    const mails: MailMessage[] = [];
    const mail = async (message: MailMessage) => {
      mails.push(message);
      return { messageId: '1.1@x', via: 'smtp' as const, response: '250 ok' };
    };
    const result = await ask({ mail }, 'mail');
    assert.deepEqual(await ask({ mail }, 'mail'), result);
    assert.deepEqual(
      [result['channel'], result['message_id'], mails.length, twilio.asked.length],
      ['mail', '1.1@x', 1, 0],
    );
    const { to, text, html, subject } = mails[0]!;
    assert.equal(to, 'parent@example.in');
    assert.match(subject, /^May Arjun Selvam leave the hostel\?/);
    assert.equal(linkIn(text), linkIn(html ?? ''));
    assert.equal((await office.parentPage(tokenHash(linkIn(text))))?.state, 'open');
    assert.deepEqual(db.prepare('SELECT kind, outpass_id, state FROM mails').raw().all(), [
      ['parent_approval', 2, 'sent'],
    ]);
  });
});

suite('a question that nobody takes', () => {
  const HOUR = 3_600_000;

  /** Runs the job as often as it wants to wait, and gives how it ended, when, and what was asked. */
  async function toItsEnd(t: TestContext, channel: 'sms' | 'mail') {
    const clock = new FakeClock();
    const here = await opened(t, { linkLifetime: HOUR }, clock);
    const links: string[] = [];
    here.twilio.answer = (response) => refuseSms(response, 429, 20_429, 'Too Many Requests');
    const mail = async ({ text }: MailMessage): Promise<never> => {
      links.push(linkIn(text));
      throw new MailError('The mail server answered: 451 later', false);
    };
    const began = clock.now();
    for (;;) {
      try {
        await here.ask({ mail }, channel);
      } catch (error) {
        if (isSnooze(error)) await clock.advance(Number(error.delay));
        else {
          links.push(...here.twilio.asked.map(({ body }) => linkIn(body)));
          return { ...here, clock, mail, error: error as Error, lasted: clock.now() - began, links };
        }
      }
    }
  }

  for (const channel of ['sms', 'mail'] as const) {
    test(`is given up before its link expires: ${channel}`, async (t) => {
      const { error, lasted, links, db } = await toItsEnd(t, channel);
      assert.ok(isDiscard(error));
      assert.match(
        error.message,
        channel === 'sms' ? /until the link expired.* 429/ : /59 minutes.* 451 later/,
      );
      assert.equal(lasted, HOUR - 60_000, 'the last try leaves a minute to answer');
      assert.ok(links.length > 5 && new Set(links).size === 1, `${links.length} tries, one link`);
      assert.equal(db.prepare('SELECT count(*) FROM parent_verifications').pluck().get(), 1);
      if (channel === 'mail') assert.equal(db.prepare('SELECT state FROM mails').pluck().get(), 'failed');
    });
  }

  test('is not asked again by its job once the link has expired, unless an admin brings the job back', async (t) => {
    const { ask, clock, db, mail, links } = await toItsEnd(t, 'mail');
    await clock.advance(60_000);
    await assert.rejects(ask({ mail }, 'mail'), discarded(/: the link expired before it could be sent\.$/));
    db.exec(`INSERT INTO jobs (id, type, last_error) VALUES (1, 'SendParentApproval', '451 later.')`);
    await assert.rejects(ask({ mail }, 'mail'), discarded(/ before it could be sent \(451 later\)\.$/));
    db.prepare(`INSERT INTO attempts (job_id, attempt, outcome, ended_at) VALUES (1, 1, 'discarded', ?)`).run(
      formatTime(clock.now()),
    );
    await assert.rejects(ask({ mail }, 'mail'), snoozed(/451 later/));
    assert.equal(new Set(links).size, 2);
  });
});

suite('who is not asked', () => {
  for (const [what, changes, reason] of [
    ['without a public address', { publicAddress: null }, /--public ADDR, or set PASSITO_PUBLIC/],
    ['without APP_URL', { appUrl: null }, /set APP_URL/],
    ['without a way to send', { twilio: null }, /TWILIO_SID/],
  ] as const) {
    test(what, async (t) => {
      const { ask, status } = await opened(t, changes);
      await assert.rejects(ask({}, 'sms'), discarded(reason));
      assert.equal(await status(), 'pending', 'the pass was not moved');
    });
  }
  test('about a pass that is over, decided, or not there', async (t) => {
    const { ask, office, write, twilio } = await opened(t);
    await assert.rejects(ask({}, 'sms', 1), discarded(/OP-000001\): the pass is over/));
    await assert.rejects(ask({}, 'sms', 99), discarded(/#99 does not exist/));
    await write(() => office.movePass(2, 'reject', { by: 'W', at: Date.now() }));
    await assert.rejects(ask(), discarded(/the pass is rejected; only a pending pass/));
    assert.equal(twilio.asked.length, 0);
  });
});

suite('a parent’s answer', () => {
  test('counts once, in time, and only while the pass waits for it', async (t) => {
    const { office, write, status } = await opened(t, { linkLifetime: 1000 });
    const start = Date.now();
    const question = { jobId: 1, channel: 'sms', to: '+919840012345' } as const;
    const asked = async (jobId: number, at: number) => {
      const said = await office.askParent(2, { ...question, jobId }, at);
      assert.ok(said.ok);
      return tokenHash(said.link.split('/').at(-1)!);
    };
    const first = await asked(1, start);
    assert.equal(office.parentDecides(tokenHash('unknown'), 'parent_approved', start), undefined);
    assert.equal(office.parentDecides(first, 'parent_approved', start + 1000)?.state, 'expired');
    assert.equal(await status(), 'parent_pending');
    const again = await office.askParent(2, { ...question, jobId: 1 }, start + 1000);
    assert.ok(!again.ok && /expired/.test(again.reason), 'the job’s own link has run out');
    const second = await asked(2, start + 1000);
    assert.notEqual(second, first);
    assert.equal(office.parentDecides(second, 'parent_approved', start + 1500)?.state, 'open');
    assert.equal(await status(), 'parent_approved');
    assert.equal(office.parentDecides(second, 'parent_denied', start + 1600)?.state, 'answered');
    assert.equal(await status(), 'parent_approved');
    assert.deepEqual(
      (await office.parentQuestions(2)).map(({ decision }) => decision),
      [null, 'parent_approved'],
    );
    await write(() => office.movePass(2, 'cancel', { at: start + 1700 }));
    const refused = await office.askParent(2, { ...question, jobId: 3 }, start + 1800);
    assert.ok(!refused.ok && /is cancelled/.test(refused.reason));
  });

  test('that comes after the pass was cancelled changes nothing', async (t) => {
    const { office, write, db, status } = await opened(t);
    const now = Date.now();
    const said = await office.askParent(2, { jobId: 1, channel: 'mail', to: 'p@b.edu' }, now);
    assert.ok(said.ok);
    const hash = tokenHash(said.link.split('/').at(-1)!);
    await write(() => office.movePass(2, 'cancel', { at: now }));
    assert.equal(office.parentDecides(hash, 'parent_denied', now + 1)?.state, 'closed');
    assert.equal(db.prepare('SELECT decision FROM parent_verifications').pluck().get(), null);
    assert.equal(await status(), 'cancelled');
  });

  test('is not waited for beyond the pass’s end', async (t) => {
    const { office } = await opened(t, { linkLifetime: 30 * DAY });
    const said = await office.askParent(2, { jobId: 1, channel: 'mail', to: 'p@b.edu' });
    assert.equal(said.ok && said.expiresAt, (await office.pass(2))?.returnsAt);
  });
});
