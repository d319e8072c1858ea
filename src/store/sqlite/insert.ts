/** Dispatch: a batch of jobs, all or none. Runs inside a write transaction. */

import type { Database } from 'better-sqlite3';
import { formatTime } from '../../engine/clock.ts';
import { errors } from '../../errors.ts';
import type { Inserted, NewJob } from '../../engine/store.ts';

/** Prepares the insert on a connection. `now` is wall time in milliseconds. */
export function prepareInsert(db: Database): (jobs: readonly NewJob[], now: number) => Inserted[] {
  const insert = db.prepare(
    `INSERT INTO jobs (type, status, queue, priority, max_attempts, available_at, created_at, parents, waiting_for, unique_key, options, payload)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const holder = db
    .prepare<[string, string], number>(
      `SELECT id FROM jobs WHERE type = ? AND unique_key = ? AND status IN ('blocked','pending','processing')`,
    )
    .pluck();
  const statusOf = db.prepare<[number], string>('SELECT status FROM jobs WHERE id = ?').pluck();
  const depend = db.prepare('INSERT INTO dependencies (parent_id, job_id, position) VALUES (?, ?, ?)');

  return (jobs, now) => {
    const created = formatTime(now);
    const done: Inserted[] = [];
    for (const job of jobs) {
      if (job.uniqueKey !== null) {
        const existing = holder.get(job.type, job.uniqueKey);
        if (existing !== undefined) {
          done.push({ id: existing, existing: true });
          continue;
        }
      }
      const parents = [
        ...new Set(
          job.dependsOn.map((parent) =>
            typeof parent === 'number' ? parent : (done[parent.index]?.id ?? 0),
          ),
        ),
      ];
      let waiting = 0;
      for (const parent of parents) {
        const status = statusOf.get(parent);
        if (status === undefined) throw errors.unknownDependency(parent);
        if (status !== 'completed') waiting++;
      }
      const availableAt = job.availableAt ?? (job.delay ? now + job.delay : undefined);
      const { lastInsertRowid } = insert.run(
        job.type,
        waiting > 0 ? 'blocked' : 'pending',
        job.queue,
        job.priority,
        job.maxAttempts,
        availableAt === undefined ? created : formatTime(availableAt),
        created,
        parents.length,
        waiting,
        job.uniqueKey,
        job.options,
        job.payload,
      );
      const id = Number(lastInsertRowid);
      parents.forEach((parent, position) => depend.run(parent, id, position));
      done.push({ id, existing: false });
    }
    return done;
  };
}
