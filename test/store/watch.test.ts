/** Looking for others' commits, where looking itself fails. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Database } from 'better-sqlite3';

import { watchForeignCommits } from '../../src/store/sqlite/watch.ts';
import { temporaryFolder } from '../tools/store.ts';

test('a database that cannot be read any more is left to whoever is woken: nothing is thrown', async (t) => {
  let looks = 0;
  const get = () => {
    if (looks++ > 0) throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_READ' });
    return 1;
  };
  const db = { prepare: () => ({ pluck: () => ({ get }) }) } as unknown as Database;
  const keepAlive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(keepAlive));
  await new Promise<void>((resolve) => {
    t.after(watchForeignCommits(db, `${temporaryFolder(t)}/passito.db`, () => true, resolve));
  });
  assert.equal(looks, 2);
});
