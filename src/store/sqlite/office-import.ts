/** Writes imported rows: all or none of them, or all that can be written. Every function runs inside one write. */

import { ImportError } from '../../outpass/import.ts';
import type { Cells, RowProblem } from '../../outpass/import.ts';
import { inOrder } from '../../outpass/import/problems.ts';

/** What an import did, and the rows that it left out. */
export interface ImportResult {
  inserted: number;
  updated: number;
  unchanged: number;
  problems: RowProblem[];
}

/** How an import goes about bad rows. */
export interface ImportOptions {
  /** What was found wrong before, so that all of the file's faults are told at once. */
  problems?: readonly RowProblem[];
  /** Writes the sound rows beside bad ones. */
  partial?: boolean;
  /** Finds out what would be written, and writes nothing. */
  dryRun?: boolean;
  /** Told now and then how many rows are done. */
  progress?: (done: number) => void;
}

/** What became of a row: a word for the count, or why the office refuses it. */
export type RowVerdict = 'inserted' | 'updated' | 'unchanged' | { refused: string };

/** How rows of a kind are written. */
export interface RowWriter<Row> {
  write: (row: Row) => RowVerdict;
  /** What the records say against a row that is bad for another reason: it may speak of somebody unknown as well. */
  against?: (cells: Cells) => readonly string[];
}

/** Carries the result out of a write that is to be undone. */
class DryRun extends Error {
  readonly result: ImportResult;
  constructor(result: ImportResult) {
    super('a dry run');
    this.result = result;
  }
}

/** Rows between two words to `progress`. */
const STEP = 500;

/** Writes the rows in one go. Throws an ImportError that names every bad row, unless they may be left out. */
export function importRows<Row extends { place: string }>(
  rows: readonly Row[],
  { write, against }: RowWriter<Row>,
  { problems = [], partial = false, dryRun = false, progress }: ImportOptions,
): ImportResult {
  const result: ImportResult = { inserted: 0, updated: 0, unchanged: 0, problems: [] };
  for (const { place, reason, cells = {} } of problems) {
    result.problems.push({ place, reason: [reason, ...(against?.(cells) ?? [])].join('; ') });
  }
  rows.forEach((row, index) => {
    const verdict = write(row);
    if (typeof verdict === 'string') result[verdict] += 1;
    else result.problems.push({ place: row.place, reason: verdict.refused });
    if (index % STEP === STEP - 1) progress?.(index + 1);
  });
  result.problems = inOrder(result.problems);
  // Thrown at the end, so that all bad rows are told at once; the write that surrounds this undoes the rest.
  if (result.problems.length > 0 && !partial) throw new ImportError(result.problems);
  if (dryRun) throw new DryRun(result);
  return result;
}

/** Gives the result of a dry run, whose write was undone. */
export async function undone(writing: Promise<ImportResult>): Promise<ImportResult> {
  try {
    return await writing;
  } catch (error) {
    if (error instanceof DryRun) return error.result;
    throw error;
  }
}
