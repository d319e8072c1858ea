/** The way back to the tables before an upgrade: only where no job would be lost or run again. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { suite, test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { restoreTables, schemaVersion } from '../../src/care/tables.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { copyBefore } from '../../src/store/sqlite/migrate.ts';
import { add, openStore } from '../tools/store.ts';

/** A database that was of version 3 a moment ago, with one job. */
async function upgraded(t: TestContext): Promise<string> {
  const store = await openStore(t, systemClock);
  await add(store, 'A');
  const { file } = store;
  await store.close();
  const db = new Database(file);
  const now = db.pragma('user_version', { simple: true }) as number;
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
