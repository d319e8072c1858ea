/** Times in the table once the wall clock was set. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatTime } from '../../src/engine/clock.ts';
import { prepareSetClock } from '../../src/store/sqlite/set-clock.ts';
import { FakeClock } from '../tools/engine.ts';
import { Claimer, newJob, openStore, retryAfter } from '../tools/store.ts';

const HOUR = 3_600_000;

test('set back by three hours: what was due is due, retries wait as before, later ones as they were', async (t) => {
  const clock = new FakeClock();
  const store = await openStore(t, clock);
  const claimer = await Claimer.join(store, ['Tried', 'Running']);
  const at = (ms: number) => clock.now() + ms;
  const insert = async (type: string, changes = {}) =>
    ((await store.insert([newJob(type, changes)]))[0] as { id: number }).id;
  const tried = await insert('Tried');
  await claimer.settle(await claimer.one(), retryAfter(20_000));
  const running = await insert('Running');
  await claimer.one();
  const due = await insert('Due');
  const blocked = await insert('Blocked', { dependsOn: [running] });
  const later = await insert('Later', { availableAt: at(HOUR) });
  const laterAt = at(HOUR);

  clock.jump(-3 * HOUR);
  const moved = await store.write((now) => prepareSetClock(store.db)(-3 * HOUR, claimer.process, now));
  assert.equal(moved, 3);
  const one = (column: string, id: number) =>
    store.db.prepare<[number], string>(`SELECT ${column} FROM jobs WHERE id = ?`).pluck().get(id);
  assert.equal(one('available_at', due), formatTime(clock.now()));
  assert.equal(one('available_at', blocked), formatTime(clock.now()));
  assert.equal(one('available_at', later), formatTime(laterAt));
  const again = one('available_at', tried) ?? '';
  assert.ok(again > formatTime(at(9000)) && again <= formatTime(at(20_000)), again);
  assert.equal(one('started_at', running), formatTime(clock.now()));
});
