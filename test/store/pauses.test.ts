/** Pauses: nothing is claimed from what is paused, and the scaler does not count it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { systemClock } from '../../src/engine/clock.ts';
import { preparePauses } from '../../src/store/sqlite/pauses.ts';
import { add, Claimer, openStore } from '../tools/store.ts';

test('a paused queue is stepped over, and everything while all is paused', async (t) => {
  const store = await openStore(t, systemClock);
  const pauses = preparePauses(store.db);
  const held = await add(store, 'A', { queue: 'mail' });
  const free = await add(store, 'A');
  const count = () => store.countDue(10, ['A'], null);
  assert.equal(await store.write((now) => pauses.hold('mail', 'asha', now)), true);
  assert.equal(await store.write((now) => pauses.hold('mail', 'ravi', now)), false, 'paused already');
  assert.equal(await count(), 1);
  const claimer = await Claimer.join(store, ['A']);
  assert.equal((await claimer.one()).id, free);
  assert.deepEqual(
    pauses.list().map(({ queue, by }) => [queue, by]),
    [['mail', 'asha']],
  );

  await store.write(() => pauses.release('mail'));
  await store.write((now) => pauses.hold(null, 'asha', now));
  assert.equal(await count(), 0);
  assert.deepEqual(await claimer.claim(), []);
  assert.equal(await store.write(() => pauses.release('mail')), false, 'that one is not');
  await store.write(() => pauses.release(null));
  assert.equal((await claimer.one()).id, held);
});

test('a row that another program wrote is a pause as well', async (t) => {
  const store = await openStore(t, systemClock);
  store.db.exec(
    `INSERT INTO settings (key, value) VALUES ('paused:a', 'yes'), ('paused:b', '{"by": 5}'), ('pauses', '1')`,
  );
  assert.deepEqual(preparePauses(store.db).list(), [
    { queue: 'a', since: '', by: 'somebody' },
    { queue: 'b', since: '', by: 'somebody' },
  ]);
});
