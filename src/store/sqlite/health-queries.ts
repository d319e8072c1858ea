/** The figures that health is judged by, read in one transaction. Nothing here writes. */

import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import { type Clock, formatTime, parseTime } from '../../engine/clock.ts';
import { readOptions } from '../../engine/stored-options.ts';
import { type HealthSnapshot, LATE_TICK_MS, LONGEST_BACKUP_MS, SILENT_MS } from '../../engine/health.ts';
import { prepareLanes } from './lanes.ts';
import { lockHolder } from './lock-holder.ts';
import { preparePauses } from './pauses.ts';
import { type ProcessRow, publishedTypes, Queries } from './queries.ts';

/** Finished jobs that the failure rate looks back on: those of the last hour, or this many if they are more. */
const LATEST = 20;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export class HealthQueries {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #queries: Queries;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
    this.#queries = new Queries(db, clock);
  }

  /** The figures that health is judged by. `threshold`: milliseconds after which a due job is stale. */
  snapshot(threshold: number, alive: (process: ProcessRow) => boolean): HealthSnapshot {
    return this.#db.transaction((): HealthSnapshot => {
      const now = this.#clock.now();
      const processes = this.#queries.processes();
      const known = new Set(processes.filter(alive).flatMap(({ info }) => typesOf(info)));
      const due = this.#queries.due();
      const staleBefore = formatTime(now - threshold);
      const supervisors = processes.filter((process) => process.kind === 'supervisor' && alive(process));
      const lost = this.#queries.lostSupervisor();
      return {
        now,
        threshold,
        pending: due.reduce((sum, { count }) => sum + count, 0),
        processing: this.#count(
          `SELECT count(*) FROM jobs INDEXED BY jobs_processing WHERE status = 'processing'`,
        ),
        failed: this.#count(`SELECT count(*) FROM jobs INDEXED BY jobs_failed WHERE status = 'failed'`),
        stale: due.some(({ oldest }) => oldest < staleBefore) ? this.#stale(staleBefore) : 0,
        oldestDue: due.reduce<number | null>(
          (oldest, row) => Math.min(oldest ?? Number.POSITIVE_INFINITY, parseTime(row.oldest)),
          null,
        ),
        stuck: this.#stuck(processes, alive, now),
        finished: this.#recent(now),
        supervisors: supervisors.length,
        lostSupervisor:
          supervisors.length > 0 || lost === undefined
            ? null
            : { pid: lost.pid, silentFor: now - parseTime(lost.heartbeatAt) },
        silentSupervisor: this.#silent(supervisors, now),
        unknownTypes:
          known.size === 0
            ? []
            : [...new Set(due.filter(({ type }) => !known.has(type)).map(({ type }) => type))],
        waitingMails: this.#waitingMails(staleBefore),
        failedMails: this.#failedMails(now),
        paused: preparePauses(this.#db).list(),
        lateSchedules: this.#lateSchedules(formatTime(now - LATE_TICK_MS), supervisors),
        backupDue: this.#backupDue(now),
        disk: diskOf(this.#db.name),
      };
    })();
  }

  #silent(supervisors: readonly ProcessRow[], now: number): HealthSnapshot['silentSupervisor'] {
    const [first] = supervisors
      .map(({ pid, heartbeat_at: at }) => ({ pid, silentFor: now - parseTime(at) }))
      .filter(({ silentFor }) => silentFor > SILENT_MS)
      .toSorted((a, b) => b.silentFor - a.silentFor);
    if (first === undefined) return null;
    const holder = lockHolder(this.#db.name);
    return { ...first, lockedBy: holder === undefined || holder.pid === first.pid ? null : holder };
  }

  #stale(before: string): number {
    const count = this.#db
      .prepare<[number, string, string, string], number>(
        `SELECT count(*) FROM jobs INDEXED BY jobs_due
         WHERE status = 'pending' AND priority = ? AND queue = ? AND type = ? AND available_at < ?`,
      )
      .pluck();
    return prepareLanes(this.#db)(() => true).reduce(
      (sum, { priority, queue, type }) => sum + (count.get(priority, queue, type, before) ?? 0),
      0,
    );
  }

  /** Processing without a live holder, or past its own timeout (with half a minute for its end to be written). */
  #stuck(processes: ProcessRow[], alive: (process: ProcessRow) => boolean, now: number): number[] {
    const holders = new Map(processes.filter(alive).map(({ id, info }) => [id, timeoutsOf(info)]));
    return this.#queries
      .running()
      .filter(({ claimed_by: holder, started_at: startedAt, type, options }) => {
        const timeouts = holder === null ? undefined : holders.get(holder);
        if (timeouts === undefined) return true;
        const timeout = readOptions(options).timeout ?? timeouts.get(type) ?? 0;
        return timeout > 0 && startedAt !== null && now - parseTime(startedAt) > timeout + 30_000;
      })
      .map(({ id }) => id);
  }

  /** By the ledger of its schedule, and the note that a backup leaves behind. */
  #backupDue(now: number): number | null {
    const due = this.#db
      .prepare<[string], string | null>(
        `SELECT max(t.tick) FROM ticks t JOIN schedules s ON s.name = t.schedule
         WHERE t.schedule = 'backup' AND t.outcome = 'run' AND t.tick < ?`,
      )
      .pluck()
      .get(formatTime(now - LONGEST_BACKUP_MS));
    const made = this.#db
      .prepare<[], string | null>(
        `SELECT json_extract(value, '$.at') FROM settings WHERE key = 'last_backup'`,
      )
      .pluck()
      .get();
    if (typeof due !== 'string') return null;
    return typeof made === 'string' && made >= due ? null : parseTime(due);
  }

  /** One that no living supervisor keeps is nobody's: who kept it has stopped, or has another config file now. */
  #lateSchedules(before: string, supervisors: readonly ProcessRow[]): HealthSnapshot['lateSchedules'] {
    const kept = supervisors.map(({ info }) => schedulesOf(info));
    const all = kept.some((names) => names === undefined) || kept.length === 0;
    const isKept = (name: string) => all || kept.some((names) => names?.includes(name) === true);
    return this.#db
      .prepare<[string], { name: string; due: string }>(
        'SELECT name, next_tick AS due FROM schedules WHERE paused_at IS NULL AND next_tick < ? ORDER BY next_tick',
      )
      .all(before)
      .filter(({ name }) => isKept(name))
      .map(({ name, due }) => ({ name, due: parseTime(due) }));
  }

  /** The second condition is that of the index; beside min(), SQLite takes the other columns from its row. */
  #waitingMails(before: string): HealthSnapshot['waitingMails'] {
    const row = this.#db
      .prepare<[string], { count: number; since: string | null; answer: string | null }>(
        `SELECT count(*) AS count, min(m.created_at) AS since, m.response AS answer
         FROM mails m INDEXED BY mails_open JOIN jobs j ON j.id = m.job_id AND j.status = 'pending'
         WHERE m.state = 'queued' AND m.state <> 'sent' AND m.created_at < ?`,
      )
      .get(before);
    if (row === undefined || row.since === null) return null;
    return { count: row.count, since: parseTime(row.since), answer: row.answer ?? '' };
  }

  /** Of what was tried first within the longest that a mail waits: the index has no other time. */
  #failedMails(now: number): HealthSnapshot['failedMails'] {
    const row = this.#db
      .prepare<[string, string], { count: number; latest: string | null; answer: string | null }>(
        `SELECT count(*) AS count, max(updated_at) AS latest, response AS answer FROM mails INDEXED BY mails_open
         WHERE state = 'failed' AND state <> 'sent' AND created_at > ? AND updated_at > ?`,
      )
      .get(formatTime(now - 2 * DAY_MS), formatTime(now - HOUR_MS));
    if (row === undefined || row.latest === null) return null;
    return { count: row.count, answer: row.answer ?? '' };
  }

  #recent(now: number): HealthSnapshot['finished'] {
    const count = (rows: { status: string; discarded: number }[]) => {
      const counted = rows.filter(
        ({ status, discarded }) => status === 'completed' || (status === 'failed' && discarded === 0),
      );
      return { total: counted.length, failed: counted.filter(({ status }) => status === 'failed').length };
    };
    const since = formatTime(now - HOUR_MS);
    const lastHour = this.#queries.finishedSince(since);
    const discarded = this.#count(
      `SELECT count(*) FROM jobs INDEXED BY jobs_failed WHERE status = 'failed' AND finished_at >= '${since}' AND discarded = 1`,
    );
    const hour = {
      total: lastHour.completed + lastHour.failed - discarded,
      failed: lastHour.failed - discarded,
    };
    if (hour.total >= LATEST) return hour;
    return count(
      this.#db
        .prepare<[number], { status: string; discarded: number }>(
          `SELECT status, discarded FROM jobs WHERE finished_at IS NOT NULL AND status IN ('completed','failed') AND discarded = 0
           ORDER BY finished_at DESC LIMIT ?`,
        )
        .all(LATEST),
    );
  }

  #count(sql: string): number {
    return this.#db.prepare<[], number>(sql).pluck().get() ?? 0;
  }
}

/** The schedules that a supervisor keeps; undefined where it does not say so. */
function schedulesOf(info: string): string[] | undefined {
  try {
    return (JSON.parse(info) as { schedules?: string[] }).schedules;
  } catch {
    return undefined;
  }
}

function typesOf(info: string): string[] {
  return publishedTypes(info).map(({ type }) => type);
}

function timeoutsOf(info: string): Map<string, number> {
  return new Map(publishedTypes(info).map(({ type, timeout }) => [type, timeout]));
}

/** Only looked up, never opened: closing a descriptor of the file would drop SQLite's locks on it. */
function diskOf(file: string): HealthSnapshot['disk'] {
  const size = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return { free: bavail * bsize, database: size(file), wal: size(`${file}-wal`) };
  } catch {
    return null;
  }
}
