/** Whether the queue is healthy: judged from a snapshot, by a pure function. */

import { sentence } from '../errors.ts';
import { roughDuration } from './units.ts';

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
  /** Types of due jobs that no live process knows. */
  unknownTypes: string[];
  /** Mails that no server has taken for longer than the threshold: how many, and the oldest's first try and last answer. */
  waitingMails: { count: number; since: number; answer: string } | null;
}

/** One thing that is wrong, and what to type. */
export interface HealthReason {
  code: 'stale' | 'stuck' | 'failure-rate' | 'supervisor-gone' | 'unknown-type' | 'waiting-mails';
  message: string;
  try: string;
}

/** Above this share of failures, and from this many finished jobs on, the rate counts. */
const WORST_RATE = 0.1;
const LEAST_FINISHED = 5;

/** What is wrong; nothing means healthy. Pure. */
export function healthReasons(snapshot: HealthSnapshot): HealthReason[] {
  const { threshold, stale, oldestDue, now, stuck, finished } = snapshot;
  const { lostSupervisor, unknownTypes, supervisors, waitingMails } = snapshot;
  const reasons: HealthReason[] = [];
  if (lostSupervisor !== null && lostSupervisor.silentFor >= threshold) {
    reasons.push({
      code: 'supervisor-gone',
      message: `The supervisor (pid ${lostSupervisor.pid}) ended without saying so; its last sign of life is ${roughDuration(lostSupervisor.silentFor)} old.`,
      try: 'passito supervisor',
    });
  }
  if (stale > 0) {
    const age = oldestDue === null ? '' : `; the oldest for ${roughDuration(now - oldestDue)}`;
    reasons.push({
      code: 'stale',
      message:
        `${count(stale, 'job has', 'jobs have')} been due for more than ${roughDuration(threshold)}${age}.` +
        (supervisors === 0 ? ' No supervisor runs.' : ''),
      try: supervisors === 0 ? 'passito supervisor' : 'passito status',
    });
  }
  if (stuck.length > 0) {
    const ids = stuck.slice(0, 5).map((id) => `#${id}`);
    reasons.push({
      code: 'stuck',
      message: `${count(stuck.length, 'job is', 'jobs are')} stuck in processing: ${ids.join(', ')}${stuck.length > 5 ? ' …' : ''}.`,
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
      try: `passito jobs list --state pending --type ${unknownTypes[0]}`,
    });
  }
  if (waitingMails !== null) {
    const { since, answer } = waitingMails;
    reasons.push({
      code: 'waiting-mails',
      message: `${count(waitingMails.count, 'mail waits', 'mails wait')} for another try, the oldest for ${roughDuration(now - since)}. ${sentence(answer)}`,
      try: 'passito mail list --state queued',
    });
  }
  return reasons;
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
