/**
 * The lanes in which pending jobs lie: one for each (priority, queue, type) that occurs. They are
 * found by seeking from one to the next in the index, so their number counts, not that of the jobs.
 */

import type { Database } from 'better-sqlite3';

/** A lane's key. */
export interface Lane {
  priority: number;
  queue: string;
  type: string;
}

/** The part of a lane's key that decides whether a process serves it. */
export type Serves = (lane: Pick<Lane, 'queue' | 'type'>) => boolean;

/** Prepares the walk over the lanes: highest priority first. */
export function prepareLanes(db: Database): (serves: Serves) => Lane[] {
  // The fourth column makes the seek land before the lane's first row. Without it SQLite lands behind its
  // last one and steps back over all of them: 5.5 ms instead of 21 µs beside 200,000 pending rows.
  const next = db.prepare<[number, string, string], Lane>(
    `SELECT priority, queue, type FROM jobs INDEXED BY jobs_due
     WHERE status = 'pending' AND (priority, queue, type, available_at) < (?, ?, ?, '')
     ORDER BY priority DESC, queue DESC, type DESC LIMIT 1`,
  );
  return (serves) => {
    const found: Lane[] = [];
    let lane = next.get(10, '', '');
    while (lane !== undefined) {
      if (serves(lane)) found.push(lane);
      lane = next.get(lane.priority, lane.queue, lane.type);
    }
    return found;
  };
}

/** Prepares a count of due jobs that goes no further than `limit`: the price of a long queue is that of a short one. */
export function prepareCountDue(db: Database): (limit: number, now: string, serves: Serves) => number {
  const lanes = prepareLanes(db);
  const count = db
    .prepare<[number, string, string, string, number], number>(
      `SELECT count(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_due
       WHERE status = 'pending' AND priority = ? AND queue = ? AND type = ? AND available_at <= ? LIMIT ?)`,
    )
    .pluck();
  return (limit, now, serves) => {
    let sum = 0;
    for (const { priority, queue, type } of lanes(serves)) {
      if (sum >= limit) break;
      sum += count.get(priority, queue, type, now, limit - sum) ?? 0;
    }
    return sum;
  };
}
