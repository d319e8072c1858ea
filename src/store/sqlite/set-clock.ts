/** What the table's times mean once somebody has set the wall clock. */

import type { Database } from 'better-sqlite3';
import { formatTime, parseTime } from '../../engine/clock.ts';

/** What it gives must run inside a write transaction. */
export function prepareSetClock(db: Database) {
  const running = db.prepare<[number], { id: number; startedAt: string }>(
    `SELECT id, started_at AS startedAt FROM jobs INDEXED BY jobs_processing
     WHERE status = 'processing' AND claimed_by = ? AND started_at IS NOT NULL`,
  );
  const begin = db.prepare('UPDATE jobs SET started_at = ? WHERE id = ?');
  // Looks at every row, since no index has the blocked ones: half a second for a million, once in a year or never.
  const due = db.prepare(
    `UPDATE jobs SET available_at = ? WHERE status IN ('pending', 'blocked') AND available_at > ? AND available_at <= ?`,
  );
  const later = db.prepare<[string], { id: number; availableAt: string }>(
    `SELECT id, available_at AS availableAt FROM jobs INDEXED BY jobs_due
     WHERE status = 'pending' AND available_at > ? AND started_at IS NOT NULL`,
  );
  const wait = db.prepare('UPDATE jobs SET available_at = ? WHERE id = ?');

  /**
   * The clock was set by so many milliseconds, and shows `now`. What runs in `process` began as long ago as before. Where it
   * was set back: what was due is due still, and who waits for another try waits no longer. Gives how many were moved.
   */
  return (by: number, process: number, now: number): number => {
    for (const { id, startedAt } of running.all(process)) {
      begin.run(formatTime(parseTime(startedAt) + by), id);
    }
    if (by > 0) return 0;
    const before = formatTime(now - by);
    const { changes } = due.run(formatTime(now), formatTime(now), before);
    // After that, or what it moves near would count as due. To another supervisor's eyes it does: its wait ends at once.
    const waiting = later.all(before);
    for (const { id, availableAt } of waiting) wait.run(formatTime(parseTime(availableAt) + by), id);
    return changes + waiting.length;
  };
}
