/** Restores: the round trip, what refuses them, and kill -9 between any two of their steps. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { Site } from '../tools/daemon.ts';
import { readQrPng } from '../tools/qr.ts';

const root = join(import.meta.dirname, '..', '..');
const source = join(root, 'src', 'main.ts');
const killAt = join(root, 'test', 'tools', 'kill-at.mjs');

const left = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('.passito-'));
const keptIn = (folder: string) => readdirSync(folder).filter((name) => name.includes('.before-restore-'));

/** A value of a database that nobody else has open. */
function value(path: string, query: string): unknown {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(query).pluck().get();
  } finally {
    db.close();
  }
}

describe('restore', () => {
  const here = new Site(after);
  const backup = here.path('a.tar');
  let token: string;
  const during = ['--at', '2099-01-01 12:00'];

  before(async () => {
    here.write('students.csv', 'name,email,roll_number\nAsha,asha@example.edu,21CS001\n');
    await here.ok('migrate');
    await here.ok('import', 'students', 'students.csv');
    const pass = ['--kind', 'Home pass', '--purpose', 'Wedding', '--destination', 'Madurai'];
    const window = ['--out', '2099-01-01 08:00', '--in', '2099-01-02 08:00'];
    await here.ok('outpass', 'create', '--student', '21CS001', ...pass, ...window);
    await here.ok('outpass', 'approve', '1', '--by', 'Dr. Rao');
    await here.ok('worker', '--drain');
    token = readQrPng(readFileSync(here.path('files', 'qr', 'outpass-1.png'))) ?? '';
    // As if the backup had been made while a supervisor ran a job.
    here.job('Slow', 'await sleep(60_000);');
    const supervisor = await here.start();
    const id = here.insert('Slow');
    await here.reaches(id, 'processing');
    await here.ok('backup', backup);
    await supervisor.kill();
  });

  it('brings back everything on another server: a token signed before verifies, files are the same, nothing runs', async (t) => {
    const there = new Site((clean) => t.after(clean));
    const said = await there.run(['restore', backup]);
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stdout, /^Restored .*passito\.db as it was on \d{4}-.* UTC, with 5 files\.\n$/);
    assert.match(said.stderr, /It is paused: .*[^]*type: passito resume\n$/);
    assert.match(await there.ok('verify', token, ...during), /^Valid: outpass OP-000001/);
    for (const name of readdirSync(here.path('files'), { recursive: true, encoding: 'utf8' })) {
      const [a, b] = [here.path('files', name), there.path('files', name)];
      if (statSync(a).isFile()) assert.ok(readFileSync(a).equals(readFileSync(b)), name);
    }
    const paused = JSON.parse(
      there.value<string>(`SELECT value FROM settings WHERE key = 'paused'`),
    ) as object;
    assert.deepEqual(Object.keys(paused), ['since', 'by']);
    assert.equal((paused as { by: string }).by, 'restore');
    // Given back, without a crash: nothing had crashed.
    assert.deepEqual(
      there.sql.prepare(`SELECT status, attempts, crashes FROM jobs WHERE type = 'Slow'`).all(),
      [{ status: 'pending', attempts: 0, crashes: 0 }],
    );
    assert.equal(there.value('SELECT count(*) FROM processes WHERE stopped_at IS NULL'), 0);
    assert.equal(statSync(there.path('keys', 'signing.pem')).mode & 0o777, 0o600);
    for (const name of ['keys', 'files', 'files/qr']) {
      assert.equal(statSync(there.path(name)).mode & 0o777, 0o700);
    }
    assert.equal(statSync(there.db).mode & 0o777, 0o600);
    assert.deepEqual(left(there.folder), []);
    assert.deepEqual(keptIn(there.folder), []);
    assert.equal((await there.run(['health', '--exit-code-on-failure'])).code, 0);
  });

  it('replaces what is there only with --force, and keeps all of it, with what only its log held', async (t) => {
    const there = new Site((clean) => t.after(clean));
    await there.ok('migrate');
    await there.ok('keys');
    there.insert('Old');
    there.write('files/old', 'old');
    // As after kill -9: the last commits are in the log alone.
    const held = { db: readFileSync(there.db), wal: readFileSync(`${there.db}-wal`) };
    there.sql.close();
    there.write('passito.db', held.db);
    there.write('passito.db-wal', held.wal);
    const refused = await there.run(['restore', backup]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /passito\.db exists already; nothing was changed\.\nUse --force/);
    assert.match(
      await there.ok('restore', backup, '--force'),
      /What was there before lies in .*before-restore-\d{8}-\d{6}\./,
    );
    assert.equal(existsSync(`${there.db}-wal`) && statSync(`${there.db}-wal`).size > 0, false);
    assert.equal(value(there.db, `SELECT count(*) FROM jobs WHERE type = 'Old'`), 0);
    assert.equal(existsSync(there.path('files', 'old')), false);
    const kept = there.path(keptIn(there.folder)[0]!);
    assert.equal(value(join(kept, 'passito.db'), `SELECT count(*) FROM jobs WHERE type = 'Old'`), 1);
    assert.equal(readFileSync(join(kept, 'files', 'old'), 'utf8'), 'old');
    assert.ok(existsSync(join(kept, 'keys', 'signing.pem')));
  });

  it('in a folder that a group shares, the group is let in again', async (t) => {
    const there = new Site((clean) => t.after(clean));
    await there.ok('migrate');
    chmodSync(there.folder, 0o2770);
    if (process.getuid?.() === 0) chownSync(there.folder, 54_321, 54_322);
    await there.ok('restore', backup, '--force');
    const { mode, uid, gid } = statSync(there.db);
    const folder = statSync(there.folder);
    assert.deepEqual([mode & 0o777, uid, gid], [0o660, folder.uid, folder.gid]);
    const kept = statSync(there.path(keptIn(there.folder)[0]!));
    assert.deepEqual([kept.mode & 0o777, kept.uid], [0o700, folder.uid]);
  });

  it('refuses while a supervisor runs, or another program has the database open', async (t) => {
    const there = new Site((clean) => t.after(clean));
    const supervisor = await there.start();
    const refused = await there.run(['restore', backup, '--force']);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      new RegExp(
        `is in use by a supervisor \\(pid ${supervisor.pid} on .*\\); nothing was changed\\.\\nStop the`,
      ),
    );
    await supervisor.stop();
    there.value('SELECT 1');
    assert.match(
      (await there.run(['restore', backup, '--force'])).stderr,
      new RegExp(`in use by node \\(pid ${process.pid}\\)`),
    );
    there.sql.close();
    // A supervisor in another container, or on another machine, is seen by its heartbeat alone.
    const db = new Database(there.db);
    db.exec(
      `UPDATE processes SET host = 'elsewhere', stopped_at = NULL, heartbeat_at = strftime('%Y-%m-%d %H:%M:%f', 'now')`,
    );
    db.close();
    assert.match(
      (await there.run(['restore', backup, '--force'])).stderr,
      /a supervisor \(pid \d+ on elsewhere\)/,
    );
    assert.deepEqual([...left(there.folder), ...keptIn(there.folder)], []);
  });

  it('takes the place of a database that is too damaged to be read', async (t) => {
    const there = new Site((clean) => t.after(clean));
    there.write('passito.db', 'Dear diary, today I wrote a job system. '.repeat(30));
    await there.ok('restore', backup, '--force');
    assert.match(await there.ok('verify', token, ...during), /^Valid/);
  });

  it('only looks with --dry-run, also where there is no folder yet', async (t) => {
    const there = new Site((clean) => t.after(clean));
    const db = there.path('new', 'deep', 'passito.db');
    assert.match(
      await there.ok('restore', backup, '--dry-run', '--db', db),
      /is sound: the database of .* and 5 files\.\n$/,
    );
    assert.deepEqual(readdirSync(there.folder), []);
    await there.ok('restore', backup, '--db', db);
    assert.equal(statSync(there.path('new', 'deep')).mode & 0o777, 0o700);
  });

  it('by root gives everything to the owner of the folder', { skip: process.getuid?.() !== 0 }, async (t) => {
    const there = new Site((clean) => t.after(clean));
    const state = there.path('state');
    mkdirSync(state, { mode: 0o700 });
    chownSync(state, 54_321, 54_321);
    await there.ok('restore', backup, '--db', join(state, 'passito.db'));
    for (const name of readdirSync(state, { recursive: true, encoding: 'utf8' })) {
      assert.equal(statSync(join(state, name)).uid, 54_321, name);
    }
  });

  it('killed between any two of its steps, leaves the old state, or one that the next restore completes', async (t) => {
    const there = new Site((clean) => t.after(clean));
    const template = mkdtempSync(join(tmpdir(), 'passito-old-'));
    t.after(() => rmSync(template, { recursive: true, force: true }));
    await there.ok('migrate', '--db', join(template, 'passito.db'));
    const old = new Database(join(template, 'passito.db'));
    old.exec(`INSERT INTO jobs (type) VALUES ('Old')`);
    old.close();
    for (const name of ['files', 'outbox']) {
      mkdirSync(join(template, name));
      writeFileSync(join(template, name, 'old'), 'old');
    }
    const prepare = () => {
      rmSync(there.folder, { recursive: true, force: true });
      cpSync(template, there.folder, { recursive: true });
    };
    const restore = (at: number) =>
      spawnSync(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', '--import', killAt, source, 'restore', backup, '--force'],
        { cwd: there.folder, env: { ...there.env, KILL_AT: String(at) }, encoding: 'utf8' },
      );
    const isOld = () =>
      value(there.db, `SELECT count(*) FROM jobs WHERE type = 'Old'`) === 1 &&
      existsSync(there.path('files', 'old')) &&
      existsSync(there.path('outbox', 'old'));
    const isNew = () =>
      value(there.db, `SELECT count(*) FROM jobs WHERE type = 'Slow'`) === 1 &&
      existsSync(there.path('files', 'qr', 'outpass-1.png')) &&
      !existsSync(there.path('files', 'old')) &&
      existsSync(there.path('keys', 'signing.pem'));

    prepare();
    const steps = Number(/changes: (\d+)/.exec(restore(0).stderr)?.[1]);
    assert.ok(steps > 15, String(steps));
    const ends = { old: 0, completed: 0, done: 0 };
    for (let at = 1; at <= steps; at++) {
      prepare();
      assert.equal(restore(at).signal, 'SIGKILL', `killed at ${at}`);
      if (existsSync(`${there.db}-restoring`)) {
        // Nothing may open the database now, or make a new one where the old one is on its way.
        if (ends.completed === 0) {
          for (const command of [['jobs', 'list'], ['supervisor'], ['restore', backup, '--force']]) {
            const { code, stderr } = await there.run(command);
            assert.equal(code, 3, `${command.join(' ')} after ${at}`);
            assert.match(
              stderr,
              /was cut off in it\.\nIf no restore is running now, type: passito restore --db /,
            );
          }
        }
        assert.equal(await there.ok('restore'), 'The restore that was cut off is complete.\n');
        assert.ok(isNew(), `completed after ${at}`);
        ends.completed++;
      } else if (isNew()) ends.done++;
      else {
        assert.ok(isOld(), `as it was after ${at}`);
        ends.old++;
        continue;
      }
      const kept = there.path(keptIn(there.folder)[0]!);
      assert.equal(value(join(kept, 'passito.db'), `SELECT count(*) FROM jobs WHERE type = 'Old'`), 1);
      assert.equal(readFileSync(join(kept, 'files', 'old'), 'utf8'), 'old');
    }
    // What a killed one left is removed by the next.
    prepare();
    restore(8);
    assert.equal(left(there.folder).length, 1);
    await there.ok('restore', backup, '--force');
    assert.ok(isNew());
    assert.deepEqual(left(there.folder), []);
    assert.ok(ends.old > 3 && ends.completed > 3 && ends.done > 0, JSON.stringify(ends));
  });
});
