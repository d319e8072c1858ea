/** What the admin was told survives as it is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { QUIET } from '../../src/engine/alert.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { prepareAlertState } from '../../src/store/sqlite/alert-state.ts';
import { openStore } from '../tools/store.ts';

test('the state of alerts is read as it was written, and is quiet at first', async (t) => {
  const store = await openStore(t, systemClock);
  const row = prepareAlertState(store.db);
  assert.deepEqual(row.read(), QUIET);
  const state = {
    seen: 'stale',
    seenChecks: 2,
    checkedAt: 1000,
    since: 500,
    mailed: 'stale',
    mailedAt: 900,
    mailedTo: 'a@b.c',
    mailedThreshold: 300_000,
    sending: { kind: 'changed', at: 1100 },
    failure: { message: 'down', tries: 3 },
  } as const;
  row.write(state);
  assert.deepEqual(row.read(), state);
  store.db.exec('DELETE FROM alert_state');
  row.write(QUIET);
  assert.deepEqual(row.read(), QUIET);
});
