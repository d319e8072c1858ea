/** The power goes: what is on the disk is what was synced, and any part of the rest. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { randomFrom } from '../tools/random.ts';
import { missing, powerCuts, type Synchronous } from './power-cut/trial.ts';

for (const synchronous of ['full', 'normal'] satisfies Synchronous[]) {
  const promise =
    synchronous === 'full'
      ? 'what was acknowledged is there'
      : 'the file is whole, and only the end of what was acknowledged may be gone';
  test(`a power cut under ${synchronous}: ${promise}`, { skip: missing ?? false }, async (t) => {
    const seed = Number(process.env['PASSITO_TEST_SEED'] ?? Date.now() % 1_000_000);
    t.diagnostic(`PASSITO_TEST_SEED=${seed}`);
    const site = new Site((clean) => t.after(clean));
    const random = randomFrom(seed);
    const figures = await powerCuts(site, {
      synchronous,
      rounds: 3,
      cuts: 60,
      boots: 3,
      random: () => random(1),
    });
    t.diagnostic(JSON.stringify(figures));
    assert.ok(figures.kept > 0, 'there were promises to keep');
  });
}
