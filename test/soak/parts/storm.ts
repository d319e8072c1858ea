/** Kills at random moments: see tools/storm.ts. */

import { randomFrom } from '../../tools/random.ts';
import { storm } from '../../tools/storm.ts';
import { cleaning } from '../cleaning.ts';
import type { Part } from '../part.ts';

export const stormPart: Part = {
  name: 'storm',
  what: 'kill -9 of supervisors and producers',
  share: 4,
  async run({ minutes, seed, tell }) {
    const until = performance.now() + minutes * 60_000;
    const figures = await cleaning((site) => storm(site, () => performance.now() < until, randomFrom(seed)));
    tell('rounds', figures.rounds);
    tell('jobs', figures.jobs);
    tell('acknowledged', figures.acknowledged);
    tell('interrupted', figures.interrupted);
    tell('producers killed', figures.producersKilled);
    tell('cancelled', figures.cancelled);
    tell('ticks', figures.ticks);
    tell('interrupted jobs started again within, ms', figures.slowest);
  },
};
