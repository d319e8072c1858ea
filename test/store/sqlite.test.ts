/** The store contract on SQLite. */

import type { FakeClock } from '../tools/engine.ts';
import { openStore, readAttempts, readJob } from '../tools/store.ts';
import { storeContract } from './contract.ts';

storeContract('SQLite', async (clock: FakeClock, t) => {
  const store = await openStore(t, clock);
  return {
    store,
    job: (id) => readJob(store, id),
    attempts: (id) => readAttempts(store, id),
    all: () => store.db.prepare<[], number>('SELECT id FROM jobs ORDER BY id').pluck().all(),
    again: () => openStore(t, clock, { file: store.file }),
  };
});
