/** Whoever inserts jobs, the dispatcher of the same process hears of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import Database from 'better-sqlite3';

import { systemClock } from '../../src/engine/clock.ts';
import { newJob } from '../../src/engine/queue.ts';
import { openStore, temporaryFolder } from '../tools/store.ts';

test('jobs inserted within a larger write of the same process are told of as well, once they are durable', async (t) => {
  const store = await openStore(t, systemClock, { file: `${temporaryFolder(t)}/passito.db` });
  const heard: [string, boolean][] = [];
  const other = new Database(store.file, { readonly: true });
  t.after(() => other.close());
  const there = other.prepare<[], number>('SELECT count(*) FROM jobs').pluck();
  t.after(store.onChange((change) => heard.push([change, there.get() === 1])));
  await store.write((now) => store.insertNow([newJob({ type: 'A', payload: '{}' })], now));
  assert.deepEqual(heard, [['local', true]]);
});
