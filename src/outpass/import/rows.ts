/** The way from a table to rows that is common to all import files: columns, cells, keys that stand twice. */

import { nearest } from '../../nearest.ts';
import { checkCell } from './cells.ts';
import type { Column } from './columns.ts';
import { type Cells, HEAD, type RowProblem } from './problems.ts';

/** What an import file was read into. */
export interface ImportTable {
  columns: readonly string[];
  records: readonly { place: string; values: Record<string, unknown>; fault?: string }[];
}

/** The rows that are sound, and what is wrong with the others. */
export interface ImportRows<Row> {
  rows: Row[];
  problems: RowProblem[];
}

/** Holds what was wrong, in the file of rejected rows; a mended file may keep it. */
export const PROBLEM_COLUMN = 'problem';

/**
 * Checks a table. `key` has the columns that name a record; `faults` says what is wrong between the values that could be
 * read, beside those that could not.
 */
export function rowsOf<Row>(
  table: ImportTable,
  columns: Readonly<Record<string, Column>>,
  key: string | readonly string[],
  zone: string,
  build: (place: string, cells: Cells) => Row,
  faults: (cells: Cells) => readonly string[] = () => [],
): ImportRows<Row> {
  const headProblems = checkHead(table, columns);
  if (headProblems.length > 0) return { rows: [], problems: headProblems };
  const rows: Row[] = [];
  const problems: RowProblem[] = [];
  const seen = new Map<string, string>();
  const keys = [key].flat();
  const checked = Object.entries(columns);
  for (const { place, values, fault } of table.records) {
    if (fault !== undefined) {
      problems.push({ place, reason: fault });
      continue;
    }
    const { cells, wrong } = checkCells(values, checked, zone);
    const names = keys.map((column) => cells[column]);
    if (names.every((name) => typeof name === 'string')) {
      const name = names.join(' ');
      const first = seen.get(name.toLowerCase());
      if (first !== undefined) wrong.push(`${keys.join(' and ')} '${name}' already stands in ${first}`);
      else seen.set(name.toLowerCase(), place);
    }
    wrong.push(...faults(cells));
    if (wrong.length === 0) rows.push(build(place, cells));
    else problems.push({ place, reason: wrong.join('; '), cells });
  }
  return { rows, problems };
}

function checkHead(table: ImportTable, columns: Readonly<Record<string, Column>>): RowProblem[] {
  const names = Object.keys(columns);
  const problems: RowProblem[] = [];
  for (const given of table.columns) {
    if (names.includes(given) || given === PROBLEM_COLUMN) continue;
    const meant = nearest(given, names);
    const hint = meant === undefined ? `the columns are ${names.join(', ')}` : `did you mean ${meant}?`;
    problems.push({ place: HEAD, reason: `there is no column '${given}' (${hint})` });
  }
  const missing = names.filter((name) => columns[name]?.required === true && !table.columns.includes(name));
  if (missing.length > 0 && table.records.length > 0) {
    problems.push({
      place: HEAD,
      reason: `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    });
  }
  return problems;
}

function checkCells(
  values: Record<string, unknown>,
  columns: readonly [string, Column][],
  zone: string,
): { cells: Cells; wrong: string[] } {
  const cells: Cells = {};
  const wrong: string[] = [];
  for (const [name, column] of columns) {
    // An absent column is no empty one: what is stored stays. Objects of a JSON file may each have their own.
    if (!(name in values) && !column.required) continue;
    const verdict = checkCell(values[name], column, zone);
    cells[name] = undefined;
    if ('wrong' in verdict) wrong.push(`${name} ${verdict.wrong}`);
    else if (verdict.value === null && column.required) wrong.push(`${name} is empty`);
    else cells[name] = verdict.value;
  }
  return { cells, wrong };
}
