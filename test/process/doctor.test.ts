/** The doctor on a real folder: each fault is found, and the command that it names does mend it. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import type { SMTPServerOptions } from 'smtp-server';
import { APPLICATION_ID, MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';
import { smtpAnswer, startSmtp } from '../tools/smtp.ts';

const isRoot = process.getuid?.() === 0;

interface Report {
  healthy: boolean;
  findings: { number: number; check: string; level: string; message: string; try: string | null }[];
  mended: string[];
}

async function examined(here: Site, ...args: string[]): Promise<Report & { code: number }> {
  const { code, stdout, stderr } = await here.run(['doctor', '--json', ...args]);
  assert.notEqual(stdout, '', stderr);
  return { code, ...(JSON.parse(stdout) as Report) };
}

const faults = ({ findings }: Report) => findings.filter(({ level }) => level === 'fault');

/** A sound server, with a name for the executable. */
async function server(t: TestContext, env: Record<string, string> = {}): Promise<Site> {
  const here = new Site((clean) => t.after(clean), env);
  mkdirSync(here.path('bin'));
  symlinkSync(executable, here.path('bin', 'passito'));
  here.env['PATH'] = `${here.path('bin')}:${here.env['PATH']}`;
  await here.ok('migrate');
  await here.ok('keys');
  return here;
}

/** Types a command as the admin would. */
function type(here: Site, command: string): void {
  const { status, stderr } = spawnSync('sh', ['-c', command], {
    cwd: here.folder,
    env: here.env,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${command}: ${stderr}`);
}

test('a new server has hints and no fault, and every check has its number', async (t) => {
  const here = await server(t);
  const { code, healthy, findings } = await examined(here);
  assert.deepEqual([code, healthy], [0, true], JSON.stringify(findings));
  assert.deepEqual(
    [...new Set(findings.map(({ number }) => number))],
    Array.from({ length: 16 }, (_, i) => i + 1),
  );
  for (const { level, try: command } of findings) assert.equal(level === 'well', command === null);
  assert.match(await here.ok('doctor'), /^ 1 ✓ configuration [^]*\n10 ✓ parents[^]*\n✓ Nothing is wrong\n$/);
});

test(
  "another user's folder is named as such, and all else is looked at",
  { skip: process.getuid?.() === 0 ? false : 'only root can become another user' },
  async (t) => {
    const here = await server(t);
    copyFileSync(executable, here.path('copy'), constants.COPYFILE_FICLONE);
    chmodSync(here.path('copy'), 0o755);
    for (const closed of ['theirs', 'theirs/deeper']) {
      mkdirSync(here.path(closed));
      chmodSync(here.path('theirs'), 0o700);
      chmodSync(here.folder, 0o755);
      const stranger = { uid: 54_321, gid: 54_321, file: here.path('copy') };
      const args = ['doctor', '--json', '--db', here.path(closed, 'passito.db')];
      const { code, stdout, stderr } = await here.run(args, stranger);
      assert.equal(code, 3, stderr);
      const { findings } = JSON.parse(stdout) as Report;
      const [fault, ...more] = findings.filter(({ level }) => level === 'fault');
      assert.deepEqual(
        [fault?.check, fault?.try],
        ['database', `sudo passito doctor --db ${here.path(closed, 'passito.db')}`],
      );
      assert.deepEqual(more, []);
      assert.ok(findings.length > 10);
    }
  },
);

test('the state folder is judged the same with all that passito makes in it, and not with other things', async (t) => {
  const here = new Site((clean) => t.after(clean), {}, 'state/passito.db');
  here.env['PASSITO_BACKUPS'] = here.path('state', 'nightly');
  await here.ok('migrate');
  await here.ok('keys');
  chmodSync(here.path('state'), 0o755);
  const judged = async () => faults(await examined(here)).map(({ message }) => message);
  const open = [`${here.path('state')} can be used by others than the owner`];
  assert.deepEqual(await judged(), open);
  const daemon = await here.start();
  await daemon.line(/the local socket is served/);
  for (const name of ['backups/a.tar', 'nightly/b.tar', 'before-upgrade-20261124-040000.tar']) {
    here.write(`state/${name}`, '');
  }
  assert.deepEqual(await judged(), open);
  here.write('state/else', '');
  assert.deepEqual(await judged(), []);
  await daemon.stop();
});

test('what it names as the mend of a fault does mend it', async (t) => {
  const here = await server(t);
  const cases: [string, () => void, number][] = [
    ['permissions', () => chmodSync(here.db, 0o644), 1],
    // The env file lies there, too: root does not even read it.
    [isRoot ? 'configuration' : 'permissions', () => chmodSync(here.folder, 0o777), isRoot ? 2 : 1],
    ['permissions', () => chmodSync(here.path('keys', 'signing.pem'), 0o640), 1],
    ['env file', () => chmodSync(here.write('.env', 'SMTP_PORT=25\n'), 0o644), 1],
    ['parents', () => here.write('.env', 'PASSITO_PUBLIC=8080\n'), 1],
    ['folders', () => here.write('.env', "PASSITO_FONTS='fonts of ours'\nAPP_URL=https://a.example\n"), 1],
    ['jobs', () => chmodSync(here.write('jobs/Open.js', 'export default { handle() {} };'), 0o666), 1],
    ['backup', () => here.write('.env', 'PASSITO_BACKUPS=files/backups\n'), 1],
    ['backup', () => here.write('.env', `PASSITO_BACKUPS=${here.path('far', 'off')}\n`), 1],
    ['database', () => rmSync(here.db), 3],
    ['database', () => here.write('passito.db', ''), 3],
    ['database', () => older(here), 3],
  ];
  for (const [check, spoil, exit] of cases) {
    spoil();
    if (check !== 'env file') chmodSync(here.write('.env', safely(here)), 0o600);
    const before = await examined(here);
    assert.equal(before.code, exit, `${check}: ${JSON.stringify(faults(before))}`);
    const [fault, ...more] = faults(before);
    assert.deepEqual([fault?.check, more], [check, []]);
    // The admin writes what the message names.
    const line = /such as (\w+=[^)]+)/.exec(fault?.message ?? '')?.[1] ?? '';
    chmodSync(here.write('bin/editor', `#!/bin/sh\necho '${line}' >> "$1"\n`), 0o755);
    here.env['EDITOR'] = here.path('bin', 'editor');
    type(here, fault?.try ?? 'false');
    const after = await examined(here);
    assert.deepEqual([after.code, faults(after)], [0, []], `${check}: ${fault?.try}`);
  }
});

/** What the env file holds now. */
function safely(here: Site): string {
  try {
    return readFileSync(here.path('.env'), 'utf8');
  } catch {
    return '';
  }
}

/** A database that the program before this one made. */
function older(here: Site): void {
  rmSync(here.db);
  const db = new Database(here.db);
  const steps = MIGRATIONS.slice(0, -1);
  for (const { sql } of steps) db.exec(sql);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma(`user_version = ${steps.length}`);
  db.close();
  chmodSync(here.db, 0o600);
}

test('a damaged database is brought back from the last backup', async (t) => {
  const here = await server(t);
  const backup = here.path('a.tar');
  await here.ok('backup', backup);
  const db = new Database(here.db);
  const root = db
    .prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'students'`)
    .pluck()
    .get() as number;
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  here.write('passito.db', readFileSync(here.db).fill(0xa5, (root - 1) * 4096, root * 4096));
  chmodSync(here.db, 0o600);
  const found = await examined(here);
  assert.equal(found.code, 1);
  const [fault] = faults(found);
  assert.match(fault?.message ?? '', /it is damaged/);
  type(here, (fault?.try ?? '').replace('FILE', backup));
  assert.equal((await examined(here)).code, 0);
});

test('--fix does what is safe and tells it: rights, missing folders, the log', async (t) => {
  const here = await server(t, { PASSITO_JOBS: 'work' });
  chmodSync(here.db, 0o666);
  chmodSync(here.path('keys'), 0o755);
  // Nobody empties the log of a database that stays open.
  here.sql.pragma('wal_autocheckpoint = 0');
  const insert = here.sql.prepare(
    `INSERT INTO jobs (type, payload, available_at) VALUES ('A', ?, '2999-01-01 00:00:00')`,
  );
  const payload = JSON.stringify('x'.repeat(9e6));
  for (let i = 0; i < 32; i++) insert.run(payload);
  assert.ok(statSync(`${here.db}-wal`).size > 256 * 1024 ** 2);
  const found = await examined(here);
  assert.equal(found.code, 1);
  assert.deepEqual(found.mended, []);
  assert.deepEqual(
    new Set(faults(found).map(({ check }) => check)),
    new Set(['permissions', 'folders', 'database', 'jobs']),
  );
  const { code, stdout } = await here.run(['doctor', '--fix']);
  assert.match(stdout, /^Mended: chmod 600 .*passito\.db\n/m);
  assert.match(stdout, /^Mended: chmod 700 .*keys\n/m);
  assert.match(stdout, /^Mended: mkdir -p .*work\n/m);
  assert.match(stdout, /^Mended: wrote the write-ahead log into the database\n/m);
  assert.equal(code, 0, stdout);
  assert.equal(statSync(here.db).mode & 0o777, 0o600);
  assert.deepEqual((await examined(here, '--fix')).mended, []);
});

test('a mail server that refuses is a fault, and is left alone with --offline', async (t) => {
  const options: SMTPServerOptions = {
    disabledCommands: ['STARTTLS'],
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ password }, _session, done) =>
      password === 'right' ? done(null, { user: 'gate' }) : done(smtpAnswer(535, 'Authentication failed')),
  };
  const smtp = await startSmtp(t, options);
  const env = {
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    SMTP_USER: 'gate',
    SMTP_PASS: 'hunter2',
  };
  const here = await server(t, env);
  const found = await examined(here);
  assert.equal(found.code, 1);
  const [fault] = faults(found);
  assert.match(fault?.message ?? '', /535 Authentication failed.* Check SMTP_USER and SMTP_PASS/);
  assert.equal(fault?.try, 'passito mail-test you@example.edu');
  assert.doesNotMatch(JSON.stringify(found), /hunter2/);
  assert.equal((await examined(here, '--offline')).code, 0);
  here.env['SMTP_PASS'] = 'right';
  assert.equal((await examined(here)).code, 0);
  assert.deepEqual(smtp.mails, [], 'nothing was sent');
});

test('a running supervisor is seen, and a due job without one is a fault', async (t) => {
  const here = await server(t);
  here.job('Quick', 'return 1;');
  here.insert('Quick');
  const waiting = faults(await examined(here));
  assert.match(waiting[0]?.message ?? '', /none runs, and 1 job is due/);
  const supervisor = await here.start();
  await here.drained();
  const { code, findings } = await examined(here);
  assert.equal(code, 0, JSON.stringify(findings));
  assert.match(JSON.stringify(findings), new RegExp(`it runs \\(pid ${supervisor.pid}\\)`));
});

test('an unsound configuration is told whole, and ends with 2', async (t) => {
  const here = await server(t);
  Object.assign(here.env, { SMTP_PORT: 'mail', TIME_ZONE: 'Asia/Chennai' });
  const { code, findings } = await examined(here);
  assert.equal(code, 2);
  assert.equal(findings.length, 1);
  const [fault] = findings;
  assert.match(fault?.message ?? '', /SMTP_PORT cannot be 'mail'[^]*TIME_ZONE cannot be 'Asia\/Chennai'/);
  assert.equal(fault?.try, 'unset SMTP_PORT');
  Object.assign(here.env, { SMTP_PORT: '25', TIME_ZONE: 'UTC' });
  chmodSync(here.write('.env', 'PASSITO_CHECK_INTERVAL=never\n'), 0o600);
  assert.equal((await examined(here)).findings[0]?.try, '${EDITOR:-vi} .env');
});

test('job files that do not load are named, all of them, and do not take the doctor with them', async (t) => {
  const here = await server(t);
  here.write('jobs/Broken.js', 'export default {\n  handle() {\n    return 1 +;\n  },\n};\n');
  here.write('jobs/Thrower.js', `throw new Error('no password');`);
  const [fault] = faults(await examined(here));
  assert.match(fault?.message ?? '', /Broken\.js: line 3.*Thrower\.js: no password/);
  rmSync(here.path('jobs'), { recursive: true });
  here.write('jobs/Exit.js', 'process.exit(0);');
  const ended = await examined(here);
  assert.deepEqual([ended.code, faults(ended)[0]?.check], [1, 'jobs']);
});
