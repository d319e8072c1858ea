/**
 * What claims and settles cost when many rows lie in the table: the same 20,000 jobs drained beside 10,000 rows and
 * beside 3 million (a third each completed, in the future, blocked), in turns.
 */

import { Passito } from '../peers/contestant.ts';
import { drained, JOBS, numbered } from '../peers/figures.ts';
import type { Table } from '../table.ts';

const ROUNDS = 3;

/** Puts rows beside the jobs to come. None of them is due. */
export function fillBeside(passito: Passito, rows: number): void {
  const third = Math.floor(rows / 3);
  const { bench } = passito;
  bench.fillByRange(third, `'completed'`, { finished_at: `'2026-01-01 00:00:00.000'` });
  bench.fillByRange(third, `'pending'`, { type: `'Other'`, available_at: `'2999-01-01 00:00:00.000'` });
  bench.fillByRange(third, `'blocked'`, { waiting_for: '1' });
}

/** Drains 20,000 jobs on top of what lies there; gives microseconds a job. */
export async function costBeside(passito: Passito): Promise<number> {
  passito.bench.forgetResults();
  for (let i = 0; i < JOBS; i += 1000) await passito.add('noop', numbered(i, 1000));
  await passito.start();
  const end = await drained(passito, JOBS);
  const took = end - (await passito.first());
  await passito.stop();
  return (took * 1000) / JOBS;
}

export async function rowsPart(table: Table): Promise<void> {
  const [few, many] = [new Passito(), new Passito()];
  await few.reset();
  await many.reset();
  fillBeside(few, 10_000);
  fillBeside(many, 3_000_000);
  const ratios: number[] = [];
  const costs: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const small = await costBeside(few);
    const large = await costBeside(many);
    costs.push(large);
    ratios.push(large / small);
  }
  await few.close();
  await many.close();
  table.tell('claim, run and settle beside 3 million rows', 'µs a job', costs, { text: '' });
  table.tell('… against 10 thousand rows', '×', ratios, { atMost: 1.2 });
}
