/** How often a report is sent, and at what time of day: the setting's words, checked. */

/** How often. */
const reportFrequencies = ['daily', 'weekly', 'monthly', 'yearly'] as const;
type ReportFrequency = (typeof reportFrequencies)[number];

/**
 * When a report is sent, by the wall clock of the office's zone. A day that a month does not have is its last day:
 * the 31st is 30 April, 29 February is the 28th in a common year.
 */
export type ReportSchedule = { readonly hour: number; readonly minute: number } & (
  | { readonly frequency: 'daily' }
  /** 1 is Monday, 7 is Sunday. */
  | { readonly frequency: 'weekly'; readonly dayOfWeek: number }
  | { readonly frequency: 'monthly'; readonly dayOfMonth: number }
  /** The month counts from 1. */
  | { readonly frequency: 'yearly'; readonly month: number; readonly dayOfMonth: number }
);

/** A setting as it is stored or typed. What its frequency has no use for is not looked at. */
export interface ScheduleFields {
  readonly frequency: string;
  /** `HH:MM`, 24 hours; `HH:MM:00` is read too. */
  readonly time: string;
  readonly dayOfWeek: number | null;
  readonly dayOfMonth: number | null;
  readonly month: number | null;
}

/** A schedule, or which field is wrong and what it may hold: the field, then the end of a sentence. */
export type ScheduleVerdict =
  | { readonly schedule: ReportSchedule }
  | { readonly field: keyof ScheduleFields; readonly wrong: string };

const TIME = /^([01]\d|2[0-3]):([0-5]\d)(?::00)?$/;

/** Checks a setting's fields. */
export function readSchedule(fields: ScheduleFields): ScheduleVerdict {
  const { frequency, dayOfWeek, dayOfMonth, month } = fields;
  if (!isFrequency(frequency)) {
    return { field: 'frequency', wrong: `must be one of ${reportFrequencies.join(', ')}` };
  }
  const time = TIME.exec(fields.time);
  if (time === null) return { field: 'time', wrong: 'must be a time of day from 00:00 to 23:59' };
  const clock = { hour: Number(time[1]), minute: Number(time[2]) };
  if (frequency === 'daily') return { schedule: { ...clock, frequency } };
  if (frequency === 'weekly') {
    if (!isFrom1To(7, dayOfWeek)) return { field: 'dayOfWeek', wrong: 'must be 1 (Monday) to 7 (Sunday)' };
    return { schedule: { ...clock, frequency, dayOfWeek } };
  }
  if (!isFrom1To(31, dayOfMonth)) return { field: 'dayOfMonth', wrong: 'must be 1 to 31' };
  if (frequency === 'monthly') return { schedule: { ...clock, frequency, dayOfMonth } };
  if (!isFrom1To(12, month)) return { field: 'month', wrong: 'must be 1 to 12' };
  return { schedule: { ...clock, frequency, month, dayOfMonth } };
}

function isFrequency(text: string): text is ReportFrequency {
  return reportFrequencies.some((known) => known === text);
}

function isFrom1To(most: number, value: number | null): value is number {
  return Number.isInteger(value) && value !== null && value >= 1 && value <= most;
}
