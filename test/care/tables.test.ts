/** The way back to the tables before an upgrade: only where no job or record would be lost, and no job run again. */

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { restoreTables, schemaVersion } from '../../src/care/tables.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { copyBefore } from '../../src/store/sqlite/migrate.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { openDatabase } from '../../src/store/sqlite/open.ts';
import { add, openStore } from '../tools/store.ts';

/** What an office has. */
const RECORDS = `
  INSERT INTO students (name, email, roll_number) VALUES ('A', 'a@b.edu', '1');
  INSERT INTO users (name, email, role) VALUES ('W', 'w@b.edu', 'warden');
  INSERT INTO outpasses (reference, student_id, kind, purpose, destination, leaves_at, returns_at)
    VALUES ('P-1', 1, 'Home', 'x', 'y', '2026-01-01 10:00:00', '2026-01-02 10:00:00');
  INSERT INTO parent_verifications (outpass_id, method, sent_to, expires_at)
    VALUES (1, 'mail', 'p@b.edu', '2026-01-01 10:00:00');
`;

/** A database that was of version 3 a moment ago, with one job and some records. */
async function upgraded(t: TestContext): Promise<string> {
  const store = await openStore(t, systemClock);
  await add(store, 'A');
  const { file } = store;
  await store.close();
  const db = new Database(file);
  const now = db.pragma('user_version', { simple: true }) as number;
  db.exec(RECORDS);
  db.pragma('user_version = 3');
  db.prepare('VACUUM INTO ?').run(copyBefore(file, 3));
  db.pragma(`user_version = ${now}`);
  db.close();
  return file;
}

suite('the tables before an upgrade', () => {
  test('come back where nothing has happened since, and what was there is kept aside', async (t) => {
    const file = await upgraded(t);
    const now = await schemaVersion(file);
    await restoreTables(file, 3);
    assert.deepEqual([await schemaVersion(file), await schemaVersion(`${file}.undone`)], [3, now]);
    assert.ok(!existsSync(copyBefore(file, 3)));
  });

  for (const [what, sql] of [
    ['a job has come', `INSERT INTO jobs (type) VALUES ('A')`],
    ['a job was done', `UPDATE jobs SET status = 'completed'`],
    ['a job was claimed', `UPDATE jobs SET lease = lease + 1`],
    [
      'somebody went out',
      `INSERT INTO movements (outpass_id, direction, at, recorded_by) VALUES (1, 'out', '2026-01-01 11:00:00', 'gate')`,
    ],
    ['a pass was approved', `UPDATE outpasses SET status = 'approved', updated_at = '2999-01-01 00:00:00'`],
    [
      'a student was imported',
      `INSERT INTO students (name, email, roll_number) VALUES ('B', 'b@b.edu', '2')`,
    ],
    ['a hostel was imported', `INSERT INTO hostels (name) VALUES ('H')`],
    [
      'a parent answered',
      `UPDATE parent_verifications SET decision = 'parent_denied', decided_at = '2026-01-01 09:00:00'`,
    ],
    [
      'a report was switched on',
      `UPDATE report_settings SET enabled = 1, updated_at = '2999-01-01 00:00:00'`,
    ],
    ['a report got a recipient', 'INSERT INTO report_recipients VALUES (1, 1)'],
    [
      'a mail was noted',
      `INSERT INTO mails (message_id, kind, sent_to, subject) VALUES ('<1@a>', 'test', 'a@b.edu', 's')`,
    ],
    [
      'somebody changed something by hand',
      `INSERT INTO audit (at, who, action, detail) VALUES ('2026-01-01 09:00:00', 'root', 'pause', '')`,
    ],
  ] as const) {
    test(`stay away where ${what} since`, async (t) => {
      const file = await upgraded(t);
      const now = await schemaVersion(file);
      const db = new Database(file);
      db.exec(sql);
      db.close();
      await assert.rejects(restoreTables(file, 3), { code: 'TABLES_NOT_RESTORED', message: /changed since/ });
      assert.equal(await schemaVersion(file), now);
    });
  }

  test('count as the same where only a migration has been there', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'passito-tables-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    for (let from = 1; from < MIGRATIONS.length; from++) {
      const file = join(folder, `${from}.db`);
      const db = new Database(file);
      for (const { sql } of MIGRATIONS.slice(0, from)) db.exec(sql);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${from}`);
      db.exec(`INSERT INTO jobs (type) VALUES ('A')`);
      db.close();
      (
        await openDatabase(file, {
          mode: 'existing',
          migrate: { isAlive: () => false },
          synchronous: 'full',
          patience: 0,
        })
      ).close();
      await restoreTables(file, from);
      assert.equal(await schemaVersion(file), from);
    }
  });

  test('of a version that lacks a table stay away where something is in it now', async (t) => {
    const file = await upgraded(t);
    for (const table of ['report_recipients', 'report_settings', 'audit']) {
      const copy = new Database(copyBefore(file, 3));
      copy.exec(`DROP TABLE ${table}`);
      copy.close();
    }
    const db = new Database(file);
    db.exec(`UPDATE report_settings SET enabled = 1, updated_at = '2999-01-01 00:00:00' WHERE id = 1`);
    db.exec(
      `INSERT INTO audit (at, who, action, detail) VALUES ('2026-01-01 09:00:00', 'root', 'pause', '')`,
    );
    db.close();
    await assert.rejects(restoreTables(file, 3), { message: /since \(report_settings, audit\)/ });
  });

  test('stay away where somebody reads the database, or the copy is gone', async (t) => {
    const file = await upgraded(t);
    const reader = new Database(file);
    t.after(() => reader.close());
    reader.exec(`UPDATE jobs SET priority = 1; BEGIN; SELECT * FROM jobs`);
    reader.prepare('SELECT * FROM jobs').all();
    await assert.rejects(restoreTables(file, 3), { code: 'TABLES_NOT_RESTORED', message: /another program/ });
    await assert.rejects(restoreTables(file, 2), { code: 'TABLES_NOT_RESTORED', message: /no copy/ });
  });
});
