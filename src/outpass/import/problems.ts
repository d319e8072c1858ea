/** What is wrong with an import file, row by row, and how it is told. */

import { counted } from '../../engine/units.ts';

/** The checked values of a record, by column; undefined where one was given that cannot be. */
export type Cells = Record<string, string | number | null | undefined>;

/** One row that cannot be imported. */
export interface RowProblem {
  /** `line 3` or `item 3`; {@link HEAD} where the whole file is meant. */
  place: string;
  reason: string;
  /** What of it could be read, so that what the records say against it is told with its other faults. */
  cells?: Cells;
}

/** The place of what is wrong with the columns: then no row can be read. */
export const HEAD = 'columns';

/** In the order of the file. */
export function inOrder(problems: readonly RowProblem[]): RowProblem[] {
  const number = ({ place }: RowProblem) => Number(/\d+$/.exec(place)?.[0] ?? 0);
  return problems.toSorted((a, b) => number(a) - number(b));
}

const SHOWN = 20;

/** A line for each problem; of a long list the first ones and how many more there are. */
export function tellProblems(problems: readonly RowProblem[]): string {
  const lines = problems.slice(0, SHOWN).map(({ place, reason }) => `${place}: ${reason}`);
  const more = problems.length - lines.length;
  if (more > 0) lines.push(`and ${counted(more, 'more row')} with problems`);
  return lines.join('\n');
}

/** Thrown where rows are refused while they are written; nothing was written then. */
export class ImportError extends Error {
  readonly problems: readonly RowProblem[];

  constructor(problems: readonly RowProblem[]) {
    super(tellProblems(problems));
    this.name = 'ImportError';
    this.problems = problems;
  }
}
