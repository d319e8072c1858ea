/** A program keeps the database open for reading: nothing of the write-ahead log can be used again until it ends. */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { Site } from '../tools/daemon.ts';

const MB = 1024 ** 2;

test(
  'jobs go on, health names the log that grows, and it is small again once the reader has gone',
  { timeout: 120_000 },
  async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job('Large', 'return { text: "x".repeat(4_000_000) };');
    here.job('Note', '');
    const daemon = await here.start(['--max-workers', '2', '--synchronous', 'normal']);
    const reader = new Database(here.db, { readonly: true });
    t.after(() => reader.close());
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM jobs').get();
    const wal = () => statSync(`${here.db}-wal`).size;

    for (let i = 0; i < 70; i++) here.insert('Large');
    await here.drained(60_000);
    assert.ok(wal() > 256 * MB, `${wal()} bytes`);
    const { stdout } = await here.run(['health']);
    assert.match(
      stdout,
      /The write-ahead log has grown to [\d.]+ MB: a program has kept the database open for reading/,
    );

    reader.exec('COMMIT');
    // What we write next copies all of it, and what we write then begins it anew and cuts it to 64 MB.
    const deadline = performance.now() + 60_000;
    while (wal() > 65 * MB && performance.now() < deadline) await here.ok('dispatch', 'Note', '--wait');
    assert.ok(wal() <= 65 * MB, `${wal()} bytes`);
    assert.match((await here.run(['health'])).stdout, /✓ Job queue is healthy/);
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  },
);
