/** The table of `npm run bench`: a row for each goal. */

import { format, markdown, summarize } from './report.ts';

/** What is wanted of a figure. `text` is for goals that another benchmark judges. */
export type Goal = { atLeast: number } | { atMost: number } | { text: string };

export class Table {
  readonly #rows: string[][] = [];

  /** `unit`: where it ends in `/s` or is `×`, the lowest run is the worst unless the goal says otherwise. */
  tell(what: string, unit: string, samples: readonly number[], goal: Goal): void {
    const { median, low, high } = summarize(samples);
    const more = 'atLeast' in goal || ('text' in goal && unit === '/s');
    const [wanted, met] = judge(goal, median);
    const row = [
      what,
      `${format(median)} ${unit}`,
      `${format(more ? low : high)} ${unit}`,
      `${format(more ? high : low)} ${unit}`,
      wanted,
      met,
    ];
    this.#rows.push(row);
    console.error(row.join('  '));
  }

  toString(): string {
    return markdown(['what', 'median', 'worst', 'best', 'goal', 'met by the median'], this.#rows);
  }
}

function judge(goal: Goal, median: number): [wanted: string, met: string] {
  if ('text' in goal) return [goal.text, ''];
  if ('atLeast' in goal) return [`≥ ${format(goal.atLeast)}`, median >= goal.atLeast ? 'yes' : 'no'];
  return [`≤ ${format(goal.atMost)}`, median <= goal.atMost ? 'yes' : 'no'];
}
