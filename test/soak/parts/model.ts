/** The model check for as long as there is time: long sequences, one seed after the other. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkModel } from '../../store/model/check.ts';
import { PROPERTIES } from '../../store/model/properties.ts';
import { Tally } from '../../store/model/world.ts';
import type { Part, Soak } from '../part.ts';

/** Runs with one seed: some seconds. */
const RUNS = 20;

/** Commands in a run, at most: short ones meet each other's beginnings, long ones go deep. */
const LENGTHS = [60, 200, 600];

export const modelPart: Part = {
  name: 'model',
  what: 'random interleavings of all verbs, kills and restarts, against a model and the properties of the states',
  share: 1,
  async run(soak: Soak): Promise<void> {
    const end = performance.now() + soak.minutes * 60_000;
    const folder = mkdtempSync(join(tmpdir(), 'passito-model-'));
    const tally = new Tally();
    try {
      for (let seed = soak.seed; performance.now() < end; seed++) {
        soak.tell('last seed', String(seed));
        await checkModel(folder, { runs: RUNS, most: LENGTHS[seed % LENGTHS.length]!, seed }, tally);
      }
    } finally {
      tell(soak, tally);
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function tell(soak: Soak, tally: Tally): void {
  soak.tell('runs', tally.runs);
  soak.tell('commands', tally.commands);
  soak.tell('properties', PROPERTIES.size);
  soak.tell('different tables', tally.tables.size);
  const moves = [...tally.moves].filter(([name]) => name !== 'other').toSorted((a, b) => b[1] - a[1]);
  soak.tell('moves', moves.map(([name, times]) => `${name} ${times.toLocaleString('en')}`).join(', '));
}
