/** The file of rejected rows: what was in the import file, each row with what is wrong, to be mended and imported. */

import { extname } from 'node:path';
import { type Table, writeCsv } from './csv.ts';

/** Where the rejected rows of a file go. @example 'students.csv' → 'students.rejected.csv' */
export function rejectedPath(path: string, kind: string, format: Table['format']): string {
  const extension = path === '-' ? '' : extname(path);
  const stem = path === '-' ? kind : path.slice(0, path.length - extension.length);
  return `${stem}.rejected${extension === '' ? `.${format}` : extension}`;
}

/**
 * The rejected rows in the form of the file that they come from. The column of problems stands first, so that a row
 * with too many cells keeps them as they were.
 */
export function rejectedRows(table: Table, column: string, problems: ReadonlyMap<string, string>): string {
  const rejected = table.records.flatMap(({ place, source }) => {
    const problem = problems.get(place);
    return problem === undefined ? [] : [{ problem, source }];
  });
  if (table.format === 'json') {
    const items = rejected.map(({ problem, source }) => {
      const isObject = typeof source === 'object' && source !== null && !Array.isArray(source);
      return { [column]: problem, ...(isObject ? { ...source, [column]: problem } : { value: source }) };
    });
    return `${JSON.stringify(items, null, 2)}\n`;
  }
  // A file that was mended once has the column already.
  const at = table.columns.indexOf(column);
  const without = (cells: readonly string[]) => (at === -1 ? cells : cells.toSpliced(at, 1));
  const lines = rejected.map(({ problem, source }) => [problem, ...without(source as string[])]);
  return writeCsv([[column, ...without(table.columns)], ...lines]);
}
