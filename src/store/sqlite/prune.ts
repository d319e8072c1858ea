/** Deleting jobs that ended long ago, in steps that hold the file for a few milliseconds each. */

import { type Clock, formatTime } from '../../engine/clock.ts';
import type { JobState } from '../../engine/job.ts';
import { Queries } from './queries.ts';
import type { SqliteStore } from './store.ts';

/** Jobs deleted in one transaction: 100 take about 3 ms. */
const STEP = 100;

/** Pages given back to the disk in one transaction: 64 take about 2 ms. */
const SHRINK_STEP = 64;

/** So much of the file, but at least so many pages, stays free for new rows: to give back and to ask anew costs twice. */
const SPARE_SHARE = 0.1;
const SPARE_PAGES = 1024;

/** How long finished jobs stay, in milliseconds. */
export interface Retention {
  completed: number;
  /** Failed and cancelled ones. */
  failed: number;
}

/** Deletes what is older; a job that an unfinished one waits for stays. Gives the counts. */
export async function pruneJobs(store: SqliteStore, clock: Clock, keep: Retention): Promise<Retention> {
  const queries = new Queries(store.db, clock);
  const older = async (states: JobState[], age: number): Promise<number> => {
    const before = formatTime(clock.now() - age);
    let deleted = 0;
    for (;;) {
      const ids = await store.read(() => queries.prunable(states, before, STEP));
      if (ids.length === 0) return deleted;
      const gone = (await store.remove(ids)).filter(({ to }) => to === null).length;
      deleted += gone;
      // Somebody made a child of each in the meantime.
      if (gone === 0) return deleted;
    }
  };
  const completed = await older(['completed'], keep.completed);
  const failed = await older(['failed', 'cancelled'], keep.failed);
  await giveBack(store);
  return { completed, failed };
}

/** Gives pages that nothing needs back to the disk; the file is cut when its log is next written into it. */
async function giveBack(store: SqliteStore): Promise<void> {
  const { db } = store;
  const count = (name: string) => db.pragma(name, { simple: true }) as number;
  const spare = await store.read(() => Math.max(SPARE_PAGES, Math.floor(count('page_count') * SPARE_SHARE)));
  for (;;) {
    const free = await store.read(() => count('freelist_count'));
    if (free <= spare) return;
    await store.write(() => db.pragma(`incremental_vacuum(${Math.min(SHRINK_STEP, free - spare)})`));
    // A database that was made without this has nothing to give.
    if ((await store.read(() => count('freelist_count'))) >= free) return;
  }
}
