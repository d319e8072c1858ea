/** Whether the queue is healthy: judged from a snapshot, by a pure function. */

import { sentence } from '../errors.ts';
import { quoted } from '../escape.ts';
import { counted, formatSize, roughDuration } from './units.ts';

/** The figures. Times and durations are milliseconds. */
export interface HealthSnapshot {
  now: number;
  /** After this long a due job is stale. */
  threshold: number;
  /** Due jobs. */
  pending: number;
  processing: number;
  /** All rows in that state. */
  failed: number;
  stale: number;
  /** When the due job that waits longest became due. */
  oldestDue: number | null;
  /** Ids of jobs whose lease has lapsed or whose timeout has passed. */
  stuck: number[];
  /** Jobs finished in the last hour, or the last 20 if those are more; discards do not count. */
  finished: { total: number; failed: number };
  /** Supervisors that live. */
  supervisors: number;
  /** The last supervisor, where it ended without saying so. */
  lostSupervisor: { pid: number; silentFor: number } | null;
  /** A supervisor that lives and has written nothing for long, and who holds the database locked, if somebody does. */
  silentSupervisor: {
    pid: number;
    silentFor: number;
    lockedBy: { program: string; pid: number } | null;
  } | null;
  /** Types of due jobs that no live process knows. */
  unknownTypes: string[];
  /** Mails that no server has taken for longer than the threshold: how many, and the oldest's first try and last answer. */
  waitingMails: { count: number; since: number; answer: string } | null;
  /** Mails that were refused for good, or given up, in the last hour: how many, and the answer to the latest. */
  failedMails: { count: number; answer: string } | null;
  /** What is not claimed from, and by whose wish; `queue` is null where that is everything. Since: UTC text. */
  paused: { queue: string | null; since: string; by: string }[];
  /** Schedules whose next tick is overdue, and when it was due. */
  lateSchedules: { name: string; due: number }[];
  /** When a backup was due that was not made; null where the last one was, or none is wanted. */
  backupDue: number | null;
  /** Sizes in bytes; null where they cannot be told. */
  disk: { free: number; database: number; wal: number } | null;
}

/** One thing that is wrong, and what to type. */
export interface HealthReason {
  code:
    | 'stale'
    | 'stuck'
    | 'failure-rate'
    | 'supervisor-gone'
    | 'supervisor-silent'
    | 'unknown-type'
    | 'waiting-mails'
    | 'failed-mails'
    | 'late-schedule'
    | 'disk'
    | 'wal'
    | 'backup';
  message: string;
  try: string;
}

/** Above this share of failures, and from this many finished jobs on, the rate counts. */
const WORST_RATE = 0.1;
const LEAST_FINISHED = 5;

/** A supervisor writes every 5 seconds; one that has not for so long does no work. Milliseconds. */
export const SILENT_MS = 60_000;

/** A tick comes within a second; one that is this late is kept by nobody. Milliseconds. */
export const LATE_TICK_MS = 2 * 60_000;

/** A backup that takes longer than this, in milliseconds, was not made. */
export const LONGEST_BACKUP_MS = 2 * 3_600_000;

/** Less free space than this, in bytes, is told; the write-ahead log is small unless a reader holds it up. */
export const LEAST_FREE = 500 * 1024 ** 2;
export const LARGEST_WAL = 256 * 1024 ** 2;

/** What makes the queue stand still is critical; the rest can wait for the morning. */
const CRITICAL: ReadonlySet<HealthReason['code']> = new Set([
  'stale',
  'supervisor-gone',
  'supervisor-silent',
  'disk',
] as const);

/** How bad it is, in the words of monitoring programs. */
export function severity(reasons: readonly HealthReason[]): 'ok' | 'warning' | 'critical' {
  if (reasons.length === 0) return 'ok';
  return reasons.some(({ code }) => CRITICAL.has(code)) ? 'critical' : 'warning';
}

/** What to type on this machine. */
export interface Remedies {
  /** Starts a supervisor, or starts it anew. */
  start: string;
  /** Shows its last lines. */
  log: string;
  /** Shows its last warnings. */
  warnings: string;
  /** Shows what fills the disk. */
  large: string;
}

/** What is wrong; nothing means healthy. Pure. */
export function healthReasons(snapshot: HealthSnapshot, remedies: Remedies): HealthReason[] {
  const { start } = remedies;
  const { threshold, stale, oldestDue, now, stuck, finished } = snapshot;
  const { silentSupervisor } = snapshot;
  const { lostSupervisor, unknownTypes, supervisors, waitingMails, failedMails } = snapshot;
  const { lateSchedules, disk, paused, backupDue } = snapshot;
  const reasons: HealthReason[] = [];
  // After a clean stop nobody promised a tick: what it leaves undone shows in the jobs that become stale.
  const expected = supervisors > 0 || lostSupervisor !== null;
  if (lostSupervisor !== null && lostSupervisor.silentFor >= threshold) {
    reasons.push({
      code: 'supervisor-gone',
      message: `The supervisor (pid ${lostSupervisor.pid}) ended without a clean stop; it last wrote to the database ${roughDuration(lostSupervisor.silentFor)} ago.`,
      try: start,
    });
  }
  if (silentSupervisor !== null) {
    const { pid, silentFor, lockedBy } = silentSupervisor;
    const why =
      lockedBy === null ? '' : ` ${lockedBy.program} (pid ${lockedBy.pid}) holds the database locked.`;
    reasons.push({
      code: 'supervisor-silent',
      message: `The supervisor (pid ${pid}) is alive, but has not written to the database for ${roughDuration(silentFor)}.${why}`,
      try: lockedBy === null ? remedies.log : `ps -fp ${lockedBy.pid}`,
    });
  }
  if (stale > 0) {
    const age = oldestDue === null ? '' : `; the oldest for ${roughDuration(now - oldestDue)}`;
    reasons.push({
      code: 'stale',
      message:
        `${counted(stale, 'job has', 'jobs have')} been due for more than ${roughDuration(threshold)}${age}.` +
        (supervisors === 0 ? ' No supervisor runs.' : '') +
        paused.map((one) => ` ${pauseText(one)}`).join(''),
      try: supervisors === 0 ? start : resumeCommand(paused),
    });
  }
  if (stuck.length > 0) {
    const ids = stuck.slice(0, 5).map((id) => `#${id}`);
    reasons.push({
      code: 'stuck',
      message: `${counted(stuck.length, 'job is', 'jobs are')} stuck in processing: ${ids.join(', ')}${stuck.length > 5 ? ' …' : ''}.`,
      try: `passito explain ${stuck[0]}`,
    });
  }
  if (finished.total >= LEAST_FINISHED && finished.failed / finished.total > WORST_RATE) {
    const percent = Math.round((100 * finished.failed) / finished.total);
    reasons.push({
      code: 'failure-rate',
      message: `${percent} % of the last ${finished.total} finished jobs failed.`,
      try: 'passito jobs list --state failed',
    });
  }
  if (unknownTypes.length > 0) {
    reasons.push({
      code: 'unknown-type',
      message: `Due jobs have a type that no running supervisor knows: ${unknownTypes.slice(0, 5).join(', ')}.`,
      try: `passito jobs list --state pending --type ${quoted(unknownTypes[0] ?? '')}`,
    });
  }
  if (waitingMails !== null) {
    const { since, answer } = waitingMails;
    reasons.push({
      code: 'waiting-mails',
      message: `${counted(waitingMails.count, 'mail waits', 'mails wait')} for another try, the oldest for ${roughDuration(now - since)}. ${sentence(answer)}`,
      try: 'passito mail list --state queued',
    });
  }
  if (failedMails !== null) {
    reasons.push({
      code: 'failed-mails',
      message: `${counted(failedMails.count, 'mail was', 'mails were')} not sent in the last hour and will not be. ${sentence(failedMails.answer)}`,
      try: 'passito mail list --state failed',
    });
  }
  if (expected && lateSchedules.length > 0) {
    const named = lateSchedules
      .slice(0, 3)
      .map(({ name, due }) => `${name} (${roughDuration(now - due)} late)`);
    const more = lateSchedules.length > 3 ? ' …' : '';
    reasons.push({
      code: 'late-schedule',
      message: `${counted(lateSchedules.length, 'schedule has', 'schedules have')} missed a tick: ${named.join(', ')}${more}.`,
      try: supervisors === 0 ? start : 'passito schedule list',
    });
  }
  if (expected && backupDue !== null) {
    reasons.push({
      code: 'backup',
      message: `The nightly backup was due ${roughDuration(now - backupDue)} ago and was not made.`,
      try: remedies.warnings,
    });
  }
  if (disk !== null && disk.free < LEAST_FREE) {
    reasons.push({
      code: 'disk',
      message: `The disk that holds the database has only ${formatSize(disk.free)} left.`,
      try: remedies.large,
    });
  }
  if (disk !== null && disk.wal > LARGEST_WAL) {
    reasons.push({
      code: 'wal',
      message: `The write-ahead log has grown to ${formatSize(disk.wal)}: a program has kept the database open for reading for a long time.`,
      try: 'lslocks | grep passito',
    });
  }
  return reasons;
}

/** A pause as a sentence. */
export function pauseText({ queue, since, by }: HealthSnapshot['paused'][number]): string {
  const what = queue === null ? 'All queues were' : `The queue ${queue} was`;
  return `${what} paused by ${by}${since === '' ? '' : ` at ${since.slice(0, 16)} UTC`}.`;
}

function resumeCommand([first]: HealthSnapshot['paused']): string {
  if (first === undefined) return 'passito status';
  return first.queue === null ? 'passito resume' : `passito resume --queue ${quoted(first.queue)}`;
}

/** Health as a program reads it. */
export function healthAsJson(snapshot: HealthSnapshot, reasons: readonly HealthReason[]) {
  return {
    healthy: reasons.length === 0,
    pending: snapshot.pending,
    processing: snapshot.processing,
    failed: snapshot.failed,
    stale: snapshot.stale,
    stuck: snapshot.stuck.length,
    supervisors: snapshot.supervisors,
    finished: snapshot.finished,
    paused: snapshot.paused,
    threshold_minutes: snapshot.threshold / 60_000,
    reasons: reasons.map(({ code, message, try: next }) => ({ code, message, try: next })),
  };
}
