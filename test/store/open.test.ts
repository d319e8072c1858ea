/** The SQLite store as a file: what it keeps, how it shares the lock, what it survives. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { suite, test } from 'node:test';

import { systemClock } from '../../src/engine/clock.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { FakeClock } from '../tools/engine.ts';
import {
  add,
  Claimer,
  COMPLETE,
  newJob,
  openStore,
  readJob,
  retryAfter,
  temporaryFolder,
} from '../tools/store.ts';

const existing = { mode: 'existing', migrate: false, synchronous: 'full', patience: 200 } as const;

/** Starts another process on the database; resolves with it once it has said a first line. */
async function beside(t: TestContext, script: string, ...args: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'beside', script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${script} ended with ${code}`);
  });
  await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => undefined);
  return child;
}

suite('the file', () => {
  test('synchronous is what was asked for, and the journal is a WAL', async (t) => {
    for (const [synchronous, expected] of [
      ['full', 2],
      ['normal', 1],
    ] as const) {
      const { db } = await openStore(t, systemClock, { synchronous });
      assert.equal(db.pragma('synchronous', { simple: true }), expected);
      assert.equal(db.pragma('journal_mode', { simple: true }), 'wal');
    }
  });

  test('data survive reopening', async (t) => {
    const clock = new FakeClock();
    const store = await openStore(t, clock);
    const claimer = await Claimer.join(store, ['A']);
    const [parent, child] = [await add(store, 'A'), await add(store, 'B', { delay: 5 })];
    const waiting = await add(store, 'C', { dependsOn: [parent, child], payload: '{"a":"é"}' });
    await claimer.work(retryAfter(1000));
    const before = [parent, child, waiting].map((id) => readJob(store, id));
    await store.close();
    const again = await SqliteStore.open(store.file, existing, clock);
    t.after(() => again.close());
    assert.deepEqual(
      [parent, child, waiting].map((id) => readJob(again, id)),
      before,
    );
    await clock.advance(1000);
    const later = new Claimer(again, claimer.process, ['A', 'B', 'C']);
    assert.equal(await later.work(COMPLETE), child);
    assert.equal(await later.work(COMPLETE), parent);
    assert.equal(await later.work(COMPLETE), waiting);
    assert.equal(again.db.pragma('integrity_check', { simple: true }), 'ok');
  });

  test('a close waits for what was asked for before', async (t) => {
    const store = await openStore(t, systemClock);
    const writes = Array.from({ length: 50 }, () => store.insert([newJob('A')]));
    await store.close();
    const ids = (await Promise.all(writes)).flat();
    const again = await SqliteStore.open(store.file, existing, systemClock);
    t.after(() => again.close());
    assert.equal(ids.length, 50);
    assert.ok(ids.every(({ id }) => readJob(again, id)?.status === 'pending'));
  });

  test('only the owner can read it, also beside a generous umask', async (t) => {
    const store = await openStore(t, systemClock);
    for (const suffix of ['', '-wal', '-shm']) {
      assert.equal(statSync(store.file + suffix).mode & 0o777, 0o600, suffix);
    }
  });

  test('in a folder that an admin gave to a group the group can write it', async (t) => {
    const folder = temporaryFolder(t);
    for (const [mode, own] of [
      [0o2770, 0o660],
      [0o770, 0o600],
      [0o2750, 0o600],
    ] as const) {
      chmodSync(folder, mode);
      const store = await openStore(t, systemClock, { file: path.join(folder, `${mode}.db`) });
      for (const suffix of ['', '-wal', '-shm']) {
        assert.equal(statSync(store.file + suffix).mode & 0o777, own, `${mode.toString(8)} ${suffix}`);
      }
    }
  });

  test('[50] an absent file, a folder, a truncated, a foreign and a future database each have their line', async (t) => {
    const folder = temporaryFolder(t);
    const open = (name: string) => SqliteStore.open(path.join(folder, name), existing, systemClock);
    await assert.rejects(open('absent.db'), { code: 'DATABASE_ABSENT' });
    mkdirSync(path.join(folder, 'folder.db'));
    await assert.rejects(open('folder.db'), { code: 'DATABASE_UNUSABLE', message: /is a folder/ });
    writeFileSync(path.join(folder, 'text.db'), 'no database, but a text that is long enough\n'.repeat(100));
    await assert.rejects(open('text.db'), { code: 'DATABASE_UNUSABLE', message: /not an SQLite database/ });

    const cut = await openStore(t, systemClock, { file: path.join(folder, 'cut.db') });
    await cut.insert(Array.from({ length: 500 }, () => newJob('A')));
    await cut.close();
    truncateSync(cut.file, 5000);
    await assert.rejects(open('cut.db'), { code: 'DATABASE_UNUSABLE' });

    const future = await openStore(t, systemClock, { file: path.join(folder, 'future.db') });
    future.db.pragma('user_version = 99');
    await future.close();
    await assert.rejects(open('future.db'), { code: 'DATABASE_NEWER' });

    const other = await openStore(t, systemClock, { file: path.join(folder, 'other.db') });
    other.db.pragma('application_id = 1');
    await other.close();
    await assert.rejects(open('other.db'), { code: 'DATABASE_FOREIGN' });
  });

  test('two processes that meet a new file at once both open it', async (t) => {
    const file = path.join(temporaryFolder(t), 'passito.db');
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(t, systemClock, { file })));
    await Promise.all(stores.map((store) => add(store, 'A')));
    assert.equal(stores[0]?.db.prepare('SELECT count(*) FROM jobs').pluck().get(), 4);
  });
});

suite('beside others', () => {
  test('[6] a long reader stops neither dispatch nor claim nor settle', async (t) => {
    const store = await openStore(t, systemClock);
    await add(store, 'A');
    const reader = await openStore(t, systemClock, { file: store.file });
    reader.db.exec('BEGIN');
    assert.equal(reader.db.prepare('SELECT count(*) FROM jobs').pluck().get(), 1);
    const claimer = await Claimer.join(store, ['A']);
    await store.insert(Array.from({ length: 500 }, () => newJob('A')));
    for (const job of await claimer.claim()) await claimer.settle(job, COMPLETE);
    assert.equal(reader.db.prepare('SELECT count(*) FROM jobs').pluck().get(), 1, 'it sees what it saw');
    reader.db.exec('COMMIT');
    const done = `SELECT count(*) FROM jobs WHERE status = 'completed'`;
    assert.equal(reader.db.prepare(done).pluck().get(), 501);
  });

  test('[7] a larger write that is rolled back leaves nothing of its dispatch', async (t) => {
    const store = await openStore(t, systemClock);
    const [refused, kept] = await Promise.allSettled([
      store.write((now) => {
        store.insertNow([newJob('A'), newJob('B')], now);
        throw new Error('the pass was rejected meanwhile');
      }),
      store.insert([newJob('C')]),
    ]);
    assert.equal(refused.status, 'rejected');
    assert.equal(kept.status, 'fulfilled');
    assert.deepEqual(store.db.prepare('SELECT type FROM jobs').pluck().all(), ['C']);
  });

  test('a writer that holds the lock too long gets a clear error, and the loop turns meanwhile', async (t) => {
    const file = path.join(temporaryFolder(t), 'passito.db');
    const hog = await openStore(t, systemClock, { file });
    const store = await SqliteStore.open(file, existing, systemClock);
    t.after(() => store.close());
    hog.db.exec('BEGIN IMMEDIATE');
    let turns = 0;
    const timer = setInterval(() => turns++, 5);
    await assert.rejects(store.insert([newJob('A')]), { code: 'DATABASE_BUSY' });
    clearInterval(timer);
    assert.ok(turns > 5, `the loop turned ${turns} times in 200 ms`);
    hog.db.exec('ROLLBACK');
    assert.equal((await store.insert([newJob('A')])).length, 1);
  });

  test(
    '[12] a process killed in mid-transaction leaves no lock and no half dispatch',
    { timeout: 20_000 },
    async (t) => {
      const store = await openStore(t, systemClock);
      const child = await beside(t, 'holder.ts', store.file);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const id = await add(store, 'A');
      assert.deepEqual(store.db.prepare('SELECT id FROM jobs').pluck().all(), [id]);
      assert.equal(store.db.pragma('integrity_check', { simple: true }), 'ok');
    },
  );

  test('[1] several processes that work at once complete every job once', { timeout: 30_000 }, async (t) => {
    const store = await openStore(t, systemClock);
    const workers = await Promise.all(
      [1, 2, 3].map((number) => beside(t, 'claimer.ts', store.file, String(number))),
    );
    const ended = Promise.all(
      workers.map(async (worker) => {
        let said = '';
        worker.stdout?.on('data', (data: Buffer) => (said += data.toString()));
        await once(worker, 'close');
        return JSON.parse(said) as number[];
      }),
    );
    await store.insert(Array.from({ length: 1500 }, () => newJob('A')));
    for (const worker of workers) worker.stdin?.end('go\n');
    const done = await ended;
    const ids = done.flat();
    assert.equal(ids.length, 1500);
    assert.equal(new Set(ids).size, 1500);
    const sums = `SELECT count(*) AS n, sum(attempts) AS attempts, sum(lease) AS leases FROM jobs WHERE status = 'completed'`;
    assert.deepEqual(
      { ...(store.db.prepare(sums).get() as object) },
      { n: 1500, attempts: 1500, leases: 1500 },
    );
    t.diagnostic(`shares: ${done.map(({ length }) => length).join(', ')}`);
  });
});
