/** Databases of earlier versions are brought up to date, and keep what they hold. */

import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import Database from 'better-sqlite3';

import { systemClock } from '../../src/engine/clock.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { openStore, temporaryFolder } from '../tools/store.ts';

/** A database as a passito left it that knew only the first steps. */
function older(t: TestContext, version: number): string {
  const file = path.join(temporaryFolder(t), 'passito.db');
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  for (const { sql } of MIGRATIONS.slice(0, version)) db.exec(sql);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma(`user_version = ${version}`);
  if (version > 1) {
    db.exec(`INSERT INTO students (name, email, roll_number) VALUES ('Asha', 'a@b.edu', '1');
      INSERT INTO outpasses (reference, student_id, kind, purpose, destination, leaves_at, returns_at, status)
      VALUES ('HP-1', 1, 'Home', 'Rest', 'Home', '2026-01-01 10:00', '2026-01-02 10:00', 'approved')`);
  }
  db.close();
  return file;
}

/** Tables, columns and indexes, whatever way the file came to them. */
const shapeOf = (db: Database.Database) =>
  db.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all();

suite('migrations', () => {
  for (const version of MIGRATIONS.keys()) {
    if (version === 0) continue;
    test(`a database of version ${version} becomes one like a new one, and keeps its rows`, async (t) => {
      const file = older(t, version);
      const how = { mode: 'existing', migrate: false, synchronous: 'full', patience: 200 } as const;
      await assert.rejects(SqliteStore.open(file, how, systemClock), { code: 'DATABASE_OLDER' });
      const store = await SqliteStore.open(file, { ...how, migrate: { isAlive: () => false } }, systemClock);
      t.after(() => store.close());
      const fresh = await openStore(t, systemClock);
      assert.deepEqual(shapeOf(store.db), shapeOf(fresh.db));
      assert.equal(store.db.pragma('user_version', { simple: true }), MIGRATIONS.length);
      assert.equal(store.db.pragma('integrity_check', { simple: true }), 'ok');
      if (version < 2) return;
      const row = store.db.prepare('SELECT * FROM students').get() as Record<string, unknown>;
      assert.deepEqual([row['name'], row['active'], row['gender']], ['Asha', 1, null]);
      const pass = store.db.prepare('SELECT * FROM outpasses').get() as Record<string, unknown>;
      assert.deepEqual([pass['status'], pass['attachments'], pass['closed_at']], ['approved', '[]', null]);
    });
  }

  test('a step that fails leaves the database as it was', async (t) => {
    const file = older(t, 2);
    const before = new Database(file);
    before.exec('CREATE TABLE mails (id INTEGER)');
    before.close();
    const how = {
      mode: 'existing',
      migrate: { isAlive: () => false },
      synchronous: 'full',
      patience: 200,
    } as const;
    await assert.rejects(SqliteStore.open(file, how, systemClock), { code: 'DATABASE_UNUSABLE' });
    const after = new Database(file);
    t.after(() => after.close());
    assert.equal(after.pragma('user_version', { simple: true }), 2);
    assert.equal(after.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'users'`).get(), undefined);
  });

  const migrate = (file: string, isAlive = () => false) => {
    const told: unknown[] = [];
    const options = { isAlive, migrated: (one: unknown) => told.push(one) };
    const how = { mode: 'existing', migrate: options, synchronous: 'full', patience: 200 } as const;
    return { told, store: SqliteStore.open(file, how, systemClock) };
  };

  test('the database is kept as it was, readable by its owner alone', async (t) => {
    const file = older(t, 4);
    writeFileSync(`${file}.schema-4`, 'of a try that failed');
    const { told, store } = migrate(file);
    t.after(async () => (await store).close());
    await store;
    const copy = `${file}.schema-4`;
    assert.deepEqual(told, [{ from: 4, to: MIGRATIONS.length, copy }]);
    const old = new Database(copy, { readonly: true });
    t.after(() => old.close());
    assert.equal(old.pragma('user_version', { simple: true }), 4);
    assert.equal(old.prepare('SELECT count(*) FROM students').pluck().get(), 1);
    assert.equal(statSync(copy).mode & 0o777, statSync(file).mode & 0o777);
    assert.deepEqual(
      readdirSync(path.dirname(file)).filter((name) => name.endsWith('.new')),
      [],
    );
  });

  test('nothing is changed while a process lives that works with it', async (t) => {
    const file = older(t, 4);
    const db = new Database(file);
    db.exec(`INSERT INTO processes (pid, host, boot_id, start_time, kind, started_at, heartbeat_at, info)
      VALUES (77, 'h', 'b', '1', 'supervisor', '2026-01-01 10:00:00.000', '2026-01-01 10:00:00.000', '{}')`);
    db.close();
    await assert.rejects(migrate(file, () => true).store, { code: 'TABLES_IN_USE', message: /pid 77/ });
    assert.deepEqual(
      readdirSync(path.dirname(file)).filter((name) => name.includes('schema')),
      [],
    );
    await (await migrate(file).store).close();
  });
});

suite('what the records refuse, whoever writes them', () => {
  const WINDOW = `'2026-01-01 10:00', '2026-01-02 10:00'`;
  const movement = (direction: string, at = '2026-01-01 10:00') =>
    `INSERT INTO movements (outpass_id, direction, at, recorded_by) VALUES (1, '${direction}', '${at}', 'gate')`;
  const user = (role: string, email = 'w@b.edu') =>
    `INSERT INTO users (name, email, role) VALUES ('W', '${email}', '${role}')`;
  const asked = (hash: string, more = '') =>
    `INSERT INTO parent_verifications (outpass_id, token_hash, method, sent_to, expires_at${more === '' ? '' : ', decision'})
     VALUES (1, '${hash}', 'sms', '+91', '2026-01-01 10:00'${more})`;
  const mail = (state: string, id = 'a@b') =>
    `INSERT INTO mails (message_id, kind, sent_to, subject, state) VALUES ('${id}', 'report', 'a@b', 's', '${state}')`;
  const report = (change: string) => `UPDATE report_settings SET ${change} WHERE id = 1`;

  const refused: [string, string[]][] = [
    ['a role that does not exist', [user('gardener')]],
    ['an address twice, in other letters', [user('warden'), user('verifier', 'W@B.edu')]],
    ['a second way out', [movement('out'), movement('out')]],
    ['a direction that is none', [movement('up')]],
    ['a time with a T', [movement('out', '2026-01-01T10:00')]],
    ['a 13th month', [movement('out', '2026-13-01 10:00')]],
    ['a token that is no hash', [asked('secret')]],
    ['a decision without its time', [asked('a'.repeat(64), `, 'parent_approved'`)]],
    ['a report each fortnight', [report(`frequency = 'fortnightly'`)]],
    ['a weekly report without a day', [report(`frequency = 'weekly'`)]],
    ['a monthly report without a day', [report(`frequency = 'monthly'`)]],
    ['a yearly report without a month', [report(`frequency = 'yearly', day = 1`)]],
    ['a quarter past 24', [report(`time = '24:15'`)]],
    [
      'a report of a kind and gender twice',
      [`INSERT INTO report_settings (report, gender) VALUES ('late_arrivals', 'male')`],
    ],
    ['a mail in a state that does not exist', [mail('lost')]],
    ['a Message-ID twice', [mail('sent'), mail('queued')]],
    ['attachments that are no list', [`UPDATE outpasses SET attachments = '{}'`]],
    ['a gender that is none', [`UPDATE students SET gender = 'M'`]],
  ];
  for (const [name, steps] of refused) {
    test(name, async (t) => {
      const { db } = await openStore(t, systemClock);
      db.exec(`INSERT INTO students (name, email, roll_number) VALUES ('A', 'a@b.edu', '1');
        INSERT INTO outpasses (reference, student_id, kind, purpose, destination, leaves_at, returns_at)
        VALUES ('R', 1, 'k', 'p', 'd', ${WINDOW})`);
      for (const step of steps.slice(0, -1)) db.exec(step);
      assert.throws(() => db.exec(steps.at(-1)!), /CHECK|UNIQUE/);
    });
  }
});
