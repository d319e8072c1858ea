/** The state machine against the specification, and the store against a model, in whatever order things come. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_CRASHES, MOVES } from '../../src/engine/job.ts';
import { temporaryFolder } from '../tools/store.ts';
import { checkModel } from './model/check.ts';
import { PROPERTIES, SENTENCES } from './model/properties.ts';
import { ARROWS, FATAL_CRASHES } from './model/spec.ts';
import { Tally } from './model/world.ts';

/** Of random sequences; the long form is `npm run soak -- model`. */
const RUNS = 50;

/** As many times more, where chance has left something out. */
const TRIES = 6;

test('the table of moves in src is that of the specification', () => {
  const moves = Object.entries(MOVES).map(([name, { from, to }]) => [name, { from: [...from], to: [...to] }]);
  const arrows = [...ARROWS].filter(([name]) => name !== 'dispatch');
  assert.deepEqual(Object.fromEntries(moves), Object.fromEntries(arrows));
  assert.equal(MAX_CRASHES, FATAL_CRASHES);
});

test('each property stands for a sentence of the specification', () => {
  assert.deepEqual(Object.values(SENTENCES).flat().toSorted(), [...PROPERTIES.keys()].toSorted());
});

test('random interleavings of all verbs, kills and restarts', { timeout: 120_000 }, async (t) => {
  const tally = new Tally();
  const folder = temporaryFolder(t);
  const moves = [...ARROWS.keys(), 'delete'];
  const isSeen = () =>
    moves.every((name) => tally.moves.has(name)) &&
    [...PROPERTIES.keys()].every((name) => tally.cases.get(name)! > 0);
  for (let i = 0; i < TRIES && !isSeen(); i++) await checkModel(folder, { runs: RUNS, most: 120 }, tally);
  t.diagnostic(`${tally.runs} runs, ${tally.commands} commands, ${tally.tables.size} different tables`);
  for (const counts of [tally.verbs, tally.moves]) {
    t.diagnostic([...counts].map(([name, times]) => `${name} ${times}`).join(', '));
  }
  for (const name of moves) {
    await t.test(`a job was seen to go: ${name}`, () => assert.ok(tally.moves.has(name)));
  }
  for (const [sentence, names] of Object.entries(SENTENCES)) {
    await t.test(sentence, async (part) => {
      for (const name of names) {
        await part.test(name, (sub) => {
          const cases = tally.cases.get(name) ?? 0;
          sub.diagnostic(`${cases} cases`);
          assert.ok(cases > 0, 'there was nothing for it to look at');
        });
      }
    });
  }
});
