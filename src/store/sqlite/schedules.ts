/** The rows of schedules, and their ledger of ticks: its key says that a tick is decided once, by whomever. */

import { formatTime, parseTime } from '../../engine/clock.ts';
import { readCron } from '../../engine/cron.ts';
import {
  type CatchUp,
  type Overlap,
  planTicks,
  type Schedule,
  type TickOutcome,
  type TickPlan,
} from '../../engine/schedule.ts';
import type { DecidedTick, DefinedSchedule, ScheduleState, ScheduleStore } from '../../engine/scheduler.ts';
import type { ProcessIdentity } from '../../engine/store.ts';
import type { SqliteStore } from './store.ts';

/** A schedule with what became of its last tick. Times are UTC text. */
export interface ScheduleRow {
  name: string;
  cron: string;
  zone: string;
  /** Null where the supervisor itself does the work. */
  type: string | null;
  overlap: Overlap;
  catch_up: CatchUp;
  next_tick: string | null;
  paused_at: string | null;
  paused_by: string | null;
  last_tick: string | null;
  last_outcome: TickOutcome | null;
  last_job: number | null;
}

/** A line of the ledger. Times are UTC text. */
export interface TickRow {
  tick: string;
  outcome: TickOutcome;
  job_id: number | null;
  decided_at: string;
}

/** Of each schedule, so many ticks stay in the ledger. */
const KEPT_TICKS = 1000;

/** A command that the system's cron calls is of the tick within this time, in milliseconds: see {@link SqliteSchedules.join}. */
const SAME_TICK_MS = 60_000;

export class SqliteSchedules implements ScheduleStore {
  readonly #store: SqliteStore;
  readonly #sql: ReturnType<typeof prepare>;
  readonly #own: Pick<ProcessIdentity, 'pid' | 'startTime'>;

  /** `own`: the process that defines schedules. */
  constructor(store: SqliteStore, own = { pid: 0, startTime: '' }) {
    this.#store = store;
    this.#own = own;
    this.#sql = prepare(store);
  }

  async define(schedules: readonly DefinedSchedule[]): Promise<void> {
    const names = JSON.stringify(schedules.map(({ name }) => name));
    await this.#store.write((now) => {
      this.#sql.forget.run({ names, ...this.#own });
      for (const schedule of schedules) this.#define(schedule, now);
    });
  }

  #define({ name, cron, zone, overlap, catchUp, job, next }: DefinedSchedule, now: number): void {
    this.#sql.define.run({
      name,
      cron,
      zone,
      type: job?.type ?? null,
      overlap,
      catchUp,
      now: formatTime(now),
      next: next === null ? null : formatTime(next),
    });
  }

  async states(): Promise<ScheduleState[]> {
    const rows = await this.#store.read(() => this.#sql.states.all());
    return rows.map(({ name, decidedUntil, paused }) => ({
      name,
      decidedUntil: parseTime(decidedUntil),
      paused: paused === 1,
    }));
  }

  decide(schedule: Schedule, plan: (decidedUntil: number) => TickPlan): Promise<DecidedTick[]> {
    const { name, overlap, catchUp, job } = schedule;
    return this.#store.write((now) => {
      const state = this.#sql.state.get(name);
      // Removed, or paused, since it was looked at.
      if (state === undefined || state.paused === 1) return [];
      const { run, missed, until, next } = plan(parseTime(state.decidedUntil));
      this.#sql.advance.run(formatTime(until), next === null ? null : formatTime(next), name);
      const decided: DecidedTick[] = [];
      const note = (tick: number, outcome: TickOutcome, id: number | null) => {
        if (this.#sql.note.run(name, formatTime(tick), outcome, id, formatTime(now)).changes === 0) return;
        decided.push({ tick, outcome, job: id });
      };
      for (const tick of missed) note(tick, 'missed', null);
      // Under `all` none may be lost: those that are caught up with wait for each other in the queue.
      const skips = overlap === 'skip' && catchUp !== 'all' && this.#sql.unfinished.get(name) !== undefined;
      for (const tick of run) {
        if (this.#sql.known.get(name, formatTime(tick)) !== undefined) continue;
        if (skips) note(tick, 'skipped', null);
        else note(tick, 'run', job === undefined ? null : (this.#store.insertNow([job], now)[0]?.id ?? null));
      }
      if (decided.length > 0) this.#sql.prune.run(name, name, KEPT_TICKS);
      return decided;
    });
  }

  /**
   * Dispatches the job of a schedule by hand. With the tick that is nearest within a minute, if any, it is that tick's:
   * the system's cron and the supervisor, which both know when, then make one job together.
   */
  join(
    schedule: Schedule,
    nearest: (now: number) => number | undefined,
  ): Promise<{ id: number; existing: boolean }> {
    const { name, job } = schedule;
    if (job === undefined) throw new Error(`${name} has no job`);
    return this.#store.write((now) => {
      const tick = this.#sql.state.get(name) === undefined ? undefined : nearest(now);
      const near = tick !== undefined && Math.abs(now - tick) <= SAME_TICK_MS ? tick : undefined;
      if (near !== undefined) {
        const id = this.#sql.known.get(name, formatTime(near))?.job_id ?? null;
        if (id !== null) return { id, existing: true };
      }
      const [inserted] = this.#store.insertNow([job], now);
      const { id, existing } = inserted as { id: number; existing: boolean };
      if (near !== undefined) this.#sql.note.run(name, formatTime(near), 'run', id, formatTime(now));
      return { id, existing };
    });
  }

  /** By name. */
  list(): Promise<ScheduleRow[]> {
    return this.#store.read(() => this.#sql.list.all());
  }

  /** The latest first. */
  ledger(name: string, limit: number): Promise<TickRow[]> {
    return this.#store.read(() => this.#sql.ledger.all(name, limit));
  }

  /** One that no supervisor has run yet begins now, and paused. Gives false where it was paused before. */
  pause(schedule: DefinedSchedule, by: string): Promise<boolean> {
    return this.#store.write((now) => {
      if (this.#sql.state.get(schedule.name) === undefined) this.#define(schedule, now);
      return this.#sql.pause.run(formatTime(now), by, schedule.name).changes > 0;
    });
  }

  /**
   * False where it was not paused, undefined where there is no such schedule. Under `skip`, the ticks that the pause has held up are written off here: to
   * the scheduler, the latest of them would look like those that it was a little late for.
   */
  resume(name: string): Promise<boolean | undefined> {
    return this.#store.write((now) => {
      if (this.#sql.state.get(name) === undefined) return undefined;
      const held = this.#sql.held.get(name);
      if (held !== undefined) {
        const { cron, zone, decidedUntil } = held;
        const plan = planTicks(readCron(cron, zone, name), 'skip', parseTime(decidedUntil), now);
        const [until, at] = [Math.max(parseTime(decidedUntil), now), formatTime(now)];
        for (const tick of [...plan.missed, ...plan.run]) {
          this.#sql.note.run(name, formatTime(tick), 'missed', null, at);
        }
        this.#sql.advance.run(formatTime(until), plan.next === null ? null : formatTime(plan.next), name);
      }
      return this.#sql.resume.run(formatTime(now), name).changes > 0;
    });
  }
}

/** The next few ticks of schedules that are not paused, the soonest first. */
export function nextTicks(db: SqliteStore['db']): { schedule: string; at: string }[] {
  return db
    .prepare<[], { schedule: string; at: string }>(
      `SELECT name AS schedule, next_tick AS at FROM schedules
       WHERE next_tick IS NOT NULL AND paused_at IS NULL ORDER BY next_tick LIMIT 3`,
    )
    .all();
}

interface StateRow {
  name: string;
  decidedUntil: string;
  paused: 0 | 1;
}

function prepare({ db }: SqliteStore) {
  const STATE = 'SELECT name, decided_until AS decidedUntil, paused_at IS NOT NULL AS paused FROM schedules';
  return {
    // Another supervisor's stay: it may have another config file. What this process itself kept before a reload may go.
    forget: db.prepare(
      `DELETE FROM schedules WHERE name NOT IN (SELECT value FROM json_each(@names)) AND name NOT IN
         (SELECT kept.value FROM processes p, json_each(iif(json_valid(p.info), p.info, '{}'), '$.schedules') AS kept
          WHERE p.kind = 'supervisor' AND p.stopped_at IS NULL AND p.lost_at IS NULL
            AND NOT (p.pid = @pid AND p.start_time = @startTime))`,
    ),
    // One that ticks otherwise than before begins anew: by the new expression it has missed nothing.
    define: db.prepare(
      `INSERT INTO schedules (name, cron, zone, type, overlap, catch_up, decided_until, next_tick)
       VALUES (@name, @cron, @zone, @type, @overlap, @catchUp, @now, @next)
       ON CONFLICT (name) DO UPDATE SET
         decided_until = iif(cron = @cron AND zone = @zone, decided_until, @now),
         next_tick = iif(cron = @cron AND zone = @zone, coalesce(next_tick, @next), @next),
         cron = @cron, zone = @zone, type = @type, overlap = @overlap, catch_up = @catchUp`,
    ),
    held: db.prepare<[string], { cron: string; zone: string; decidedUntil: string }>(
      `SELECT cron, zone, decided_until AS decidedUntil FROM schedules
       WHERE name = ? AND catch_up = 'skip' AND paused_at IS NOT NULL`,
    ),
    states: db.prepare<[], StateRow>(STATE),
    state: db.prepare<[string], StateRow>(`${STATE} WHERE name = ?`),
    advance: db.prepare('UPDATE schedules SET decided_until = ?, next_tick = ? WHERE name = ?'),
    known: db.prepare<[string, string], { job_id: number | null }>(
      `SELECT job_id FROM ticks WHERE schedule = ? AND tick = ? AND outcome <> 'missed'`,
    ),
    // What was missed while the clock was wrong may be kept after all, once it is right.
    note: db.prepare(
      `INSERT INTO ticks (schedule, tick, outcome, job_id, decided_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET outcome = excluded.outcome, job_id = excluded.job_id, decided_at = excluded.decided_at
       WHERE outcome = 'missed' AND excluded.outcome <> 'missed'`,
    ),
    unfinished: db
      .prepare<[string], number>(
        `SELECT 1 FROM jobs WHERE status IN ('blocked','pending','processing') AND id =
           (SELECT job_id FROM ticks WHERE schedule = ? AND job_id IS NOT NULL ORDER BY tick DESC LIMIT 1)`,
      )
      .pluck(),
    prune: db.prepare(
      `DELETE FROM ticks WHERE schedule = ? AND tick <=
         (SELECT tick FROM ticks WHERE schedule = ? ORDER BY tick DESC LIMIT 1 OFFSET ?)`,
    ),
    list: db.prepare<[], ScheduleRow>(
      `SELECT s.name, s.cron, s.zone, s.type, s.overlap, s.catch_up, s.next_tick, s.paused_at, s.paused_by,
              t.tick AS last_tick, t.outcome AS last_outcome, t.job_id AS last_job
       FROM schedules s LEFT JOIN ticks t
         ON t.schedule = s.name AND t.tick = (SELECT max(tick) FROM ticks WHERE schedule = s.name)
       ORDER BY s.name`,
    ),
    ledger: db.prepare<[string, number], TickRow>(
      'SELECT tick, outcome, job_id, decided_at FROM ticks WHERE schedule = ? ORDER BY tick DESC LIMIT ?',
    ),
    pause: db.prepare(
      'UPDATE schedules SET paused_at = ?, paused_by = ? WHERE name = ? AND paused_at IS NULL',
    ),
    // What the pause has held up is due now, and not late.
    resume: db.prepare(
      'UPDATE schedules SET paused_at = NULL, paused_by = NULL, next_tick = max(next_tick, ?) WHERE name = ? AND paused_at IS NOT NULL',
    ),
  };
}
