/**
 * What passito writes is its user's alone, whatever the umask: a server where everything is done once, looked through
 * to the last file.
 */

import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { APPLICATION_ID, MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';

/** `rwx------` of everything below a folder, by path. */
function modes(folder: string): Map<string, { mode: number; kind: 'file' | 'folder' | 'socket' }> {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const kind = entry.isDirectory() ? 'folder' : entry.isSocket() ? 'socket' : 'file';
      return [relative(folder, path), { mode: lstatSync(path).mode & 0o7777, kind }];
    }),
  );
}

function wrong(folder: string): string[] {
  const WANTED = { file: [0o600], folder: [0o700], socket: [0o660] };
  return [...modes(folder)]
    .filter(([, { mode, kind }]) => !WANTED[kind].includes(mode))
    .map(([path, { mode }]) => `${path} ${mode.toString(8)}`);
}

/** As a passito left it that knew only the first two steps. */
function olderDatabase(file: string): void {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  for (const { sql } of MIGRATIONS.slice(0, 2)) db.exec(sql);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma('user_version = 2');
  db.close();
  chmodSync(file, 0o600);
}

/** Does everything that writes, and gives the folder in which it was written. */
async function busyDay(t: TestContext, umask: string): Promise<string> {
  const here = new Site((clean) => t.after(clean), { ADMIN_EMAIL: 'admin@example.edu' });
  // Made by passito, with all that is in it.
  const state = here.path('srv', 'state');
  const db = join(state, 'passito.db');
  Object.assign(here.env, {
    PASSITO_DB: db,
    APP_URL: 'https://gate.example.edu',
    TMPDIR: here.path('tmp'),
  });
  mkdirSync(here.path('tmp'));
  const file = here.write('passito', `#!/bin/sh\numask ${umask}\nexec ${executable} "$@"\n`);
  chmodSync(file, 0o755);
  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await here.run(args, { file });
    assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };

  here.job('Write', `await context.files.write('a/b/c.txt', 'x'); await context.progress(1); return 'ok';`);
  here.write('s.csv', 'name,email,roll_number,parent_email\nA,a@b.edu,1,p@b.edu\nB,broken,2,\n');
  assert.equal((await here.run(['import', 'students', 's.csv', '--partial'], { file })).code, 1);
  const pass = ['outpass', 'create', '--student', '1', '--kind', 'Home', '--purpose', 'x'];
  const when = ['--destination', 'x', '--out', '2099-01-01 10:00', '--in', '2099-01-02 10:00'];
  for (const name of ['A-1', 'A-2']) await ok(...pass, ...when, '--reference', name);
  const daemon = here.launch(['--public', '127.0.0.1:0'], 'supervisor', { file });
  await daemon.line(/supervisor ready/);
  await daemon.line(/the local socket is served/);
  await ok(
    'dispatch',
    'SendParentApproval',
    '--payload',
    '{"outpass_id":1,"channel":"mail"}',
    '--wait',
    '20s',
  );
  await ok('dispatch', 'Write', '--wait', '20s');
  const { jobs } = JSON.parse(await ok('outpass', 'approve', 'A-2', '--json')) as { jobs: number[] };
  await ok('dispatch', 'Write', '--depends-on', jobs.join(','), '--wait', '30s');
  // While it runs: -wal, -shm and the socket are there.
  assert.deepEqual(wrong(here.path('srv')), []);
  await ok('backup', here.path('srv', 'by-hand.tar'));
  await ok('keys', 'rotate');
  await ok('health', '--send-email', '--force');
  await ok('doctor', '--fix', '--offline').catch(() => undefined);
  await daemon.kill();
  await here.run(['health', '--send-email', '--db', '/nowhere/passito.db'], { file });
  await ok('restore', here.path('srv', 'by-hand.tar'), '--force');
  const old = here.path('srv', 'old');
  mkdirSync(old, { mode: 0o700 });
  olderDatabase(join(old, 'passito.db'));
  await ok('migrate', '--db', join(old, 'passito.db'));
  const rejected =
    lstatSync(here.path('s.csv.rejected.csv'), { throwIfNoEntry: false }) ??
    lstatSync(here.path('s.rejected.csv'));
  assert.equal(rejected.mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(here.path('tmp')).filter((name) => lstatSync(here.path('tmp', name)).mode & 0o077),
    [],
  );
  return here.path('srv');
}

describe('files and folders', { concurrency: 2 }, () => {
  for (const umask of ['000', '077']) {
    it(`are the user's alone under umask ${umask}`, async (t) => {
      const folder = await busyDay(t, umask);
      assert.deepEqual(wrong(folder), []);
      const paths = [...modes(folder).keys()].join('\n');
      for (const made of [
        /^state\/passito\.db$/m,
        /^state\/keys\/signing\.pem$/m,
        /^state\/keys\/parent-links\.key$/m,
        /^state\/outbox\/.+\.eml$/m,
        /^state\/files\/a\/b\/c\.txt$/m,
        /^state\/files\/documents\/.+\.pdf$/m,
        /^by-hand\.tar$/m,
        /^old\/passito\.db.+$/m,
      ]) {
        assert.match(paths, made);
      }
    });
  }
});
