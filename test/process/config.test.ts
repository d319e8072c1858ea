/** `config`: every setting once, where it came from, and no secret. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEYS } from '../../src/config/keys.ts';
import { Site } from '../tools/daemon.ts';

interface Shown {
  key: string;
  env: string;
  value: unknown;
  origin: string;
  secret: boolean;
  set: boolean;
}

test('each value says where it came from: flag, environment, env file, config file or default', async (t) => {
  const here = new Site((clean) => t.after(clean), { APP_NAME: 'Gate', SMTP_PASS: 'hunter2' });
  here.write('.env', 'ADMIN_EMAIL=admin@example.edu\nAPP_NAME=Other\nPASSITO_PUBLIC=8080\n');
  here.write('passito.config.json', '{"lateGrace": "45m", "ADMIN_EMAIL": "nobody@example.edu"}');
  const shown = await here.json<Shown[]>('config', '--db', 'elsewhere.db');
  assert.deepEqual(
    shown.map(({ key, env }) => [key, env]),
    Object.entries(KEYS).map(([key, { env }]) => [key, env]),
  );
  const of = (name: string) => {
    const { value, origin, secret, set } = shown.find(({ key }) => key === name)!;
    return [value, origin, secret, set];
  };
  assert.deepEqual(of('db'), ['elsewhere.db', 'flag', false, true]);
  assert.deepEqual(of('appName'), ['Gate', 'environment', false, true]);
  assert.deepEqual(of('adminEmail'), ['admin@example.edu', '.env', false, true]);
  assert.deepEqual(of('lateGrace'), [45 * 60_000, 'passito.config.json', false, true]);
  assert.deepEqual(of('smtpPort'), [587, 'default', false, true]);
  assert.deepEqual(of('smtpPass'), [null, 'environment', true, true]);
  assert.deepEqual(of('twilioAuthToken'), [null, 'default', true, false]);

  const text = await here.ok('config');
  assert.match(text, /^lateGrace +LATE_GRACE +passito\.config\.json +45m$/m);
  assert.match(text, /^public +PASSITO_PUBLIC +\.env +127\.0\.0\.1:8080$/m);
  assert.match(text, /^smtpPass +SMTP_PASS +environment +•••$/m);
  assert.match(text, /^queues +PASSITO_QUEUES +default +-$/m);
  assert.doesNotMatch(text, /hunter2/);
});

test('options for a type that does not exist are warned of, in the log and by the doctor, and refuse nothing', async (t) => {
  const here = new Site((clean) => t.after(clean));
  here.job('Hello', 'return 1;');
  const entries = { Helo: { timeout: '5s' }, Hello: { timeout: '6s' }, Count: { command: ['/bin/true'] } };
  here.write('passito.config.json', JSON.stringify({ jobs: entries }));
  await here.ok('migrate');
  const daemon = here.launch(['--log-format', 'json']);
  await daemon.line(/supervisor ready/);
  const warned = daemon.log.split('\n').filter((line) => line.includes('that does not exist'));
  assert.equal(warned.length, 1, daemon.log);
  const { level, type, nearest, msg } = JSON.parse(warned[0]!) as Record<string, unknown>;
  assert.deepEqual(
    [level, type, nearest, msg],
    [40, 'Helo', 'Hello', 'the config file has options of a type that does not exist'],
  );
  const { findings } = await here.json<{ findings: { check: string; [key: string]: unknown }[] }>(
    'doctor',
    '--offline',
  );
  const { level: how, message, try: edit } = findings.find(({ check }) => check === 'jobs')!;
  assert.deepEqual(
    [how, message, edit],
    [
      'hint',
      'jobs.Helo in the config file: there is no such type; did you mean Hello?',
      '${EDITOR:-vi} passito.config.json',
    ],
  );
  await daemon.stop();
});

test('a config file gives texts, numbers and lists of them, and yes or no as what they are', async (t) => {
  const here = new Site((clean) => t.after(clean));
  const given = {
    drainTimeout: 45_000,
    lateGraceMale: 0,
    queues: ['a', 'b'],
    http: 8090,
    parentApproves: true,
  };
  here.write('passito.config.json', JSON.stringify(given));
  const values = new Map((await here.json<Shown[]>('config')).map(({ key, value }) => [key, value]));
  assert.deepEqual(
    ['drainTimeout', 'lateGraceMale', 'queues', 'parentApproves'].map((key) => values.get(key)),
    [45_000, 0, ['a', 'b'], true],
  );
});

test('what it gives beside them is refused by its name', async (t) => {
  const here = new Site((clean) => t.after(clean));
  here.write(
    'passito.config.json',
    JSON.stringify({
      backups: false,
      smtpHost: false,
      socket: false,
      appName: { a: 1 },
      smtpPass: true,
      drainTimeout: -1,
      queues: ['a', false],
    }),
  );
  const { code, stderr } = await here.run(['config']);
  assert.equal(code, 2);
  for (const said of [
    'backups in passito.config.json cannot be false; it must be text.',
    'smtpHost in passito.config.json cannot be false; it must be text.',
    'socket in passito.config.json cannot be false; it must be a path, auto or off.',
    'appName in passito.config.json cannot be {"a":1}; it must be text.',
    'smtpPass in passito.config.json cannot be (secret); it must be text.',
    'drainTimeout in passito.config.json cannot be -1; it must be a duration such as 30s.',
    'queues in passito.config.json cannot be ["a",false]; it must be queue names with commas between.',
  ]) {
    assert.ok(stderr.includes(said), `${said}\n${stderr}`);
  }
});

test('a word that every object has is no yes and no', async (t) => {
  const here = new Site((clean) => t.after(clean), { PASSITO_PARENT_APPROVES: 'constructor' });
  const { code, stderr } = await here.run(['config']);
  assert.equal(code, 2);
  assert.match(stderr, /PASSITO_PARENT_APPROVES cannot be 'constructor'; it must be yes or no\./);
});

test('a worker is one, whatever is configured for supervisors', async (t) => {
  const here = new Site((clean) => t.after(clean), { PASSITO_MIN_WORKERS: '20' });
  here.job('Good', 'return 1;');
  await here.run(['dispatch', 'Good'], { env: { PASSITO_MIN_WORKERS: '' } });
  const { code, stderr } = await here.run(['worker', '--drain']);
  assert.equal(code, 0, stderr);
  assert.equal(here.status(1), 'completed');
});
