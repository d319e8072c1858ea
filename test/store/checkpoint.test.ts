/** A write-ahead log that has grown beside a reader is given back to the disk. */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import Database from 'better-sqlite3';

import { FakeClock } from '../tools/engine.ts';
import { openStore } from '../tools/store.ts';

const MB = 1024 ** 2;

test('[48] the log is cut once its reader has gone, also where the next to write is no connection of ours', async (t) => {
  const store = await openStore(t, new FakeClock());
  const wal = () => statSync(`${store.file}-wal`).size;
  const reader = new Database(store.file);
  t.after(() => reader.close());
  reader.exec('BEGIN; SELECT count(*) FROM jobs;');
  store.db.exec('CREATE TABLE large (bytes BLOB)');
  const write = store.db.prepare(`INSERT INTO large VALUES (zeroblob(${MB}))`);
  for (let i = 0; i < 80; i++) write.run();
  await store.checkpoint();
  assert.ok(wal() > 64 * MB, 'the reader needs it, and is not waited for');
  reader.exec('COMMIT; PRAGMA wal_checkpoint(PASSIVE); INSERT INTO large VALUES (1);');
  assert.ok(wal() > 64 * MB, 'a connection without our limit has begun it anew');
  await store.checkpoint();
  assert.equal(wal(), 0);
});
