/** Random interleavings, each from an empty database to the end of every job. */

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { systemClock } from '../../../src/engine/clock.ts';
import { SqliteStore } from '../../../src/store/sqlite/store.ts';
import { claimOf } from '../../tools/store.ts';
import type { Call } from './calls.ts';
import { commands } from './commands.ts';
import { LIVE } from './spec.ts';
import { watchJobs } from './watch.ts';
import { Tally, World } from './world.ts';

export interface Effort {
  runs: number;
  /** Commands in a run, at most. */
  most: number;
  seed?: number;
}

/** Runs the check in a folder and says what it has seen; throws with the shortest counterexample that was found. */
export async function checkModel(
  folder: string,
  { runs, most, seed }: Effort,
  tally = new Tally(),
): Promise<Tally> {
  const template = join(folder, 'template.db');
  rmSync(template, { force: true });
  const empty = await SqliteStore.open(
    template,
    { mode: 'create', migrate: false, synchronous: 'normal', patience: 5000 },
    systemClock,
  );
  watchJobs(empty.db);
  await empty.close();
  await fc.assert(
    fc.asyncProperty(commands(most), async (given) => {
      const world = await World.begin(folder, template, tally);
      try {
        await fc.asyncModelRun(() => ({ model: {}, real: world }), given);
        await endAll(world);
      } catch (error) {
        throw new Error(`\n${(error as Error).message}\nafter\n${world.story.join('\n')}\n`, {
          cause: error,
        });
      } finally {
        world.end();
      }
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  );
  return tally;
}

/**
 * No job is lost: whatever came before, each ends, or waits for a parent that failed or was cancelled; and where an
 * admin revives those, every job completes.
 */
async function endAll(world: World): Promise<void> {
  for (const queue of [null, 'default', 'mail']) await world.ask(0, [{ verb: 'resume', queue }]);
  await world.register(0);
  for (const [id, alive] of world.model.processes) {
    if (alive && id !== world.processes[0]) await world.ask(0, [{ verb: 'expire', process: id }]);
  }
  await world.ask(0, [{ verb: 'expire', process: 0 }]);
  await work(world);
  const { rows, links } = world.look();
  const status = new Map(rows.map((row) => [row.id, row.status]));
  for (const { id } of rows.filter((row) => LIVE.has(row.status))) {
    const stopped = (job: number): boolean =>
      links.some(
        ({ parent, child }) =>
          child === job && (['failed', 'cancelled'].includes(status.get(parent)!) || stopped(parent)),
      );
    assert.ok(status.get(id) === 'blocked' && stopped(id), `#${id} is ${status.get(id)} for ever`);
  }
  // Revived and completed, a parent frees its children. One whose key another holds must wait for that one; where that
  // is its own child, the child must be cancelled first, and both revived.
  for (let round = 0; ; round++) {
    const left = world.look().rows.filter((row) => row.status !== 'completed');
    if (left.length === 0) return;
    assert.ok(round < 50, `these never complete: ${JSON.stringify(left)}`);
    const keyed = left.filter((row) => row.status === 'blocked' && row.key !== null).map(({ id }) => id);
    if (round > 0) await world.ask(0, [{ verb: 'cancel', ids: keyed }]);
    await world.ask(0, [{ verb: 'revive', ids: left.map(({ id }) => id) }]);
    await work(world);
  }
}

/** Claims and completes until nothing is due any more, nor will be. */
async function work(world: World): Promise<void> {
  const types = ['A', 'B', 'C'];
  const claim = () => claimOf(world.processes[0]!, types);
  let settles: Extract<Call, { verb: 'exchange' }>['settles'] = [];
  for (;;) {
    const [answer] = await world.ask(0, [{ verb: 'exchange', settles, claim: claim() }]);
    const { claimed, nextDue } = answer as {
      claimed: { id: number; lease: number }[];
      nextDue?: number | null;
    };
    if (claimed.length === 0 && typeof nextDue !== 'number') return;
    settles = claimed.map(({ id, lease }) => ({ id, lease, settlement: { move: 'complete', result: null } }));
    if (claimed.length === 0) await world.clock.advance(nextDue! - world.clock.now());
  }
}
