/**
 * Settling: the end of an attempt, written once. Every statement is guarded by state and lease, so an
 * attempt that was cancelled, rescued or claimed anew in the meantime changes nothing.
 */

import type { Database } from 'better-sqlite3';
import { formatTime } from '../../engine/clock.ts';
import type { JobError, NestedDispatch, Settlement } from '../../engine/job.ts';
import type { Inserted, NewJob, Settle } from '../../engine/store.ts';
import { messageOf } from '../../errors.ts';
import { less } from './counters.ts';
import { isRefusal } from './open.ts';

const GUARD = `WHERE id = ? AND status = 'processing' AND lease = ?`;

/** Prepares settles on a connection. The function must run inside a write transaction. */
export function prepareSettle(
  db: Database,
  insert: (jobs: readonly NewJob[], now: number) => Inserted[],
): (settles: readonly Settle[], now: number) => { settled: boolean[]; becamePending: boolean } {
  const complete = db.prepare(
    `UPDATE jobs SET status = 'completed', finished_at = ?, result = ?, last_error = NULL ${GUARD}`,
  );
  // The hot path: one statement for all that just completed costs a quarter less than one each.
  const completeAll = db
    .prepare<[string, string], [number, number]>(
      `UPDATE jobs SET status = 'completed', finished_at = ?, result = done.result, last_error = NULL
       FROM (SELECT value ->> 0 AS id, value ->> 1 AS lease, value ->> 2 AS result FROM json_each(?)) AS done
       WHERE jobs.id = done.id AND jobs.status = 'processing' AND jobs.lease = done.lease
       RETURNING jobs.id, jobs.lease`,
    )
    .raw();
  const retry = db.prepare(`UPDATE jobs SET status = 'pending', available_at = ?, last_error = ? ${GUARD}`);
  const fail = db.prepare(
    `UPDATE jobs SET status = 'failed', finished_at = ?, last_error = ?, discarded = ?, progress = NULL ${GUARD}`,
  );
  // max(): a clock set back must not make the job due before it was claimed.
  const release = db.prepare(
    `UPDATE jobs SET status = 'pending', ${less('attempts')}, available_at = max(available_at, ?),
            last_error = coalesce(?, last_error) ${GUARD}`,
  );
  const note = db.prepare(
    `INSERT INTO attempts (job_id, attempt, outcome, started_at, ended_at, process, error, stack)
     SELECT id, attempts, ?, started_at, ?, claimed_by, ?, ? FROM jobs WHERE id = ?`,
  );
  const drop = db.prepare('UPDATE jobs SET payload = json_remove(payload, ?) WHERE id = ?');
  const savepoint = db.prepare('SAVEPOINT nested');
  const undo = db.prepare('ROLLBACK TO nested');
  const keepAll = db.prepare('RELEASE nested');
  const anyDependency = db.prepare('SELECT 1 FROM dependencies LIMIT 1').pluck();
  const children = db.prepare<[string], { job_id: number; n: number }>(
    `SELECT d.job_id, count(*) AS n FROM json_each(?) p JOIN dependencies d ON d.parent_id = p.value GROUP BY d.job_id`,
  );
  const unblock = db
    .prepare<[number, number, number, string, number], string>(
      `UPDATE jobs SET waiting_for = max(waiting_for, 0) - ?,
              status = CASE WHEN waiting_for - ? <= 0 THEN 'pending' ELSE status END,
              available_at = CASE WHEN waiting_for - ? <= 0 THEN max(available_at, ?) ELSE available_at END
       WHERE id = ? AND status = 'blocked' RETURNING status`,
    )
    .pluck();

  function keep(id: number, outcome: string, ended: string, error: JobError): void {
    note.run(outcome, ended, error.message, error.stack ?? null, id);
  }

  /** Children that wait for these parents have as many fewer to wait for. Whether one became pending. */
  function freeChildren(parents: readonly number[], ended: string): boolean {
    if (parents.length === 0 || anyDependency.get() === undefined) return false;
    let any = false;
    for (const { job_id: child, n } of children.all(JSON.stringify(parents))) {
      if (unblock.get(n, n, n, ended, child) === 'pending') any = true;
    }
    return any;
  }

  /** The completion and the jobs that the handler dispatched: both, or a failed attempt that says why. */
  function completeWith(
    settle: Settle,
    dispatches: readonly NestedDispatch[],
    result: string | null,
    now: number,
    ended: string,
  ): Settlement['move'] | undefined {
    savepoint.run();
    try {
      const done = apply(settle, { move: 'complete', result }, now, ended);
      if (done !== undefined) {
        // Before the insert, which counts parents as they stand: nothing may be counted down for this one twice.
        freeChildren([settle.id], ended);
        insert(nestedJobs(dispatches, now), now);
      }
      keepAll.run();
      return done;
    } catch (error) {
      const otherwise = settle.otherwise;
      // A full disk is nobody's fault here; an unknown parent or a bad number is this handler's.
      if (!isRefusal(error) || otherwise === undefined || !db.inTransaction) throw error;
      undo.run();
      keepAll.run();
      return apply(
        settle,
        otherwise(`A job that it dispatched was refused: ${messageOf(error)}`),
        now,
        ended,
      );
    }
  }

  /** One attempt; the move that was written, or undefined where its lease is gone. */
  function apply(
    settle: Settle,
    settlement: Settlement,
    now: number,
    ended: string,
  ): Settlement['move'] | undefined {
    const { id, lease } = settle;
    switch (settlement.move) {
      case 'complete': {
        const { dispatches } = settlement;
        if (dispatches !== undefined) return completeWith(settle, dispatches, settlement.result, now, ended);
        if (complete.run(ended, settlement.result, id, lease).changes === 0) return undefined;
        for (const field of settle.redact ?? []) drop.run(`$.${JSON.stringify(field)}`, id);
        return 'complete';
      }
      case 'retry': {
        const due = formatTime(now + settlement.delay);
        if (retry.run(due, settlement.error.message, id, lease).changes === 0) return undefined;
        keep(id, 'failed', ended, settlement.error);
        return 'retry';
      }
      case 'fail': {
        const { error, discarded } = settlement;
        if (fail.run(ended, error.message, discarded ? 1 : 0, id, lease).changes === 0) return undefined;
        keep(id, discarded ? 'discarded' : 'failed', ended, error);
        return 'fail';
      }
      case 'release': {
        // No row in `attempts`: the attempt is given back, and a job may wait for something all day.
        const due = formatTime(now + settlement.delay);
        const why = settlement.error?.message ?? null;
        return release.run(due, why, id, lease).changes > 0 ? 'release' : undefined;
      }
    }
  }

  /** Those that just completed, in one statement; gives the lease that each still had. */
  function completePlain(settles: readonly Settle[], ended: string): Map<number, number> {
    const plain = settles.filter(isPlain);
    if (plain.length < 2) return new Map();
    const rows = plain.map(({ id, lease, settlement }) => [id, lease, (settlement as Completion).result]);
    return new Map(completeAll.all(ended, JSON.stringify(rows)));
  }

  return (settles, now) => {
    const ended = formatTime(now);
    const together = completePlain(settles, ended);
    // First: what a job of this exchange dispatches counts these as done.
    let becamePending = freeChildren([...together.keys()], ended);
    const completed: number[] = [];
    const settled = settles.map((settle) => {
      const { id, lease } = settle;
      if (together.size > 0 && isPlain(settle)) {
        // Told once, also where the same outcome comes twice.
        return together.get(id) === lease && together.delete(id);
      }
      if (hasDispatches(settle)) becamePending = freeChildren(completed.splice(0), ended) || becamePending;
      const move = apply(settle, settle.settlement, now, ended);
      if (move === 'complete' && !hasDispatches(settle)) completed.push(id);
      becamePending ||=
        move === 'retry' || move === 'release' || (move === 'complete' && hasDispatches(settle));
      return move !== undefined;
    });
    becamePending = freeChildren(completed, ended) || becamePending;
    return { settled, becamePending };
  };
}

type Completion = Extract<Settlement, { move: 'complete' }>;

/** A result that is longer is cheaper by itself than inside of JSON. Characters. */
const LONG_RESULT = 2000;

/** A completion without anything beside it. */
function isPlain({ settlement, redact }: Settle): boolean {
  return (
    settlement.move === 'complete' &&
    settlement.dispatches === undefined &&
    redact === undefined &&
    (settlement.result?.length ?? 0) <= LONG_RESULT
  );
}

function hasDispatches({ settlement }: Settle): boolean {
  return settlement.move === 'complete' && settlement.dispatches !== undefined;
}

/** Turns the references between a handler's dispatches into places in one batch. */
function nestedJobs(nested: readonly NestedDispatch[], now: number): NewJob[] {
  const places = new Map(nested.map(({ ref }, index) => [ref, index]));
  return nested.map((one) => ({
    type: one.type,
    payload: one.payload,
    queue: one.queue ?? 'default',
    priority: one.priority ?? 0,
    maxAttempts: one.maxAttempts ?? null,
    availableAt: one.at ?? now + (one.delay ?? 0),
    uniqueKey: one.uniqueKey ?? null,
    options: one.options ?? null,
    dependsOn: (one.dependsOn ?? []).map((parent) =>
      typeof parent === 'number' ? parent : { index: places.get(parent) ?? -1 },
    ),
  }));
}
