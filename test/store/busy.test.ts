/** Waiting for the lock of the database. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import Database from 'better-sqlite3';

import { whenFree } from '../../src/store/sqlite/busy.ts';

test('who waits long looks seldom', async () => {
  const busy = new Database.SqliteError('database is locked', 'SQLITE_BUSY');
  const began = performance.now();
  let last = began;
  let bursts = 0;
  const action = () => {
    const now = performance.now();
    if (now - began > 300 && now - last > 5) bursts += 1;
    last = now;
    throw busy;
  };
  await assert.rejects(whenFree(action, 800), { code: 'SQLITE_BUSY' });
  assert.ok(bursts > 0 && bursts <= 50, `${bursts} bursts in the last half second`);
});
