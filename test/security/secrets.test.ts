/** Secrets of the settings stand nowhere but there: not in rows, logs, errors, commands' output or backups. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { smtpAnswer, startSmtp } from '../tools/smtp.ts';
import { refuseSms, startTwilio } from '../tools/twilio.ts';

/** With all that a shell, a URL, JSON or a pattern could trip over. */
const PASSWORD = `pa"ss'wo\\rd $(x)+/=%&?`;
const RESET = 'reset-me-0123456789';
const TOKEN = 'twilio+secret/of=thirty-two-chars';

test('whatever the servers echo, and whoever asks', async (t) => {
  // Both refuse, and say what they were sent.
  const smtp = await startSmtp(t, {
    authOptional: false,
    disabledCommands: ['STARTTLS'],
    authMethods: ['PLAIN', 'LOGIN'],
    onAuth: (auth, _session, callback) => callback(smtpAnswer(535, `no: ${auth.username} ${auth.password}`)),
  });
  const twilio = await startTwilio(t);
  twilio.answer = (response, { authorization, body }) =>
    refuseSms(response, 401, 20_003, `no: ${authorization} ${TOKEN} ${body}`);
  const here = new Site((clean) => t.after(clean), {
    ADMIN_EMAIL: 'admin@example.edu',
    MAILER_FROM: 'gate@example.edu',
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    SMTP_USER: 'gate',
    SMTP_PASS: PASSWORD,
    APP_URL: 'https://gate.example.edu',
    PASSITO_TWILIO_URL: twilio.url,
    TWILIO_SID: 'AC1',
    TWILIO_AUTH_TOKEN: TOKEN,
    TWILIO_FROM: '+15005550006',
  });
  here.write('s.csv', 'name,email,roll_number,parent_phone\nA,a@b.edu,1,9840012345\n');
  await here.ok('import', 'students', 's.csv');
  const pass = [
    'outpass',
    'create',
    '--student',
    '1',
    '--kind',
    'Home',
    '--purpose',
    'x',
    '--destination',
    'x',
  ];
  await here.ok(...pass, '--out', '2099-01-01 10:00', '--in', '2099-01-02 10:00');
  const daemon = await here.start(['--public', '127.0.0.1:0', '--log-level', 'debug']);
  here.insert('SendParentApproval', { outpass_id: 1, channel: 'sms' });
  here.insert('SendPasswordResetEmail', { to: 'a@b.edu', reset_link: `https://x.example/${RESET}` });
  here.insert('SendAccountCreationEmail', { to: 'a@b.edu', name: 'A', default_password: RESET });
  await daemon.line(/SendParentApproval/);
  await here.until('SELECT count(*) = 3 FROM jobs WHERE last_error IS NOT NULL');

  const said: string[] = [];
  for (const words of [
    ['config'],
    ['config', '--json'],
    ['doctor'],
    ['doctor', '--json'],
    ['status', '--json'],
    ['jobs', 'list', '--json'],
    ['jobs', 'show', '1'],
    ['jobs', 'show', '2', '--json'],
    ['jobs', 'show', '3'],
    ['explain', '1'],
    ['explain', '2'],
    ['mail', 'list', '--json'],
    ['mail-test', 'admin@example.edu'],
    ['health', '--send-email', '--force'],
    ['supervisor', '--min-workers', 'x'],
    ['backup', here.path('b.tar')],
  ]) {
    const { stdout, stderr } = await here.run(words);
    said.push(stdout, stderr);
  }
  await daemon.stop();
  said.push(daemon.log);
  // The database and the archive as they lie on the disk, without the payloads: their secrets are needed until the mails are sent.
  here.sql.exec(`UPDATE jobs SET payload = '{}'`);
  here.sql.exec('VACUUM');
  here.sql.pragma('wal_checkpoint(TRUNCATE)');
  const files = readdirSync(here.folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name !== 'b.tar',
  );
  for (const { parentPath, name } of files) said.push(readFileSync(join(parentPath, name), 'latin1'));

  const base64 = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '');
  const forms = [PASSWORD, TOKEN, RESET].flatMap((secret) => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
    encodeURIComponent(secret),
    base64(secret),
  ]);
  forms.push(base64(`\0gate\0${PASSWORD}`), base64(`AC1:${TOKEN}`));
  for (const text of said) {
    const found = forms.find((form) => text.includes(form));
    assert.equal(found, undefined, `${found}: ${text.slice(0, 2000)}`);
  }
  assert.match(said.join('\n'), /\[hidden\]/, 'they were echoed');
});
