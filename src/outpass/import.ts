/** Turns the records of an import file into students and outpasses, and names every row that cannot be one. */

import { checkCell } from './import/cells.ts';
import { outpassColumns, studentColumns } from './import/columns.ts';
import type { Column } from './import/columns.ts';
import { nearest } from '../nearest.ts';
import type { RowProblem } from './import/problems.ts';
import type { PassStatus } from './office.ts';

export { ImportError, tellProblems } from './import/problems.ts';
export type { RowProblem } from './import/problems.ts';

/** What an import file was read into. */
export interface ImportTable {
  columns: readonly string[];
  records: readonly { place: string; values: Record<string, unknown>; fault?: string }[];
}

/** A student to write. Undefined: the file has no such column, and an existing value stays. Null: make it empty. */
export interface StudentRow {
  place: string;
  name: string;
  email: string;
  rollNumber: string;
  year: number | null | undefined;
  programme: string | null | undefined;
  hostel: string | null | undefined;
  room: string | null | undefined;
  parentPhone: string | null | undefined;
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

/** The rows that are sound, and what is wrong with the others. */
export interface ImportRows<Row> {
  rows: Row[];
  problems: RowProblem[];
}

type Cells = Record<string, string | number | null | undefined>;

/** Reads students. */
export function studentRows(table: ImportTable): ImportRows<StudentRow> {
  return rowsOf(table, studentColumns, 'roll_number', 'UTC', (place, cells) => ({
    place,
    name: textOf(cells, 'name'),
    email: textOf(cells, 'email'),
    rollNumber: textOf(cells, 'roll_number'),
    year: cells['year'] as number | null | undefined,
    programme: cells['programme'] as string | null | undefined,
    hostel: cells['hostel'] as string | null | undefined,
    room: cells['room'] as string | null | undefined,
    parentPhone: cells['parent_phone'] as string | null | undefined,
  }));
}

/** Reads outpasses; times without an offset are those of the zone. */
export function outpassRows(table: ImportTable, zone: string): ImportRows<OutpassRow> {
  return rowsOf(table, outpassColumns, 'reference', zone, (place, cells) => {
    const leavesAt = textOf(cells, 'leaves_at');
    const returnsAt = textOf(cells, 'returns_at');
    if (leavesAt >= returnsAt) return 'returns_at is not after leaves_at';
    return {
      place,
      reference: (cells['reference'] ?? null) as string | null,
      rollNumber: textOf(cells, 'roll_number'),
      kind: textOf(cells, 'kind'),
      purpose: textOf(cells, 'purpose'),
      destination: textOf(cells, 'destination'),
      leavesAt,
      returnsAt,
      status: (cells['status'] ?? null) as PassStatus | null,
    };
  });
}

/** The common part: columns, cells, and keys that stand twice. `build` gives a row, or what is wrong with it whole. */
function rowsOf<Row>(
  table: ImportTable,
  columns: Readonly<Record<string, Column>>,
  key: string,
  zone: string,
  build: (place: string, cells: Cells) => Row | string,
): ImportRows<Row> {
  const headProblems = checkHead(table, columns);
  if (headProblems.length > 0) return { rows: [], problems: headProblems };
  const rows: Row[] = [];
  const problems: RowProblem[] = [];
  const seen = new Map<string, string>();
  for (const { place, values, fault } of table.records) {
    if (fault !== undefined) {
      problems.push({ place, reason: fault });
      continue;
    }
    const { cells, wrong } = checkCells(values, columns, zone);
    const name = cells[key];
    if (typeof name === 'string') {
      const first = seen.get(name.toLowerCase());
      if (first !== undefined) wrong.push(`${key} '${name}' already stands in ${first}`);
      else seen.set(name.toLowerCase(), place);
    }
    const built = wrong.length === 0 ? build(place, cells) : wrong.join('; ');
    if (typeof built === 'string') problems.push({ place, reason: built });
    else rows.push(built);
  }
  return { rows, problems };
}

function checkHead(table: ImportTable, columns: Readonly<Record<string, Column>>): RowProblem[] {
  const names = Object.keys(columns);
  const problems: RowProblem[] = [];
  for (const given of table.columns) {
    if (names.includes(given)) continue;
    const meant = nearest(given, names);
    const hint = meant === undefined ? `the columns are ${names.join(', ')}` : `did you mean ${meant}?`;
    problems.push({ place: 'columns', reason: `there is no column '${given}' (${hint})` });
  }
  const missing = names.filter((name) => columns[name]?.required === true && !table.columns.includes(name));
  if (missing.length > 0 && table.records.length > 0) {
    problems.push({
      place: 'columns',
      reason: `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    });
  }
  return problems;
}

function checkCells(
  values: Record<string, unknown>,
  columns: Readonly<Record<string, Column>>,
  zone: string,
): { cells: Cells; wrong: string[] } {
  const cells: Cells = {};
  const wrong: string[] = [];
  for (const [name, column] of Object.entries(columns)) {
    // An absent column is no empty one: what is stored stays. Objects of a JSON file may each have their own.
    if (!(name in values) && !column.required) continue;
    const verdict = checkCell(values[name], column, zone);
    if ('wrong' in verdict) wrong.push(`${name} ${verdict.wrong}`);
    else if (verdict.value === null && column.required) wrong.push(`${name} is empty`);
    else cells[name] = verdict.value;
  }
  return { cells, wrong };
}

/** A required value, which the checks have made sure of. */
function textOf(cells: Cells, name: string): string {
  return String(cells[name]);
}
