/**
 * Mixed load by the shell and the socket on two supervisors, while one fault follows the other at random: the disk is slow,
 * turns read-only, the clock jumps, a reader holds the log, a supervisor is killed or reloads. In the end the account of the
 * producers, the table and the handlers' ledger are compared.
 */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { type Daemon, Site } from '../../tools/daemon.ts';
import { Load } from '../../tools/load.ts';
import { randomFrom } from '../../tools/random.ts';
import { SlowDisk } from '../../tools/slow-disk.ts';
import type { Part, Soak } from '../part.ts';

/** So many faults, then all is looked at, and a new site begins. */
const ROUND = 12;

export const faultsPart: Part = {
  name: 'faults',
  what: 'faults of disk, clock and readers under mixed load',
  share: 2,
  async run(soak) {
    const until = performance.now() + soak.minutes * 60_000;
    const random = randomFrom(soak.seed);
    const sum = { faults: 0, dispatches: 0, refusals: 0, jobs: 0, deaths: 0 };
    while (performance.now() < until) await round(soak, random, sum);
  },
};

type Sum = { faults: number; dispatches: number; refusals: number; jobs: number; deaths: number };

async function round(soak: Soak, random: (below: number) => number, sum: Sum): Promise<void> {
  const ends: (() => unknown)[] = [];
  const after = (end: () => unknown) => void ends.unshift(end);
  try {
    const here = new Site(after);
    const disk = new SlowDisk(here, after);
    const load = await Load.prepare(here, after);
    const daemons = [await start(here), await start(here)];
    load.start(50);
    const acts = actsOn(here, disk, daemons, random);
    const names = Object.keys(acts);
    for (let i = 0; i < ROUND; i++) {
      const name = names[Math.floor(random(names.length))]!;
      await acts[name]!();
      sum.faults++;
      await load.until('acknowledged', 3, 60_000);
    }
    await load.stop();
    await here.drained(120_000);
    load.check();
    assert.equal(here.value<string>('PRAGMA integrity_check'), 'ok');
    // A row of a former generation, after a reload, may be lost with its process: attempts tell who was taken for dead.
    const killed = daemons.filter(({ gone }) => gone).map(({ pid }) => pid);
    const wronged = here.sql
      .prepare(
        `SELECT a.job_id, p.* FROM attempts a JOIN processes p ON p.id = a.process
         WHERE a.outcome = 'crashed' AND p.pid NOT IN (SELECT value FROM json_each(?))`,
      )
      .all(JSON.stringify(killed));
    assert.deepEqual(wronged, [], 'nobody was taken for dead who was not');
    for (const one of daemons.filter(({ gone }) => !gone)) {
      assert.deepEqual(await one.stop(), { code: 0, signal: null }, one.log);
    }
    sum.deaths += killed.length;
    sum.dispatches += load.acknowledged.length;
    sum.refusals += load.refusals.length;
    sum.jobs += here.value('SELECT count(*) FROM jobs');
    for (const [name, figure] of Object.entries(sum)) soak.tell(name, figure);
  } finally {
    for (const end of ends) await end();
  }
}

function start(here: Site): Promise<Daemon> {
  return here.start(['--max-workers', '4']);
}

function actsOn(
  here: Site,
  disk: SlowDisk,
  daemons: Daemon[],
  random: (below: number) => number,
): Record<string, () => Promise<void>> {
  const last = () => sleep(500 + random(4000));
  return {
    async slow() {
      disk.slow(500);
      await last();
      disk.slow(0);
    },
    async readOnly() {
      disk.readOnly(true);
      await last();
      disk.readOnly(false);
    },
    async clock() {
      // From where it was, by at most six hours either way.
      disk.shift(Math.round(random(6 * 3600) - 3 * 3600));
      // Each supervisor notices within 5 s.
      await sleep(6000);
    },
    async reader() {
      const reader = new Database(here.db, { readonly: true });
      reader.exec('BEGIN; SELECT count(*) FROM jobs;');
      await last();
      assert.ok(statSync(`${here.db}-wal`).size > 0);
      reader.close();
    },
    async kill() {
      const [one] = daemons.filter(({ gone }) => !gone).slice(Math.floor(random(2)));
      await one!.kill();
      daemons.push(await start(here));
    },
    async reload() {
      await daemons.find(({ gone }) => !gone)!.reload();
    },
  };
}
