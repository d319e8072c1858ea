/** Old jobs are deleted in short steps, and what they leave goes back to the disk. */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { pruneJobs } from '../../src/store/sqlite/prune.ts';
import { FakeClock } from '../tools/engine.ts';
import { openStore } from '../tools/store.ts';

const KEEP = { completed: 0, failed: 0 };

test('a database that a flood has made large is small again after the pruning, in steps of a few milliseconds', async (t) => {
  const clock = new FakeClock();
  const store = await openStore(t, clock);
  const { db } = store;
  db.exec(`INSERT INTO jobs (type, payload, status, finished_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    SELECT 'A', json_object('text', hex(zeroblob(500))), 'completed', '2020-01-01 00:00:00.000' FROM n`);
  await store.checkpoint();
  const large = statSync(store.file).size;
  const longest: number[] = [];
  const write = store.write.bind(store);
  store.write = async (op) =>
    write((now) => {
      const began = performance.now();
      try {
        return op(now);
      } finally {
        longest.push(performance.now() - began);
      }
    });
  assert.deepEqual(await pruneJobs(store, clock, KEEP), { completed: 20_000, failed: 0 });
  await store.checkpoint();
  const small = statSync(store.file).size;
  t.diagnostic(
    `${large} → ${small} bytes, the longest of ${longest.length} steps ${Math.max(...longest)} ms`,
  );
  assert.ok(small < large / 4, `${large} → ${small}`);
  // What stays is for new rows.
  assert.ok((db.pragma('freelist_count', { simple: true }) as number) > 0);
});

test('a database that was made without it is pruned all the same', async (t) => {
  const clock = new FakeClock();
  const store = await openStore(t, clock);
  store.db.pragma('journal_mode = DELETE');
  store.db.pragma('auto_vacuum = NONE');
  store.db.exec('VACUUM');
  store.db.pragma('journal_mode = WAL');
  store.db.exec(`INSERT INTO jobs (type, payload, status, finished_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
    SELECT 'A', json_object('text', hex(zeroblob(500))), 'completed', '2020-01-01 00:00:00.000' FROM n`);
  assert.deepEqual(await pruneJobs(store, clock, KEEP), { completed: 9000, failed: 0 });
});
