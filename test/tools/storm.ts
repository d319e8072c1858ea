/** kill -9 at random moments under a mixed load, over and over, of supervisors and of those who dispatch and cancel. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cancels, type Told, verify, verifyTicks } from './account.ts';
import { EVERY_SECOND, insertDirectly, mixedJobs, produce, watchMoves } from './chaos.ts';
import type { Daemon, Site } from './daemon.ts';

/** An interrupted job starts again this long after the restart, in milliseconds. */
const RESTART_MS = 5000;

/** While more jobs wait than this, the killing goes on without new ones: the end must come in minutes. */
const MOST_WAITING = 1500;

export interface StormFigures {
  rounds: number;
  jobs: number;
  /** Ids that were told to whoever dispatched. */
  acknowledged: number;
  /** Jobs whose attempt a kill interrupted. */
  interrupted: number;
  producersKilled: number;
  /** Jobs that were told to be cancelled, some of them revived since. */
  cancelled: number;
  ticks: number;
  /** From the start after a kill to the start of the last job that it had interrupted, at the latest, in milliseconds. */
  slowest: number;
}

/** Goes on while `more` says so, then asks for the account. `random(n)` gives numbers from 0 to below n. */
export async function storm(
  here: Site,
  more: (round: number) => boolean,
  random: (below: number) => number,
): Promise<StormFigures> {
  mixedJobs(here);
  here.write('passito.config.ts', EVERY_SECOND);
  await here.ok('migrate');
  watchMoves(here);
  here.sql.pragma('synchronous = NORMAL');

  const acknowledged = new Set<number>();
  const cancels: Cancels = new Map();
  const batches = new Map<string, number>();
  const seen = { slowest: 0, interrupted: 0, producersKilled: 0 };
  const start = () => here.launch(['--min-workers', '2', '--max-workers', '4']);
  let daemon = start();
  let round = 0;

  for (; more(round); round++) {
    // Every fourth round dies while it starts, perhaps in the midst of a rescue.
    if (round % 4 === 3) {
      await sleep(random(300));
      await daemon.kill();
    } else {
      await daemon.line(/ ready /);
      seen.slowest = Math.max(seen.slowest, await resumed(here, daemon));
      const waiting = here.value(`SELECT count(*) FROM jobs WHERE status IN ('blocked', 'pending')`);
      const producers =
        waiting > MOST_WAITING
          ? []
          : [produce(here, `r${round}a`, 40, true), produce(here, `r${round}b`, 24, false)];
      batches.set(`r${round}a`, 40);
      // Some producers die as well: an atomic batch is there whole, or not at all.
      if (round % 2 === 0) void sleep(80 + random(100)).then(() => producers[0]?.child.kill('SIGKILL'));
      const cancelling = cancelSome(here, acknowledged, cancels, random);
      if (round % 8 === 5) daemon.signal('SIGHUP');
      for (let part = 0; part < 5; part++) {
        for (const id of insertDirectly(here, 12)) acknowledged.add(id);
        await sleep(random(50));
      }
      acknowledged.add(here.insert('Slow', { ms: 300 }));
      const answers = Promise.all(producers.map(({ done }) => done));
      await sleep(random(250));
      // Now and then somebody stops it in peace, in the midst of all this.
      await (round % 8 === 6 ? daemon.stop() : daemon.kill());
      for (const ids of await answers) {
        if (ids === undefined) seen.producersKilled++;
        for (const id of ids ?? []) acknowledged.add(id);
      }
      await cancelling;
    }
    seen.interrupted += here.value(`SELECT count(*) FROM jobs WHERE status = 'processing'`);
    assert.equal(here.value<string>('PRAGMA integrity_check'), 'ok', `13: round ${round}`);
    here.sql.pragma('busy_timeout = 0');
    here.sql.exec('BEGIN IMMEDIATE; ROLLBACK'); // 12: no lock survives
    here.sql.pragma('busy_timeout = 5000');
    daemon = start();
  }

  seen.slowest = Math.max(seen.slowest, await resumed(here, daemon));
  await here.drained(120_000);
  assert.equal((await daemon.stop()).code, 0);
  await here.drained();
  verify(here, acknowledged, cancels);
  for (const [tag, size] of batches) wholeOrNot(here, tag, size);
  const told = [...cancels.values()].filter((one) => one !== 'perhaps').length;
  return {
    rounds: round,
    jobs: here.value('SELECT count(*) FROM jobs'),
    acknowledged: acknowledged.size,
    cancelled: told,
    ticks: verifyTicks(here),
    ...seen,
  };
}

/** Dispatches some jobs, cancels them while they wait or run, and revives half of them; dies now and then in between. */
async function cancelSome(
  here: Site,
  acknowledged: Set<number>,
  cancels: Cancels,
  random: (below: number) => number,
): Promise<void> {
  const insert = here.sql.prepare(`INSERT INTO jobs (type, payload) VALUES ('Victim', '{"ms":40}')`);
  const ids = Array.from({ length: 6 }, () => Number(insert.run().lastInsertRowid));
  for (const id of ids) acknowledged.add(id);
  await sleep(random(60));
  const cancelled = await ask(here, 'cancel', ids, cancels, 'cancelled', random);
  await ask(here, 'retry', cancelled.slice(3), cancels, 'revived', random);
}

/** `jobs cancel` or `jobs retry`: gives the ids that it said to have changed, and notes what was told of them. */
async function ask(
  here: Site,
  command: 'cancel' | 'retry',
  ids: readonly number[],
  cancels: Cancels,
  told: Told,
  random: (below: number) => number,
): Promise<number[]> {
  if (ids.length === 0) return [];
  for (const id of ids) cancels.set(id, 'perhaps');
  const killed = random(4) < 1 ? { killAfter: Math.floor(60 + random(60)) } : {};
  const { code, stdout } = await here.run(['jobs', command, ...ids.map(String), '--json'], killed);
  if (code !== 0 && code !== 1) return [];
  const { changed } = JSON.parse(stdout) as { changed: number[] };
  for (const id of ids) {
    if (changed.includes(id)) cancels.set(id, told);
    // It had completed before.
    else if (command === 'cancel') cancels.delete(id);
  }
  return changed;
}

/** 10: an atomic batch is there as a whole, or not at all. */
function wholeOrNot(here: Site, tag: string, size: number): void {
  const found = here.value(`SELECT count(*) FROM jobs WHERE payload ->> 'tag' = ?`, tag);
  // Unique keys may be held by jobs of earlier batches: those lines are answered with the earlier id.
  const without = here.value(
    `SELECT count(*) FROM jobs WHERE payload ->> 'tag' = ? AND unique_key IS NULL`,
    tag,
  );
  assert.ok(found === 0 || without === size - size / 8, `10: ${tag} is there in part: ${found} of ${size}`);
}

/**
 * Waits until every job that the dead process held has started again and has ended that attempt. Gives the
 * milliseconds from the restart to the last of those starts.
 */
async function resumed(here: Site, daemon: Daemon): Promise<number> {
  const held = here.sql
    .prepare(`SELECT id FROM jobs WHERE status = 'processing' OR crashes > 0 AND status = 'pending'`)
    .pluck();
  const ids = JSON.stringify(held.all());
  const since = new Date(daemon.startedAt).toISOString().slice(0, 23).replace('T', ' ');
  await here.until(
    `SELECT NOT EXISTS (SELECT 1 FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND status <> 'cancelled'
       AND (started_at < ? OR status = 'processing' OR (status = 'pending' AND attempts = 0)))`,
    [ids, since],
  );
  const last = here.value<string | null>(
    `SELECT max(started_at) FROM jobs WHERE crashes > 0 AND id IN (SELECT value FROM json_each(?))`,
    ids,
  );
  const took = last === null ? 0 : Date.parse(`${last.replace(' ', 'T')}Z`) - daemon.startedAt;
  assert.ok(took < RESTART_MS, `11: an interrupted job started ${took} ms after the restart`);
  return took;
}
