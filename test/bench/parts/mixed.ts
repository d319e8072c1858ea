/**
 * Short jobs beside slow ones. Slow ones wait for a second each and arrive five a second, so that they keep half of 10
 * workers; the short ones' wait is set against a run with 5 workers and no slow ones.
 */

import { percentile, sleep } from '../measure.ts';
import { Passito } from '../peers/contestant.ts';
import { drained, waits } from '../peers/figures.ts';
import type { Table } from '../table.ts';

const ROUNDS = 3;
const SLOW = { ask: 'add', count: 35, size: 1, every: 200 } as const;
/** About a hundred a second, for five seconds. */
const SHORT = { ask: 'add', count: 500, size: 1, every: 10 } as const;
/** Until the slow ones are as many as they will be. */
const WARM_MS = 1500;

/** The short jobs' waits, in milliseconds. */
async function run(workers: number, withSlow: boolean): Promise<number[]> {
  const passito = new Passito(workers);
  await passito.reset();
  await passito.start();
  const [slow, short] = await Promise.all([passito.feeder('slow'), passito.feeder('stamp')]);
  const slowly = withSlow ? slow.ask(SLOW, 'added') : undefined;
  await sleep(WARM_MS);
  const { calls } = await short.ask(SHORT, 'added');
  await slowly;
  await drained(passito, 0);
  const { returned } = waits(calls, await passito.stamps());
  await Promise.all([slow.end(), short.end()]);
  await passito.close();
  return returned;
}

export async function mixedPart(table: Table): Promise<void> {
  const ratios: number[] = [];
  const p99s: number[] = [];
  const alone: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const without = percentile(await run(5, false), 0.99);
    const beside = percentile(await run(10, true), 0.99);
    alone.push(without);
    p99s.push(beside);
    ratios.push(beside / without);
  }
  table.tell('mixed load: short jobs’ wait, 5 workers, no slow ones, p99', 'ms', alone, { text: '' });
  table.tell('mixed load: short jobs’ wait, 10 workers, half of them slow, p99', 'ms', p99s, { text: '' });
  table.tell('… against that', '×', ratios, { atMost: 2 });
}
