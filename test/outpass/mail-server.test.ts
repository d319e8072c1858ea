/** The mailer against real servers: encrypted, refusing, slow, and breaking off in the middle. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { simpleParser } from 'mailparser';

import { createMailer, MailError, PATIENCE } from '../../src/edge/mail.ts';
import type { MailSettings } from '../../src/edge/mail.ts';
import type { MailMessage } from '../../src/engine/handler.ts';
import { parseDuration } from '../../src/engine/units.ts';
import { officeJobs } from '../../src/outpass/jobs.ts';
import { certificate, certificateKey } from '../tools/certificate.ts';
import { smtpAnswer, startBreakable, startDribbling, startSilent, startSmtp } from '../tools/smtp.ts';

const messageId = 'passito.12.1@gate.example.edu';
const own = { cert: certificate, key: certificateKey };
const plain = { disabledCommands: ['STARTTLS'] };

function mailer(t: TestContext, port: number, changes: Partial<MailSettings> = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'passito-mail-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(path.join(folder, 'files'));
  const { send } = createMailer({
    host: '127.0.0.1',
    port,
    from: 'office@example.edu',
    outbox: path.join(folder, 'outbox'),
    filesRoot: path.join(folder, 'files'),
    hostname: 'gate.example.edu',
    ...changes,
  });
  const message: MailMessage = { to: 'a@example.edu', subject: 'Hi', text: 'Hello' };
  const sendIt = (extra: object = {}) => send({ ...message, ...extra }, { messageId });
  const fault = async (extra: object = {}) => {
    const error = await sendIt(extra).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof MailError, `it was sent, or failed otherwise: ${String(error)}`);
    // What a job keeps is the message and what the message does not say of its cause.
    assert.ok(!(error.cause instanceof Error) || error.message.includes(error.cause.message));
    assert.equal(error.name, 'Error');
    return error;
  };
  return { folder, send: sendIt, fault };
}

test('TLS from the start, to a server whose certificate is vouched for', async (t) => {
  const smtp = await startSmtp(t, { secure: true, ...own });
  const { send } = mailer(t, smtp.port, { security: 'tls', ca: certificate });
  assert.equal((await send()).via, 'smtp');
  assert.deepEqual(smtp.encrypted, [true]);
});

test('a certificate that nobody vouches for ends it before a word is said, and is tried again', async (t) => {
  for (const security of ['tls', 'starttls'] as const) {
    const met: string[] = [];
    const smtp = await startSmtp(t, {
      secure: security === 'tls',
      ...own,
      onAuth: (_auth, _session, done) => (met.push('auth'), done(null, { user: 'u' })),
    });
    const { fault } = mailer(t, smtp.port, { security, user: 'u', password: 'hush' });
    const error = await fault();
    assert.equal(error.permanent, false);
    assert.match(error.message, /cannot be used: .*self.signed certificate/);
    assert.deepEqual([met, smtp.mails], [[], []]);
  }
});

test('where STARTTLS is required, a server without it gets neither the password nor the mail', async (t) => {
  const offering = await startSmtp(t, own);
  await mailer(t, offering.port, { security: 'starttls', ca: certificate }).send();
  assert.deepEqual(offering.encrypted, [true]);

  const met: string[] = [];
  const stripped = await startSmtp(t, {
    ...plain,
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => (met.push('auth'), done(null, { user: 'u' })),
  });
  const error = await mailer(t, stripped.port, { security: 'starttls', user: 'u', password: 'p' }).fault();
  assert.match(error.message, /STARTTLS/);
  assert.deepEqual([met, stripped.mails], [[], []]);
});

test('a refused password is no fault of the mail, says which settings were used, and keeps the password to itself', async (t) => {
  const smtp = await startSmtp(t, { onAuth: (_auth, _session, done) => done(smtpAnswer(535, 'bad login')) });
  const error = await mailer(t, smtp.port, { user: 'u', password: 'hush' }).fault();
  assert.equal(error.permanent, false);
  assert.equal(
    error.message,
    `The mail server 127.0.0.1:${smtp.port} answered: 535 bad login (SMTP_USER and SMTP_PASS are what it was told)`,
  );
  const busy = await startSmtp(t, { onAuth: (_auth, _session, done) => done(smtpAnswer(454, 'later')) });
  assert.equal((await mailer(t, busy.port, { user: 'u', password: 'hush' }).fault()).permanent, false);
});

test('a server that wants a login is no fault of the mail either; one that refuses this sender is', async (t) => {
  for (const [code, said, permanent] of [
    [530, '5.7.0 authentication required', false],
    [550, '5.7.1 not from there', true],
  ] as const) {
    const smtp = await startSmtp(t, { onMailFrom: (_from, _session, done) => done(smtpAnswer(code, said)) });
    const error = await mailer(t, smtp.port).fault();
    assert.equal(error.permanent, permanent, error.message);
  }
});

test('what a server echoes of the login, or of a parent’s link, is not passed on', async (t) => {
  const [user, password] = ['gate', 'hush/with & blank'];
  const echo = (text: string) => Buffer.from(text).toString('base64');
  const sent = [password, echo(password), echo(`\0${user}\0${password}`), encodeURIComponent(password)];
  const login = await startSmtp(t, {
    ...plain,
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => done(smtpAnswer(535, `no: ${sent.join(' | ')} .`)),
  });
  const refused = await mailer(t, login.port, { user, password }).fault();
  assert.match(refused.message, /535 no: \[hidden\] \| \[hidden\]=* \| \[hidden\]=* \| \[hidden\] \./);
  for (const one of sent) assert.ok(!refused.message.includes(one) && !refused.response?.includes(one), one);

  const token = 'AbCdEfGhIjKlMnOpQrStUv';
  const link = `https://gate.example.edu/parent/${token}`;
  for (const code of [554, 250]) {
    const smtp = await startSmtp(t, {
      onData: (stream, _session, done) =>
        stream.resume().on('end', () => {
          const said = `saw ${link} and ${token}`;
          if (code === 250) (done as (error: null, message: string) => void)(null, said);
          else done(smtpAnswer(code, said));
        }),
    });
    const { send, fault } = mailer(t, smtp.port);
    const mail = { text: `Please answer: ${link}` };
    const said = code === 250 ? (await send(mail)).response : (await fault(mail)).message;
    assert.match(said, /saw https:\/\/gate\.example\.edu\/parent\/\[hidden\] and \[hidden\]/);
  }
});

test('a refusal after the last line of the mail is told once, in the server’s words', async (t) => {
  for (const [code, permanent] of [
    [554, true],
    [452, false],
  ] as const) {
    const smtp = await startSmtp(t, {
      onData: (stream, _session, done) => {
        stream.resume();
        stream.on('end', () => done(smtpAnswer(code, 'not this one')));
      },
    });
    const error = await mailer(t, smtp.port).fault();
    assert.equal(error.permanent, permanent);
    assert.equal(error.message, `The mail server 127.0.0.1:${smtp.port} answered: ${code} not this one`);
    assert.equal(error.response, `${code} not this one`);
  }
});

test('an answer of several lines is told in one', async (t) => {
  const port = await startSilent(t, '421-4.3.2 We are\r\n421 4.3.2 closed today\r\n');
  const error = await mailer(t, port).fault();
  assert.equal(error.permanent, false);
  assert.equal(
    error.message,
    `The mail server 127.0.0.1:${port} answered: 421-4.3.2 We are 421 4.3.2 closed today`,
  );
});

test('greylisting: refused for now, taken at the next attempt, once', async (t) => {
  const met = new Set<string>();
  const smtp = await startSmtp(t, {
    onRcptTo({ address }, _session, done) {
      if (met.has(address)) return done();
      met.add(address);
      done(smtpAnswer(451, '4.7.1 greylisted, come back'));
    },
  });
  const { send, fault } = mailer(t, smtp.port);
  const error = await fault();
  assert.equal(error.permanent, false);
  assert.match(error.message, /answered: 451 4\.7\.1 greylisted, come back$/);
  await send();
  assert.equal(smtp.mails.length, 1);
});

test('a connection that dies in the middle of the mail leaves nothing behind; the next attempt is the mail', async (t) => {
  const smtp = await startSmtp(t, plain);
  const text = 'a line of the mail\r\n'.repeat(20_000);
  const broken = await startBreakable(t, smtp.port, ({ sent }) => sent.length > 100_000);
  const error = await mailer(t, broken).fault({ text });
  assert.equal(error.permanent, false);
  assert.match(error.message, /cannot be used: /);
  assert.equal(smtp.mails.length, 0);
  await mailer(t, smtp.port).send({ text });
  assert.equal(smtp.mails.length, 1);
});

test('where only the server’s yes is lost, the second copy bears the first one’s Message-ID', async (t) => {
  const smtp = await startSmtp(t, plain);
  const deaf = await startBreakable(
    t,
    smtp.port,
    ({ sent, answered }) => sent.includes('\r\n.\r\n') && /\r\n250 [^\r]*\r\n$/.test(answered),
  );
  assert.equal((await mailer(t, deaf).fault()).permanent, false);
  await mailer(t, smtp.port).send();
  const ids = await Promise.all(smtp.mails.map(async (mail) => (await simpleParser(mail)).messageId));
  assert.deepEqual(ids, [`<${messageId}>`, `<${messageId}>`]);
});

test('a server that says nothing is given up in bounded time, before and after its greeting', async (t) => {
  const patience = { connect: 100, silence: 150 };
  for (const greeting of ['', '220 here\r\n']) {
    const port = await startSilent(t, greeting);
    const started = performance.now();
    const error = await mailer(t, port, { patience }).fault();
    assert.equal(error.permanent, false);
    assert.ok(performance.now() - started < 2000);
    assert.match(error.message, /timeout|timed out|greeting never received/i);
  }
});

test('a server that answers a little at a time is given up too', async (t) => {
  const port = await startDribbling(t);
  const started = performance.now();
  const error = await mailer(t, port, { patience: { whole: 150 } }).fault();
  assert.ok(performance.now() - started < 2000);
  assert.equal(error.permanent, false);
  assert.equal(error.message, `The mail server 127.0.0.1:${port} took longer than 150ms.`);
});

test('whatever a server does, the mailer is done with it before the job that sends the mail times out', () => {
  const mails = officeJobs.filter(({ type = '' }) => type.startsWith('Send'));
  assert.equal(mails.length, 6);
  for (const { type, timeout } of mails) {
    const left = (parseDuration(timeout) ?? 0) - PATIENCE.whole;
    assert.ok(left >= 60_000, `${type} times out ${left} ms after the mailer`);
  }
});

test('nothing is fetched and no file is read for a body or an attachment that names one', async (t) => {
  const asked: string[] = [];
  const web = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.end('fetched');
  });
  await new Promise<void>((resolve) => {
    web.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => web.close());
  const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/x`;
  const smtp = await startSmtp(t);
  const { folder, fault, send } = mailer(t, smtp.port);
  const attached = (attachment: object) => ({ attachments: [{ filename: 'x', ...attachment }] });
  for (const extra of [
    attached({ href: url }),
    attached({ path: url }),
    attached({ path: new URL(url) }),
    attached({ path: 'file:///etc/passwd' }),
    attached({ raw: { path: '/etc/passwd' } }),
    attached({ content: { path: '/etc/passwd' } }),
    attached({ content: { href: url } }),
    { text: { href: url } },
    { text: { path: '/etc/passwd' } },
    { html: { href: url } },
    { html: { path: '/etc/passwd' } },
    { subject: { path: '/etc/passwd' } },
    { to: { name: 'x', address: 'a@example.edu' } },
  ]) {
    const error = await fault(extra);
    assert.equal(error.permanent, true, error.message);
  }
  mkdirSync(path.join(folder, 'files', 'inner'));
  assert.match((await fault(attached({ path: 'inner' }))).message, /inner is not a file/);
  await send({
    html: `<img src="${url}"><img src="/etc/passwd">`,
    raw: { path: '/etc/passwd' },
    bcc: 'x@y.z',
  });
  assert.deepEqual(asked, []);
  assert.equal(smtp.mails.length, 1);
  const mail = await simpleParser(smtp.mails[0]!);
  assert.equal(mail.attachments.length, 0);
  assert.ok(!smtp.mails[0]!.toString().includes('x@y.z'));
  assert.throws(() => statSync(path.join(folder, 'outbox')));
});

test('a mail says that a program sent it, so that no out-of-office note comes back', async (t) => {
  const smtp = await startSmtp(t);
  await mailer(t, smtp.port).send();
  assert.match(smtp.mails[0]!.toString(), /^Auto-Submitted: auto-generated\r$/m);
});
