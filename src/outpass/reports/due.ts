/** When a report is due. Instants are milliseconds since 1970; each names its run, and no two runs share one. */

import { dayOf, instantAt, wallClock } from './calendar.ts';
import type { CalendarDay } from './calendar.ts';
import type { ReportSchedule } from './schedule.ts';

/** What is to be done about one enabled setting now. */
export type DueDecision =
  /** It had no next send (it is new, was changed or was off), or none that counts: note this one, send nothing. */
  | { readonly state: 'initialized'; readonly nextSendAt: number }
  /** Nothing to do, nothing to note. */
  | { readonly state: 'waiting'; readonly nextSendAt: number }
  /** Send the run of `scheduledFor`, and note the next send in the same transaction. */
  | { readonly state: 'due'; readonly scheduledFor: number; readonly nextSendAt: number };

/**
 * Decides from the next send that was noted (null where there is none), which moves on past `now`: so a run is decided
 * once, however often one looks, and of all runs that were missed while nobody looked the latest is sent and no other.
 * A next send beyond the second one from now was noted by a clock that ran ahead: waiting for it would switch the report
 * off for years. It is worked out anew, and the run that was sent last is not sent again should the clock of now be the wrong one.
 * Whoever changes, enables or disables a setting, or the zone, sets its next send to null.
 */
export function decideDue(
  schedule: ReportSchedule,
  zone: string,
  nextSendAt: number | null,
  now: number,
  lastSentAt: number | null = null,
): DueDecision {
  const next = nextDue(schedule, zone, now);
  const anew = { state: 'initialized', nextSendAt: next } as const;
  if (nextSendAt === null) return anew;
  if (nextSendAt > nextDue(schedule, zone, next)) return anew;
  if (nextSendAt > now) return { state: 'waiting', nextSendAt };
  // A next send that the schedule does not know (new rules for the zone, an admin's hand) counts as it stands.
  const scheduledFor = Math.max(nextSendAt, latestDue(schedule, zone, now));
  return scheduledFor === lastSentAt ? anew : { state: 'due', scheduledFor, nextSendAt: next };
}

/** A key for the run's job. @example reportRunKey(3, 0) === 'report 3 for 1970-01-01T00:00:00.000Z' */
export function reportRunKey(settingId: number, scheduledFor: number): string {
  return `report ${settingId} for ${new Date(scheduledFor).toISOString()}`;
}

/** The first due instant after an instant. */
export function nextDue(schedule: ReportSchedule, zone: string, after: number): number {
  for (let period = periodAt(schedule, zone, after); ; period += 1) {
    const instant = dueIn(schedule, zone, period);
    if (instant > after) return instant;
  }
}

/** The last due instant up to and with an instant. */
export function latestDue(schedule: ReportSchedule, zone: string, at: number): number {
  // From one period later: a clock that is set back at midnight shows a day's end again after the next has begun.
  for (let period = periodAt(schedule, zone, at) + 1; ; period -= 1) {
    const instant = dueIn(schedule, zone, period);
    if (instant <= at) return instant;
  }
}

const DAY = 86_400_000;

/** 1 January 1970 was a Thursday: the Monday of its week lies this many days before it. */
const MONDAY_BEFORE_1970 = 3;

/** Which day, week, month or year the wall clock shows, counted without gaps. */
function periodAt(schedule: ReportSchedule, zone: string, instant: number): number {
  const wall = wallClock(instant, zone);
  const days = Math.floor(wall.getTime() / DAY);
  const { year, month } = dayOf(wall);
  switch (schedule.frequency) {
    case 'daily':
      return days;
    case 'weekly':
      return Math.floor((days + MONDAY_BEFORE_1970) / 7);
    case 'monthly':
      return year * 12 + month - 1;
    case 'yearly':
      return year;
  }
}

/** The due instant of a period: each has one, later periods have later ones or, inside a gap, the same. */
function dueIn(schedule: ReportSchedule, zone: string, period: number): number {
  return instantAt(dayIn(schedule, period), schedule.hour, schedule.minute, zone);
}

function dayIn(schedule: ReportSchedule, period: number): CalendarDay {
  switch (schedule.frequency) {
    case 'daily':
      return dayOf(new Date(period * DAY));
    case 'weekly':
      return dayOf(new Date((period * 7 - MONDAY_BEFORE_1970 + schedule.dayOfWeek - 1) * DAY));
    case 'monthly':
      return clamped(Math.floor(period / 12), (period % 12) + 1, schedule.dayOfMonth);
    case 'yearly':
      return clamped(period, schedule.month, schedule.dayOfMonth);
  }
}

/** The day of a month, or the month's last where it has no such day. */
function clamped(year: number, month: number, day: number): CalendarDay {
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return { year, month, day: Math.min(day, last) };
}
