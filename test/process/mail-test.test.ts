/** `mail-test` against real servers: what they answered, and what to change where they did not take it. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { simpleParser } from 'mailparser';
import type { SMTPServerOptions } from 'smtp-server';
import { certificate, certificateKey } from '../tools/certificate.ts';
import { Site } from '../tools/daemon.ts';
import { smtpAnswer, startSilent, startSmtp } from '../tools/smtp.ts';

const plain: SMTPServerOptions = { disabledCommands: ['STARTTLS'] };

/** Tries the settings; resolves with the exit status and all that was said. */
async function tried(t: TestContext, env: Record<string, string>, ...more: string[]): Promise<string> {
  const here = new Site((clean) => t.after(clean), env);
  const { code, stdout, stderr } = await here.run(['mail-test', 'admin@example.edu', ...more]);
  return `${code} ${stdout}${stderr}`;
}

const at = (port: number) => ({ SMTP_HOST: '127.0.0.1', SMTP_PORT: String(port) });

test('a server that takes it: its answer is told, and the mail is there', async (t) => {
  const smtp = await startSmtp(t, plain);
  assert.equal(
    await tried(t, { ...at(smtp.port), MAILER_FROM: 'Gate <gate@example.edu>' }),
    `0 Sent to admin@example.edu as Gate <gate@example.edu>, through 127.0.0.1:${smtp.port}.\n` +
      'The server answered: 250 OK: message queued\n',
  );
  const mail = await simpleParser(smtp.mails[0]!);
  assert.equal(mail.from?.text, '"Gate" <gate@example.edu>');
  assert.match(mail.subject ?? '', /test of the mail settings/);
  assert.match(await tried(t, at(smtp.port), '--json'), /^0 \{"to":"admin@example.edu","via":"smtp",/);
});

test('no server: the mail is in the outbox, and nobody is told that it was sent', async (t) => {
  const here = new Site((clean) => t.after(clean));
  const said = await here.ok('mail-test', 'admin@example.edu');
  const [file = ''] = readdirSync(here.path('outbox'));
  assert.equal(said, `Not sent: SMTP_HOST is not set, so the mail lies in ${here.path('outbox', file)}.\n`);
  assert.match(readFileSync(here.path('outbox', file), 'utf8'), /^To: admin@example.edu/m);
});

test('a server that wants a login, or another one, exits with 1 and never shows the password', async (t) => {
  const smtp = await startSmtp(t, {
    ...plain,
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => done(smtpAnswer(535, 'Authentication failed')),
  });
  const login = { SMTP_USER: 'gate', SMTP_PASS: 'hunter2' };
  assert.match(await tried(t, at(smtp.port)), /^1 .*answered: 530 .*\n.*set SMTP_USER and SMTP_PASS\.\n$/);
  const refused = await tried(t, { ...at(smtp.port), ...login });
  assert.match(refused, /^1 .*answered: 535 Authentication failed .*\nCheck SMTP_USER and SMTP_PASS/);
  assert.doesNotMatch(refused, /hunter2/);
});

test('a server that does not send for this sender exits with 1', async (t) => {
  const onMailFrom: SMTPServerOptions['onMailFrom'] = (_from, _session, done) =>
    done(smtpAnswer(550, 'Relaying denied'));
  const smtp = await startSmtp(t, { ...plain, onMailFrom });
  assert.match(await tried(t, at(smtp.port)), /^1 .*answered: 550 Relaying denied\.\n.*check MAILER_FROM/);
});

test('a server that cannot be reached exits with 3, and says what to look at', async (t) => {
  const tls = await startSmtp(t, { secure: true, cert: certificate, key: certificateKey });
  const other = await startSilent(t, 'HTTP/1.1 400 Bad Request\r\n');
  for (const [env, hint] of [
    [at(1), /^3 .*ECONNREFUSED.*\nCheck SMTP_HOST, SMTP_PORT .* Try: nc -vz 127\.0\.0\.1 1\n$/],
    [{ SMTP_HOST: 'nosuch.invalid' }, /^3 .*\nNo server is known by the name 'nosuch\.invalid'/],
    [at(tls.port), /^3 .*Greeting never received\.\n.*set SMTP_PORT=465\.\n$/],
    [at(other), /^3 .*Invalid greeting/],
  ] as const) {
    assert.match(await tried(t, env), hint);
  }
});
