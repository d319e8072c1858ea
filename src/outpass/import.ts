/** Turns the records of an import file into rows of the office, and names every record that cannot be one. */

import {
  hostelColumns,
  movementColumns,
  outpassColumns,
  reportColumns,
  studentColumns,
  userColumns,
} from './import/columns.ts';
import type { Cells } from './import/problems.ts';
import { type ImportRows, type ImportTable, rowsOf } from './import/rows.ts';
import { isFuture } from './movements.ts';
import type { PassStatus } from './office.ts';
import { type Gender, readAddresses, type ReportName, type ReportTimes } from './report-settings.ts';

export { HEAD, ImportError, tellProblems } from './import/problems.ts';
export type { Cells, RowProblem } from './import/problems.ts';
export { PROBLEM_COLUMN } from './import/rows.ts';
export type { ImportRows, ImportTable } from './import/rows.ts';

/** A value that a file may leave alone. Undefined: it has no such column, and what is stored stays. Null: empty it. */
type Kept<T> = T | null | undefined;

/** A hostel to write. */
export interface HostelRow {
  place: string;
  name: string;
  type: Kept<string>;
  category: Kept<string>;
}

/** A user to write. */
export interface UserRow {
  place: string;
  name: string;
  email: string;
  role: string;
  gender: Kept<string>;
  phone: Kept<string>;
  /** By its name. */
  hostel: Kept<string>;
  /** 1 or 0. */
  active: Kept<number>;
}

/** A student to write. */
export interface StudentRow {
  place: string;
  name: string;
  email: string;
  rollNumber: string;
  year: Kept<number>;
  programme: Kept<string>;
  /** By its name. */
  hostel: Kept<string>;
  room: Kept<string>;
  parentPhone: Kept<string>;
  parentEmail: Kept<string>;
  gender: Kept<string>;
  academicYear: Kept<string>;
  phone: Kept<string>;
  /** 1 or 0. */
  active: Kept<number>;
}

/** An outpass to write; times are UTC text. Without a status a new pass is pending and an existing one keeps its own. */
export interface OutpassRow {
  place: string;
  reference: string | null;
  rollNumber: string;
  kind: string;
  purpose: string;
  destination: string;
  leavesAt: string;
  returnsAt: string;
  status: PassStatus | null;
}

/** A student's way through the gate; times are UTC text. */
export interface MovementRow {
  place: string;
  reference: string;
  outAt: string;
  /** Null: not back, or nothing is said of it. */
  inAt: string | null;
  recordedBy: string;
}

/** A change of a report's settings. What is absent stays. */
export interface ReportRow {
  place: string;
  report: ReportName;
  gender: Gender;
  enabled: boolean | undefined;
  times: Partial<ReportTimes>;
  /** E-mail addresses; empty: nobody beside the chief wardens. */
  recipients: string[] | undefined;
}

/** Reads hostels. */
export function hostelRows(table: ImportTable): ImportRows<HostelRow> {
  return rowsOf(table, hostelColumns, 'name', 'UTC', (place, cells) => ({
    place,
    name: needed(cells, 'name'),
    type: text(cells, 'type'),
    category: text(cells, 'category'),
  }));
}

/** Reads users. */
export function userRows(table: ImportTable): ImportRows<UserRow> {
  return rowsOf(table, userColumns, 'email', 'UTC', (place, cells) => ({
    place,
    name: needed(cells, 'name'),
    email: needed(cells, 'email'),
    role: needed(cells, 'role'),
    gender: text(cells, 'gender'),
    phone: text(cells, 'phone'),
    hostel: text(cells, 'hostel'),
    active: whole(cells, 'active'),
  }));
}

/** Reads students. */
export function studentRows(table: ImportTable): ImportRows<StudentRow> {
  return rowsOf(table, studentColumns, 'roll_number', 'UTC', (place, cells) => ({
    place,
    name: needed(cells, 'name'),
    email: needed(cells, 'email'),
    rollNumber: needed(cells, 'roll_number'),
    year: whole(cells, 'year'),
    programme: text(cells, 'programme'),
    hostel: text(cells, 'hostel'),
    room: text(cells, 'room'),
    parentPhone: text(cells, 'parent_phone'),
    parentEmail: text(cells, 'parent_email'),
    gender: text(cells, 'gender'),
    academicYear: text(cells, 'academic_year'),
    phone: text(cells, 'phone'),
    active: whole(cells, 'active'),
  }));
}

/** Reads outpasses; times without an offset are those of the zone. */
export function outpassRows(table: ImportTable, zone: string): ImportRows<OutpassRow> {
  const build = (place: string, cells: Cells): OutpassRow => ({
    place,
    reference: text(cells, 'reference') ?? null,
    rollNumber: needed(cells, 'roll_number'),
    kind: needed(cells, 'kind'),
    purpose: needed(cells, 'purpose'),
    destination: needed(cells, 'destination'),
    leavesAt: needed(cells, 'leaves_at'),
    returnsAt: needed(cells, 'returns_at'),
    status: (cells['status'] ?? null) as PassStatus | null,
  });
  return rowsOf(table, outpassColumns, 'reference', zone, build, (cells) => {
    const leavesAt = text(cells, 'leaves_at');
    const returnsAt = text(cells, 'returns_at');
    const known = typeof leavesAt === 'string' && typeof returnsAt === 'string';
    return known && leavesAt >= returnsAt ? ['returns_at is not after leaves_at'] : [];
  });
}

/** Reads movements; `now` is the present, in milliseconds, after which nothing can have happened. */
export function movementRows(table: ImportTable, zone: string, now: number): ImportRows<MovementRow> {
  const build = (place: string, cells: Cells): MovementRow => ({
    place,
    reference: needed(cells, 'reference'),
    outAt: needed(cells, 'out_at'),
    inAt: text(cells, 'in_at') ?? null,
    recordedBy: needed(cells, 'recorded_by'),
  });
  return rowsOf(table, movementColumns, 'reference', zone, build, (cells) => {
    const outAt = text(cells, 'out_at') ?? null;
    const inAt = text(cells, 'in_at') ?? null;
    const wrong: string[] = [];
    if (outAt !== null && isFuture(outAt, now)) wrong.push('out_at lies in the future');
    if (inAt !== null && isFuture(inAt, now)) wrong.push('in_at lies in the future');
    if (inAt !== null && outAt !== null && inAt < outAt) wrong.push('in_at is before out_at');
    return wrong;
  });
}

/** Reads report settings. */
export function reportRows(table: ImportTable): ImportRows<ReportRow> {
  return rowsOf(table, reportColumns, ['report', 'gender'], 'UTC', (place, cells) => {
    const { report, gender, enabled, recipients } = cells;
    return {
      place,
      report: report as ReportName,
      gender: gender as Gender,
      // A switch has no third position: an empty cell leaves it alone, and so does one of the times.
      enabled: enabled === undefined || enabled === null ? undefined : enabled === 1,
      times: givenTimes(cells),
      recipients: recipients === undefined ? undefined : readAddresses(String(recipients ?? '')),
    };
  });
}

const TIMES = ['frequency', 'weekday', 'day', 'month', 'time'] as const;

/** The times of a report's row, as far as they are given. */
export function givenTimes(cells: Cells): Partial<ReportTimes> {
  const given = Object.entries(cells).filter(
    ([name, value]) => TIMES.some((time) => time === name) && value !== null && value !== undefined,
  );
  return Object.fromEntries(given);
}

/** Whether a time of a report's row could not be read: then it cannot be judged what the others lack. */
export function hasBadTime(cells: Cells): boolean {
  return TIMES.some((name) => name in cells && cells[name] === undefined);
}

/** A required value, which the checks have made sure of. */
function needed(cells: Cells, name: string): string {
  return String(cells[name]);
}

function text(cells: Cells, name: string): Kept<string> {
  return cells[name] as Kept<string>;
}

function whole(cells: Cells, name: string): Kept<number> {
  return cells[name] as Kept<number>;
}
