/** When a report goes out and to whom: the words, and one pure function that checks a change. */

/** The reports there are. */
export const reportNames = ['daily_movement', 'late_arrivals'] as const;
export type ReportName = (typeof reportNames)[number];

/** Hostels are separate; so is each of their reports. */
export const genders = ['male', 'female'] as const;
export type Gender = (typeof genders)[number];

export const frequencies = ['daily', 'weekly', 'monthly', 'yearly'] as const;
export type Frequency = (typeof frequencies)[number];

/** When a report goes out, in the office's zone. A field that the frequency does not need is null. */
export interface ReportTimes {
  frequency: Frequency;
  /** 1 (Monday) to 7. */
  weekday: number | null;
  /** 1 to 31; the month's last day where it is shorter. */
  day: number | null;
  /** 1 to 12. */
  month: number | null;
  /** `HH:MM`. */
  time: string;
}

/** One setting: a report for the hostels of one gender. Times are UTC text. */
export interface ReportSetting extends ReportTimes {
  id: number;
  report: ReportName;
  gender: Gender;
  enabled: boolean;
  /** Wardens who get it, beside every chief warden of the gender. */
  recipients: { id: number; name: string; email: string }[];
  lastSentAt: string | null;
  /** Null: not worked out yet. */
  nextSendAt: string | null;
}

/** Which fields each frequency needs, beside the time. */
const NEEDS: Readonly<Record<Frequency, readonly ('weekday' | 'day' | 'month')[]>> = {
  daily: [],
  weekly: ['weekday'],
  monthly: ['day'],
  yearly: ['day', 'month'],
};

/** The longest that each month can be. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** The `HH:MM` of a written time of day; whole minutes may have their seconds. Undefined where it is none. */
export function readClock(text: string): string | undefined {
  return /^((?:[01]\d|2[0-3]):[0-5]\d)(?::00)?$/.exec(text)?.[1];
}

/** The addresses in a list that a person typed, with commas, semicolons or spaces between. */
export function readAddresses(text: string): string[] {
  return text.split(/[\s,;]+/).filter((part) => part !== '');
}

/** Applies a change to what is stored; gives the new times, or what is wrong as a sentence. `say` names a field. */
export function changeTimes(
  old: ReportTimes,
  change: Partial<ReportTimes>,
  say: (field: string) => string = (field) => `--${field}`,
): { times: ReportTimes } | { wrong: string } {
  const frequency = change.frequency ?? old.frequency;
  const needs = NEEDS[frequency];
  const times: ReportTimes = {
    frequency,
    weekday: null,
    day: null,
    month: null,
    time: change.time ?? old.time,
  };
  for (const field of ['weekday', 'day', 'month'] as const) {
    const given = change[field] ?? null;
    if (!needs.includes(field)) {
      if (given !== null) return { wrong: `${say(field)} means nothing to a ${frequency} report` };
      continue;
    }
    times[field] = given ?? old[field];
    if (times[field] === null) return { wrong: `a ${frequency} report needs ${say(field)}` };
  }
  const { day, month } = times;
  if (day !== null && month !== null && day > (MONTH_DAYS[month - 1] ?? 31)) {
    return { wrong: `month ${month} never has a day ${day}` };
  }
  return { times };
}

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** @example tellTimes({ frequency: 'weekly', weekday: 1, … }) === 'weekly on Monday at 21:00' */
export function tellTimes({ frequency, weekday, day, month, time }: ReportTimes): string {
  const on =
    frequency === 'weekly'
      ? ` on ${WEEKDAYS[(weekday ?? 1) - 1]}`
      : frequency === 'monthly'
        ? ` on day ${day}`
        : frequency === 'yearly'
          ? ` on ${day} ${MONTHS[(month ?? 1) - 1]}`
          : '';
  return `${frequency}${on} at ${time}`;
}
