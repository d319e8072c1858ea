/** Handlers from hell in random order among well-behaved ones, with a process that dies now and then. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEADLY, HEAVY, type Hell, LIGHT } from '../../fault/hell.ts';
import { jobFiles, Neighbours, traces } from '../../fault/neighbours.ts';
import type { Daemon, Site } from '../../tools/daemon.ts';
import { randomFrom } from '../../tools/random.ts';
import { cleaning } from '../cleaning.ts';
import type { Part } from '../part.ts';

/** One in so many rounds has a handler that takes a gigabyte, and one that ends the process. */
const HEAVY_EACH = 25;
const DEADLY_EACH = 100;

/** Idle threads above the minimum end after 5 s. */
const SETTLE_MS = 8000;

export const hellPart: Part = {
  name: 'hell',
  what: 'handlers from hell among well-behaved ones',
  share: 1,
  run: ({ minutes, seed, tell }) => cleaning((site) => rounds(site, minutes, randomFrom(seed), tell)),
};

async function rounds(
  site: Site,
  minutes: number,
  random: (below: number) => number,
  tell: (name: string, figure: string | number) => void,
): Promise<void> {
  const neighbours = new Neighbours(site);
  const hells: { id: number; hell: Hell }[] = [];
  jobFiles(site, [...LIGHT, ...HEAVY, ...DEADLY]);
  const start = () => started(site);
  await site.ok('migrate');
  let daemon = await start();
  neighbours.add(30);
  await site.drained();
  await sleep(SETTLE_MS);
  let before = traces(daemon.pid);
  let deaths = 0;
  let largest = 0;
  const until = performance.now() + minutes * 60_000 - SETTLE_MS;

  for (let round = 1; performance.now() < until; round++) {
    const deadly = round % DEADLY_EACH === 0;
    const from = deadly ? DEADLY : round % HEAVY_EACH === 0 ? HEAVY : LIGHT;
    const one = from[Math.floor(random(from.length))]!;
    neighbours.add(1 + Math.floor(random(8)));
    const id = site.insert(one.name);
    if (!deadly) hells.push({ id, hell: one });
    neighbours.add(1 + Math.floor(random(8)));
    // As many at once as chance has it.
    if (random(3) < 1 || deadly) {
      daemon = await drained(site, daemon, start, () => deaths++);
      if (deadly) before = traces(daemon.pid);
      largest = Math.max(largest, traces(daemon.pid).resident);
    }
  }

  daemon = await drained(site, daemon, start, () => deaths++);
  neighbours.verify();
  const row = site.sql.prepare('SELECT status, attempts, crashes, last_error AS said FROM jobs WHERE id = ?');
  for (const {
    id,
    hell: { name, error, either },
  } of hells) {
    const { status, attempts, crashes, said } = row.get(id) as Record<string, unknown>;
    assert.equal(attempts, 1, name);
    if (status === 'completed') assert.ok(error === undefined || either === true, `${name} ${id} completed`);
    else {
      assert.equal(status, 'failed', name);
      assert.ok(crashes === 3 || error?.test(String(said)) === true, `${name} ${id}: ${String(said)}`);
    }
  }
  await sleep(SETTLE_MS);
  const now = traces(daemon.pid);
  tell('handlers from hell', hells.length + deaths);
  tell('neighbours', neighbours.count);
  tell('neighbours harmed', 0);
  tell('deaths of the process', deaths);
  tell('threads', `${before.threads} → ${now.threads}`);
  tell('descriptors', `${before.descriptors} → ${now.descriptors}`);
  tell('programs left', now.programs.length);
  tell('resident', `${before.resident} → ${now.resident} MB, at most ${largest} MB`);
  assert.deepEqual(now.programs, []);
  assert.ok(now.threads <= before.threads + 4, 'threads');
  assert.ok(now.descriptors <= before.descriptors + 40, 'descriptors');
}

/** What the handlers log, for hours, is not kept: only a supervisor's errors are. */
async function started(site: Site): Promise<Daemon> {
  const daemon = site.launch(['--min-workers', '3', '--max-workers', '3', '--log-level', 'error']);
  await site.until('SELECT count(*) FROM processes WHERE pid = ? AND stopped_at IS NULL', [daemon.pid]);
  return daemon;
}

/** Waits until all jobs have ended, and starts another supervisor wherever one has died. */
async function drained(
  site: Site,
  daemon: Daemon,
  start: () => Promise<Daemon>,
  died: () => void,
): Promise<Daemon> {
  for (;;) {
    const done = site.drained(120_000).then(() => true);
    done.catch(() => undefined);
    if (await Promise.race([done, daemon.ended.then(() => false)])) return daemon;
    died();
    daemon = await start();
  }
}
