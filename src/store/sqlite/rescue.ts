/** Processes and their leases; and taking back what a dead one held. */

import type { Database } from 'better-sqlite3';
import { formatTime } from '../../engine/clock.ts';
import { MAX_CRASHES } from '../../engine/job.ts';
import { less, more } from './counters.ts';
import type { Expired, ProcessIdentity, ProcessRecord } from '../../engine/store.ts';

/** Kept with a job that was failed for killing its process. */
export const CRASH_REASON =
  `The process died ${MAX_CRASHES} times while this job ran (it crashed, was killed, or ran out of memory), ` +
  'so the job is not tried again.';

/** Prepares the verbs on processes. Each must run inside a write transaction, but `list`. */
export function prepareProcesses(db: Database) {
  const register = db.prepare(
    `INSERT INTO processes (pid, host, boot_id, start_time, kind, started_at, heartbeat_at, info) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const beat = db.prepare(
    `UPDATE processes SET heartbeat_at = ?, info = ? WHERE id = ? AND lost_at IS NULL AND stopped_at IS NULL`,
  );
  const signOff = db.prepare(
    `UPDATE processes SET stopped_at = ?, heartbeat_at = ? WHERE id = ? AND lost_at IS NULL`,
  );
  const alive = db
    .prepare<[number], number>(
      'SELECT 1 FROM processes WHERE id = ? AND lost_at IS NULL AND stopped_at IS NULL',
    )
    .pluck();
  const declareLost = db.prepare('UPDATE processes SET lost_at = ? WHERE id = ? AND lost_at IS NULL');
  const list = db.prepare<[], ProcessRecord>(
    `SELECT id, pid, host, boot_id AS bootId, start_time AS startTime, kind, started_at AS startedAt,
            heartbeat_at AS heartbeatAt, stopped_at AS stoppedAt, lost_at AS lostAt, info,
            (SELECT count(*) FROM jobs INDEXED BY jobs_processing WHERE status = 'processing' AND claimed_by = processes.id) AS processing
     FROM processes ORDER BY id`,
  );
  const note = db.prepare(
    `INSERT INTO attempts (job_id, attempt, outcome, started_at, ended_at, process, error)
     SELECT id, attempts, 'crashed', started_at, ?, claimed_by, ? FROM jobs INDEXED BY jobs_processing
     WHERE status = 'processing' AND claimed_by IS ?`,
  );
  const expire = db.prepare<
    [string, string, string, number | null],
    { id: number; status: 'pending' | 'failed' }
  >(
    `UPDATE jobs SET ${less('attempts')}, ${more('crashes')}, claimed_by = NULL,
            status      = CASE WHEN crashes + 1 >= ${MAX_CRASHES} THEN 'failed' ELSE 'pending' END,
            finished_at = CASE WHEN crashes + 1 >= ${MAX_CRASHES} THEN ? END,
            last_error  = CASE WHEN crashes + 1 >= ${MAX_CRASHES} THEN ? ELSE last_error END,
            available_at = ?
     WHERE id IN (SELECT id FROM jobs INDEXED BY jobs_processing WHERE status = 'processing' AND claimed_by IS ?)
     RETURNING id, status`,
  );
  const unowned = db
    .prepare<[], number | null>(
      `SELECT DISTINCT claimed_by FROM jobs INDEXED BY jobs_processing WHERE status = 'processing' AND NOT EXISTS
         (SELECT 1 FROM processes p WHERE p.id = claimed_by AND p.lost_at IS NULL AND p.stopped_at IS NULL)`,
    )
    .pluck();
  const forget = db.prepare(
    `DELETE FROM processes WHERE coalesce(stopped_at, lost_at) < ? AND id < (SELECT max(id) FROM processes)`,
  );

  function takeBack(holder: number | null, now: string): Expired {
    note.run(now, 'The process that ran this attempt is gone.', holder);
    const rows = expire.all(now, CRASH_REASON, now, holder);
    return {
      returned: rows.filter(({ status }) => status === 'pending').map(({ id }) => id),
      failed: rows.filter(({ status }) => status === 'failed').map(({ id }) => id),
    };
  }

  return {
    alive: (id: number): boolean => alive.get(id) !== undefined,
    list: (): ProcessRecord[] => list.all(),
    register(who: ProcessIdentity, now: number): number {
      const at = formatTime(now);
      // A week of finished runs is enough to look back on.
      forget.run(formatTime(now - 7 * 86_400_000));
      const row = register.run(who.pid, who.host, who.bootId, who.startTime, who.kind, at, at, who.info);
      return Number(row.lastInsertRowid);
    },
    beat: (id: number, info: string, now: number): boolean => beat.run(formatTime(now), info, id).changes > 0,
    signOff(id: number, now: number): void {
      signOff.run(formatTime(now), formatTime(now), id);
    },
    /** Takes back the jobs of one process, and those that nobody holds (another program's rows). */
    expire(id: number, now: number): Expired {
      const at = formatTime(now);
      declareLost.run(at, id);
      const sum: Expired = { returned: [], failed: [] };
      for (const holder of unowned.all()) {
        const { returned, failed } = takeBack(holder, at);
        sum.returned.push(...returned);
        sum.failed.push(...failed);
      }
      return sum;
    },
  };
}
