/** Two supervisors on one database under load: one dies, another comes, one stops; each job once (behaviours 1, 11, 33). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Site } from '../tools/daemon.ts';
import { jobFiles, Neighbours } from './neighbours.ts';

/** Rounds, each with one kill and one stop. */
const ROUNDS = 2;

describe('two supervisors', () => {
  it('1: one is killed, another stops, others come, under load: each job is done once', async (t) => {
    const here = new Site((clean) => t.after(clean));
    const neighbours = new Neighbours(here);
    jobFiles(here, []);
    await here.ok('migrate');
    const start = () => here.start(['--min-workers', '2', '--max-workers', '2']);
    let [one, two] = await Promise.all([start(), start()]);
    const load = new AbortController();
    const producing = (async () => {
      while (!load.signal.aborted) {
        neighbours.add(6);
        await sleep(20);
      }
    })();
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(300);
      await one.kill();
      one = await start();
      await sleep(300);
      const { code } = await two.stop();
      assert.equal(code, 0, two.log);
      two = await start();
    }
    load.abort();
    await producing;
    await here.drained(60_000);
    neighbours.verify();
    const claimants = here.value('SELECT count(DISTINCT claimed_by) FROM jobs');
    t.diagnostic(`${neighbours.count} jobs by ${claimants} supervisors`);
    assert.ok(claimants > 2, `${claimants} supervisors have claimed`);
    assert.equal(here.value<string>('PRAGMA integrity_check'), 'ok');
    for (const daemon of [one, two]) assert.equal((await daemon.stop()).code, 0);
  });
});
