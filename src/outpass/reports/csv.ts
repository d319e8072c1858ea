/** The two reports as CSV: one line a movement, times in the office's zone, for a warden's spreadsheet. */

import { parseTime } from '../../engine/clock.ts';
import type { Gender } from '../report-settings.ts';
import { wallClock } from './calendar.ts';

/** Someone's way through the gate. Times are UTC text. */
export interface Movement {
  readonly name: string;
  readonly rollNumber: string;
  readonly email: string;
  readonly outAt: string;
  /** Null while the student is out. */
  readonly inAt: string | null;
}

/** Someone who came back after the pass's end and its grace. Times are UTC text. */
export interface LateArrival extends Movement {
  readonly inAt: string;
  /** By which the grace goes. */
  readonly gender: Gender | null;
  /** The pass's window. */
  readonly leavesAt: string;
  readonly returnsAt: string;
}

/** The first line of each report. */
export const reportColumns = {
  daily_movement: ['Name', 'Roll No', 'Email', 'Date', 'Time', 'Action'],
  late_arrivals: [
    'Student Name',
    'Roll No',
    'Email',
    'From Duration',
    'To Duration',
    'Check-In',
    'Check-Out',
    'Late Duration',
  ],
} as const;

/** Which report. */
export type ReportKey = keyof typeof reportColumns;

/** Who went out and is not back, and who came back, each at that time; sorted by it. */
export function dailyMovementCsv(movements: readonly Movement[], zone: string): string {
  const lines = sorted(movements).map((movement) => {
    const { date, time } = tell(lastMove(movement), zone);
    const action = movement.inAt === null ? 'CHECKED_OUT' : 'CHECKED_IN';
    return [movement.name, movement.rollNumber, movement.email, date, time, action];
  });
  return csv([reportColumns.daily_movement, ...lines]);
}

/** Who came back late, and by how much after the pass's end (its grace counts as late); sorted by the return. */
export function lateArrivalsCsv(arrivals: readonly LateArrival[], zone: string): string {
  const told = (utcText: string) => {
    const { date, time } = tell(utcText, zone);
    return `${date} ${time}`;
  };
  const lines = sorted(arrivals).map((late) => [
    late.name,
    late.rollNumber,
    late.email,
    told(late.leavesAt),
    told(late.returnsAt),
    told(late.inAt),
    told(late.outAt),
    tellLateness(parseTime(late.inAt) - parseTime(late.returnsAt)),
  ]);
  return csv([reportColumns.late_arrivals, ...lines]);
}

function lastMove(movement: Movement): string {
  return movement.inAt ?? movement.outAt;
}

/** By time, then roll number: the same rows always make the same file. */
function sorted<Row extends Movement>(rows: readonly Row[]): Row[] {
  const timeOf = (row: Row) => parseTime(lastMove(row));
  return rows.toSorted((a, b) => timeOf(a) - timeOf(b) || compare(a.rollNumber, b.rollNumber));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** @example tell('2026-11-20 12:30:05.000', 'Asia/Kolkata') is 20-11-2026 and 06:00:05 PM */
function tell(utcText: string, zone: string): { date: string; time: string } {
  const wall = wallClock(parseTime(utcText), zone);
  const two = (value: number) => String(value).padStart(2, '0');
  const hour = wall.getUTCHours();
  const date = `${two(wall.getUTCDate())}-${two(wall.getUTCMonth() + 1)}-${wall.getUTCFullYear()}`;
  const clock = [hour % 12 === 0 ? 12 : hour % 12, wall.getUTCMinutes(), wall.getUTCSeconds()];
  return { date, time: `${clock.map(two).join(':')} ${hour < 12 ? 'AM' : 'PM'}` };
}

/** Whole minutes, or seconds below one. @example tellLateness(95 * 60_000) === '1h 35m' */
function tellLateness(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds}s`;
  const parts = { d: Math.floor(minutes / 1440), h: Math.floor(minutes / 60) % 24, m: minutes % 60 };
  return Object.entries(parts)
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => `${count}${unit}`)
    .join(' ');
}

/** Without it a spreadsheet takes the file for its own old encoding, and names with ü or த are spoiled. */
const UTF8_MARK = '\uFEFF';

/** RFC 4180: commas, CRLF after every line, quotes where a value needs them. */
function csv(lines: readonly (readonly string[])[]): string {
  return UTF8_MARK + lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('');
}

/** What a spreadsheet might take for a formula: `=`, `+`, `-`, `@`, also in full width or after white space. */
const FORMULA = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/;

/** A number with a sign, as phone numbers are written; digits, single spaces and points compute nothing. */
const SIGNED_NUMBER = /^[+-]\d+(?:[ .]\d+)*$/;

/**
 * One value. What might be a formula gets an apostrophe in front, which makes a spreadsheet take it for text.
 * `+91 98765 43210` stays as it is, since it can do no harm; `+91-98765-43210` gets the apostrophe, since a
 * spreadsheet would subtract.
 */
function cell(value: string): string {
  const harmless = FORMULA.test(value) && !SIGNED_NUMBER.test(value) ? `'${value}` : value;
  return /[",\r\n]|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
