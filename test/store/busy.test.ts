/** Waiting for the lock of the database. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import Database from 'better-sqlite3';

import { whenFree } from '../../src/store/sqlite/busy.ts';

test('who waits long looks seldom', async () => {
  const busy = new Database.SqliteError('database is locked', 'SQLITE_BUSY');
  const began = performance.now();
  let late = 0;
  const action = () => {
    if (performance.now() - began > 300) late += 1;
    throw busy;
  };
  await assert.rejects(whenFree(action, 800), { code: 'SQLITE_BUSY' });
  assert.ok(late > 0 && late <= 110, `${late} tries in the last half second`);
});
