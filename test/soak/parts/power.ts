/** Power cuts at random moments of a mixed load, under both kinds of durability. */

import { type Figures, missing, powerCuts, type Synchronous } from '../../fault/power-cut/trial.ts';
import { randomFrom } from '../../tools/random.ts';
import { cleaning } from '../cleaning.ts';
import type { Part } from '../part.ts';

export const powerPart: Part = {
  name: 'power',
  what: 'power cuts',
  share: 2,
  async run({ minutes, seed, tell }) {
    if (missing !== undefined) throw new Error(missing);
    const until = performance.now() + minutes * 60_000;
    const next = randomFrom(seed);
    const random = () => next(1);
    const sums = { full: none(), normal: none() };
    do {
      for (const synchronous of ['full', 'normal'] satisfies Synchronous[]) {
        await cleaning(async (site) => {
          const how = { synchronous, rounds: 6, cuts: 250, boots: 10, random };
          add(sums[synchronous], await powerCuts(site, how));
        });
        const { cuts, kept, lost, boots } = sums[synchronous];
        tell(`cuts under ${synchronous}`, cuts);
        tell(`promises kept under ${synchronous}`, kept);
        tell(`of them gone under ${synchronous}, the most at a cut`, lost);
        tell(`boots under ${synchronous}`, boots);
      }
    } while (performance.now() < until);
  },
};

function none(): Figures {
  return { events: 0, cuts: 0, kept: 0, lost: 0, boots: 0 };
}

function add(sum: Figures, more: Figures): void {
  for (const name of ['events', 'cuts', 'kept', 'boots'] as const) sum[name] += more[name];
  sum.lost = Math.max(sum.lost, more.lost);
}
