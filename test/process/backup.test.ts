/** Backups: beside a busy writer, cut off at any moment, and without room. */

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { makeBackup } from '../../src/care/backup.ts';
import { loadConfig } from '../../src/config.ts';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';

/** Commits as fast as it can, each time two rows or none, and moves one of them. Says how often at its end. */
const WRITER = `
  const db = new (require('better-sqlite3'))(process.argv[1], { timeout: 5000 });
  const insert = db.prepare("INSERT INTO jobs (type, payload, available_at) VALUES ('Pair', ?, '2999-01-01 00:00:00.000')");
  const text = JSON.stringify('x'.repeat(2000));
  const both = db.transaction(() => { insert.run(text); insert.run(text); });
  const timer = setInterval(() => both(), 2);
  console.log('ready');
  process.on('SIGTERM', () => { clearInterval(timer); db.close(); });
`;

/** What tar takes out of a backup: another program's view of it. */
function unpacked(t: TestContext, file: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'passito-unpacked-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync('tar', ['-xf', file, '-C', folder]);
  return folder;
}

const left = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('.passito-'));

it('says that it holds the signing keys where it does', async (t) => {
  const here = new Site((clean) => t.after(clean));
  await here.ok('migrate');
  const plain = await here.run(['backup', here.path('a.tar')]);
  assert.equal(plain.stderr, 'It holds all records: keep it as safe as the server.\n');
  await here.ok('keys');
  const withKeys = await here.run(['backup', here.path('b.tar')]);
  assert.equal(withKeys.stderr, 'It holds the signing keys: keep it as safe as the server.\n');
  assert.equal((await here.json<{ keys: boolean }>('backup', here.path('c.tar'))).keys, true);
});

describe('backup', () => {
  const here = new Site(after);
  const target = here.path('a.tar');

  before(async () => {
    await here.ok('migrate');
    await here.ok('keys');
    here.write('files/qr/outpass-1.png', 'a picture');
    here.write('outbox/mail.eml', 'a mail');
  });

  it('takes one moment of a database that is written every few milliseconds', async (t) => {
    const writer = spawn(process.execPath, ['-e', WRITER, here.db], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => writer.kill('SIGKILL'));
    await new Promise((ready) => writer.stdout.once('data', ready));
    // A database that takes longer to copy than the writer pauses.
    const grow = here.sql.prepare(
      `INSERT INTO jobs (type, payload, available_at)
       WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
       SELECT 'Pair', printf('"%.*c"', 1000, 'x'), '2999-01-01 00:00:00.000' FROM n`,
    );
    grow.run();
    const count = () => here.value(`SELECT count(*) FROM jobs WHERE type = 'Pair'`);
    const atStart = count();
    await here.ok('backup', target, '--force');
    const atEnd = count();
    assert.ok(atEnd - atStart > 20, `the writer was at work: ${atStart} → ${atEnd}`);

    const copy = new Database(join(unpacked(t, target), 'passito.db'), { readonly: true });
    const rows = copy.prepare<[], number>(`SELECT count(*) FROM jobs WHERE type = 'Pair'`).pluck().get()!;
    assert.equal(copy.pragma('integrity_check', { simple: true }), 'ok');
    copy.close();
    assert.equal(rows % 2, 0, 'no transaction is half in it');
    assert.ok(atStart <= rows && rows <= atEnd, `${atStart} ≤ ${rows} ≤ ${atEnd}`);
    here.sql.exec(`DELETE FROM jobs`);
  });

  it('holds the keys and files, and nothing that lies beside them or behind a link', async (t) => {
    symlinkSync('/etc/passwd', here.path('files', 'link'));
    here.write('files/half.12.part', 'a draft');
    here.write('files/half.12-1.part', 'another of the same attempt');
    here.write('outbox/.passito.12.mail@gate.eml.tmp', 'a draft');
    here.write('keys/.signing.pem-0123456789ab', 'a draft');
    here.write('jobs/Other.js', 'no part of it');
    await here.ok('backup', target, '--force');
    const folder = unpacked(t, target);
    assert.deepEqual(readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted(), [
      'files',
      'files/qr',
      'files/qr/outpass-1.png',
      'keys',
      ...readdirSync(here.path('keys'))
        .filter((name) => !name.startsWith('.'))
        .map((name) => `keys/${name}`)
        .toSorted(),
      'manifest.json',
      'outbox',
      'outbox/mail.eml',
      'passito.db',
    ]);
    assert.equal(readFileSync(join(folder, 'files/qr/outpass-1.png'), 'utf8'), 'a picture');
    assert.equal(
      readFileSync(join(folder, 'keys/signing.pem'), 'utf8'),
      readFileSync(here.path('keys/signing.pem'), 'utf8'),
    );
    const {
      format,
      schema,
      made_at: madeAt,
    } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Record<string, unknown>;
    assert.equal(format, 1);
    assert.equal(schema, here.sql.pragma('user_version', { simple: true }));
    assert.match(String(madeAt), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    assert.equal(statSync(target).mode & 0o777, 0o600);
    assert.deepEqual(left(here.folder), []);
    assert.match(here.value<string>(`SELECT value FROM settings WHERE key = 'last_backup'`), /a\.tar/);
  });

  it('replaces an older one only with --force, and nothing that is no file', async () => {
    const older = readFileSync(target);
    const refused = await here.run(['backup', target]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /exists already; nothing was changed\.\n.*--force/);
    assert.ok(readFileSync(target).equals(older));
    for (const bad of [here.folder, here.db, `${here.db}-wal`, here.path('files', 'a.tar'), '/dev/null']) {
      assert.equal((await here.run(['backup', bad, '--force'])).code, 2, bad);
    }
    const nowhere = await here.run(['backup', here.path('none', 'a.tar')]);
    assert.equal(nowhere.code, 3);
    assert.match(nowhere.stderr, /there is no folder .*\nType: mkdir -p /);
  });

  it('is made of a database whose tables are older, and refuses one that is damaged', async (t) => {
    const other = new Site((clean) => t.after(clean));
    await other.ok('migrate');
    other.sql.pragma('user_version = 3');
    await other.ok('backup', other.path('old.tar'));
    assert.match(await other.ok('restore', other.path('old.tar'), '--dry-run'), /is sound/);
    const root = other.value(`SELECT rootpage FROM sqlite_schema WHERE name = 'jobs'`);
    other.sql.pragma('wal_checkpoint(TRUNCATE)');
    other.sql.close();
    const bytes = readFileSync(other.db).fill(0xa5, (root - 1) * 4096, root * 4096);
    other.write('passito.db', bytes);
    const damaged = await other.run(['backup', other.path('bad.tar')]);
    assert.equal(damaged.code, 3);
    assert.match(damaged.stderr, /it is damaged/);
    assert.equal(existsSync(other.path('bad.tar')), false);
    assert.deepEqual(left(other.folder), []);
  });

  it('cut off by kill -9 at any moment, leaves the older one or the new one, and the next removes its traces', async (t) => {
    const other = new Site((clean) => t.after(clean));
    await other.ok('migrate');
    for (let i = 0; i < 40; i++) other.write(`files/${i}`, Buffer.alloc(500_000, i));
    const file = other.path('b.tar');
    let cut = 0;
    for (const ms of [60, 90, 120, 150, 180, 220, 260, 300]) {
      rmSync(file, { force: true });
      const child = spawn(executable, ['backup', file], { cwd: other.folder, env: other.env });
      const ended = new Promise((resolve) => child.on('close', resolve));
      await sleep(ms);
      child.kill('SIGKILL');
      await ended;
      if (existsSync(file)) await other.ok('restore', file, '--dry-run');
      else cut++;
    }
    assert.ok(cut > 0, 'some were cut off');
    await other.ok('backup', file, '--force');
    assert.deepEqual(left(other.folder), []);
  });

  it('stopped by SIGTERM, removes what it has begun', async (t) => {
    const other = new Site((clean) => t.after(clean));
    await other.ok('migrate');
    for (let i = 0; i < 40; i++) other.write(`files/${i}`, Buffer.alloc(1_000_000, i));
    const file = other.path('b.tar');
    const child = spawn(executable, ['backup', file], { cwd: other.folder, env: other.env });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    let said = '';
    child.stderr.on('data', (text) => (said += String(text)));
    const draft = () => left(other.folder).some((name) => existsSync(other.path(name, 'archive')));
    while (!draft()) await sleep(1);
    child.kill('SIGTERM');
    assert.equal(await ended, 1);
    assert.equal(said, 'passito: The backup was interrupted; nothing was changed.\n');
    assert.equal(existsSync(file), false);
    assert.deepEqual(left(other.folder), []);
  });

  const canMount =
    process.getuid?.() === 0 &&
    spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
  it('says that there is no room before it begins', { skip: !canMount }, async () => {
    const disk = here.path('disk');
    mkdirSync(disk);
    here.write('files/large', Buffer.alloc(3_000_000));
    const full = (size: string) => {
      const script = `mount -t tmpfs -o size=${size} none '${disk}' && '${executable}' backup '${disk}/a.tar'; code=$?; ls -A '${disk}'; exit $code`;
      return spawnSync('unshare', ['-m', 'sh', '-c', script], { env: here.env, encoding: 'utf8' });
    };
    const { status, stderr, stdout } = full('2m');
    assert.equal(status, 3);
    assert.match(stderr, /was not written: it needs .* MB while it is made, and 2 MB are free\.\nFree some/);
    assert.equal(stdout, '');
    rmSync(here.path('files', 'large'));
  });

  it('is made for the supervisor by a process of its own', async (t) => {
    const config = await loadConfig({ values: { db: here.db } }, {});
    const file = here.path('apart.tar');
    const report = await makeBackup(config, file);
    assert.equal(report.file, file);
    assert.equal(report.bytes, statSync(file).size);
    assert.ok(existsSync(join(unpacked(t, file), 'passito.db')));
    await assert.rejects(makeBackup(config, file), /exists already/);
    await assert.rejects(makeBackup(config, here.path('b.tar'), AbortSignal.abort()), { name: 'AbortError' });
  });

  it('needs the database and no sound settings, unless an env file is named', async () => {
    const env = { PASSITO_MIN_WORKERS: 'x' };
    const made = await here.run(['backup', 'unsound.tar', '--db', here.db], { env });
    assert.equal(made.code, 0, made.stderr);
    const file = here.write('own.env', 'PASSITO_MAX_WORKERS=x\n');
    const words = ['backup', 'other.tar', '--db', here.db, '--env-file', file];
    assert.equal((await here.run(words)).code, 2);
    assert.equal((await here.run(['backup', 'other.tar'], { env })).code, 2);
  });

  it('is not made for who may not read the database', { skip: process.getuid?.() !== 0 }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'passito-stranger-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o755);
    const result = await here.run(['backup', join(folder, 'a.tar')], { uid: 54_321, gid: 54_321 });
    assert.equal(result.code, 3);
    assert.deepEqual(readdirSync(folder), []);
  });
});
