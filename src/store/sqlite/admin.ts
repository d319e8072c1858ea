/** What an admin does to jobs by hand: cancel, retry, delete. Each runs inside a write transaction. */

import type { Database } from 'better-sqlite3';
import { formatTime } from '../../engine/clock.ts';
import { allows, type JobState } from '../../engine/job.ts';
import type { Applied } from '../../engine/store.ts';
import { MOST } from './counters.ts';

/** Prepares the verbs on a connection. */
export function prepareAdmin(db: Database) {
  const statusOf = db.prepare<[number], JobState>('SELECT status FROM jobs WHERE id = ?').pluck();
  const noteCancelled = db.prepare(
    `INSERT INTO attempts (job_id, attempt, outcome, started_at, ended_at, process, error)
     SELECT id, attempts, 'cancelled', started_at, ?, claimed_by, 'Cancelled while it ran.' FROM jobs
     WHERE id = ? AND status = 'processing'`,
  );
  const cancel = db.prepare(
    `UPDATE jobs SET status = 'cancelled', finished_at = ? WHERE id = ? AND status IN ('blocked','pending','processing')`,
  );
  // One more attempt than were spent, where none was left; NULL stays where the type's number still allows one.
  const revive = db
    .prepare<[number, number, string, number], JobState>(
      `UPDATE jobs SET status = CASE WHEN ? > 0 THEN 'blocked' ELSE 'pending' END, waiting_for = ?,
              max_attempts = CASE
                WHEN max_attempts IS NOT NULL THEN max(max_attempts, min(attempts, ${MOST}) + 1)
                WHEN status = 'failed' AND discarded = 0 AND attempts > 0 THEN min(attempts, ${MOST}) + 1
              END,
              available_at = ?, finished_at = NULL, discarded = 0, claimed_by = NULL, progress = NULL
       WHERE id = ? AND status IN ('failed','cancelled') RETURNING status`,
    )
    .pluck();
  const keyIsHeld = db
    .prepare<[number], number>(
      `SELECT 1 FROM jobs j JOIN jobs h ON h.type = j.type AND h.unique_key = j.unique_key
       WHERE j.id = ? AND h.status IN ('blocked','pending','processing') LIMIT 1`,
    )
    .pluck();
  const unfinishedParents = db
    .prepare<[number], number>(
      `SELECT count(*) FROM dependencies d LEFT JOIN jobs p ON p.id = d.parent_id
       WHERE d.job_id = ? AND p.status IS NOT 'completed'`,
    )
    .pluck();
  const waitingChild = db
    .prepare<[number], number>(
      `SELECT c.id FROM dependencies d JOIN jobs c ON c.id = d.job_id
       WHERE d.parent_id = ? AND c.status <> 'completed' LIMIT 1`,
    )
    .pluck();
  const remove = [
    'DELETE FROM attempts WHERE job_id = ?',
    'DELETE FROM dependencies WHERE job_id = ?',
    'DELETE FROM dependencies WHERE parent_id = ?',
    'DELETE FROM jobs WHERE id = ?',
  ].map((sql) => db.prepare(sql));

  function each(ids: readonly number[], act: (id: number, from: JobState) => JobState | null): Applied[] {
    return ids.map((id) => {
      const from = statusOf.get(id) ?? null;
      return { id, from, to: from === null ? null : act(id, from) };
    });
  }

  return {
    cancel: (ids: readonly number[], now: number): Applied[] =>
      each(ids, (id, from) => {
        if (!allows('cancel', from)) return from;
        const at = formatTime(now);
        noteCancelled.run(at, id);
        cancel.run(at, id);
        return 'cancelled';
      }),
    revive: (ids: readonly number[], now: number): Applied[] =>
      each(ids, (id, from) => {
        if (!allows('revive', from) || keyIsHeld.get(id) !== undefined) return from;
        const waiting = unfinishedParents.get(id) ?? 0;
        return revive.get(waiting, waiting, formatTime(now), id) ?? from;
      }),
    remove: (ids: readonly number[]): Applied[] =>
      each(ids, (id, from) => {
        // A child that may still run would wait for ever for this one, or miss its result.
        if (from === 'processing' || waitingChild.get(id) !== undefined) return from;
        for (const statement of remove) statement.run(id);
        return null;
      }),
  };
}
