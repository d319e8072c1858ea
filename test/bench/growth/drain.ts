/** One drain of whatever was put into the queue: the cost of a job from the first start to the last durable end. */

import { Passito } from '../peers/contestant.ts';
import { drained } from '../peers/figures.ts';

export interface Filled {
  /** How many jobs will run. */
  jobs: number;
  /** Microseconds that their dispatch took, each. */
  dispatch?: number;
}

/** Fills an empty queue and drains it; gives microseconds a job. */
export async function drainOnce(
  workers: number,
  fill: (passito: Passito) => Promise<Filled>,
): Promise<{ run: number; dispatch: number }> {
  const passito = new Passito(workers);
  try {
    await passito.reset();
    const { jobs, dispatch = Number.NaN } = await fill(passito);
    await passito.start();
    const end = await drained(passito, jobs);
    return { run: ((end - (await passito.first())) * 1000) / jobs, dispatch };
  } finally {
    await passito.close();
  }
}

/** Runs `action` and gives microseconds for each of `count`. */
export async function costOf(count: number, action: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await action();
  return ((performance.now() - began) * 1000) / count;
}
