/** Deleting jobs that ended long ago, in steps that hold the file for a few milliseconds each. */

import { type Clock, formatTime } from '../../engine/clock.ts';
import type { JobState } from '../../engine/job.ts';
import { Queries } from './queries.ts';
import type { SqliteStore } from './store.ts';

/** Jobs deleted in one transaction: 100 take about 3 ms. */
const STEP = 100;

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
  return { completed, failed: await older(['failed', 'cancelled'], keep.failed) };
}
