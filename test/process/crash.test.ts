/** kill -9 at random moments under a mixed load, over and over (behaviours 10 to 17, 23, 42). */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { insertDirectly, mixedJobs, produce, verify, watchMoves } from '../tools/chaos.ts';
import { type Daemon, Site } from '../tools/daemon.ts';
import { randomFrom } from '../tools/random.ts';

/** `PASSITO_TEST_ROUNDS=500` for a long run. */
const ROUNDS = Number(process.env['PASSITO_TEST_ROUNDS'] ?? 25);

/** An interrupted job starts again this long after the restart, in milliseconds. */
const RESTART_MS = 5000;

describe('kill -9 of the supervisor', () => {
  it(`${ROUNDS} rounds lose nothing, and run nothing twice or too early`, async (t) => {
    const seed = Number(process.env['PASSITO_TEST_SEED'] ?? Date.now() % 1_000_000);
    t.diagnostic(`PASSITO_TEST_SEED=${seed}`);
    const random = randomFrom(seed);
    const here = new Site((clean) => t.after(clean));
    mixedJobs(here);
    await here.ok('migrate');
    watchMoves(here);
    here.sql.pragma('synchronous = NORMAL');

    const acknowledged = new Set<number>();
    const batches = new Map<string, number>();
    let slowest = 0;
    let interrupted = 0;
    let killedProducers = 0;
    const start = () => here.launch(['--min-workers', '2', '--max-workers', '4']);
    let daemon = start();

    for (let round = 0; round < ROUNDS; round++) {
      // Every fourth round dies while it starts, perhaps in the midst of a rescue.
      const early = round % 4 === 3;
      if (!early) {
        await daemon.line(/ ready /);
        slowest = Math.max(slowest, await resumed(here, daemon));
        const producers = [produce(here, `r${round}a`, 80, true), produce(here, `r${round}b`, 60, false)];
        batches.set(`r${round}a`, 80);
        // Some producers die as well: an atomic batch is there whole, or not at all.
        if (round % 2 === 0) void sleep(80 + random(100)).then(() => producers[0]!.child.kill('SIGKILL'));
        for (let part = 0; part < 5; part++) {
          for (const id of insertDirectly(here, 12)) acknowledged.add(id);
          await sleep(random(50));
        }
        acknowledged.add(here.insert('Slow', { ms: 300 }));
        const answers = Promise.all(producers.map(({ done }) => done));
        await sleep(random(250));
        await daemon.kill();
        for (const ids of await answers) {
          if (ids === undefined) killedProducers++;
          for (const id of ids ?? []) acknowledged.add(id);
        }
      } else {
        await sleep(random(300));
        await daemon.kill();
      }
      interrupted += here.value(`SELECT count(*) FROM jobs WHERE status = 'processing'`);
      assert.equal(here.value<string>('PRAGMA integrity_check'), 'ok', `13: round ${round}`);
      here.sql.pragma('busy_timeout = 0');
      here.sql.exec('BEGIN IMMEDIATE; ROLLBACK'); // 12: no lock survives
      here.sql.pragma('busy_timeout = 5000');
      daemon = start();
    }

    slowest = Math.max(slowest, await resumed(here, daemon));
    await here.drained(60_000);
    assert.equal((await daemon.stop()).code, 0);
    verify(here, acknowledged);
    for (const [tag, size] of batches) {
      const found = here.value(`SELECT count(*) FROM jobs WHERE payload ->> 'tag' = ?`, tag);
      // Unique keys may be held by jobs of earlier batches: those lines are answered with the earlier id.
      const without = here.value(
        `SELECT count(*) FROM jobs WHERE payload ->> 'tag' = ? AND unique_key IS NULL`,
        tag,
      );
      assert.ok(
        found === 0 || without === size - size / 8,
        `10: ${tag} is there in part: ${found} of ${size}`,
      );
    }
    const total = here.value('SELECT count(*) FROM jobs');
    t.diagnostic(
      `${total} jobs, ${acknowledged.size} acknowledged, ${interrupted} interrupted, ${killedProducers} producers killed; ` +
        `interrupted jobs had all started again ${slowest} ms after the restart at the latest`,
    );
    assert.ok(interrupted > 0, 'some kills hit running jobs');
  });

  it('another supervisor takes over what one held, without a restart', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job(
      'Work',
      'appendFileSync(ledger, `${context.id}\\n`); await sleep(payload.first && !existsSync(payload.first) ? 60_000 : 10);',
    );
    here.write(
      'jobs/Work.ts',
      readFileSync(here.path('jobs/Work.ts'), 'utf8').replace(
        '{ appendFileSync }',
        '{ appendFileSync, existsSync }',
      ),
    );
    const doomed = await here.start(['--min-workers', '2']);
    const flag = here.path('gone');
    const ids = [here.insert('Work', { first: flag }), here.insert('Work', { first: flag })];
    for (const id of ids) await here.reaches(id, 'processing');
    const other = await here.start(['--min-workers', '2']);
    here.write('gone', '');
    await doomed.kill();
    const killed = performance.now();
    for (const id of ids) await here.reaches(id, 'completed');
    t.diagnostic(`taken over after ${((performance.now() - killed) / 1000).toFixed(1)} s`);
    assert.match(
      other.log,
      new RegExp(`rescued the jobs of a process that is gone pid=${doomed.pid} returned=2`),
    );
    assert.deepEqual(here.sql.prepare('SELECT DISTINCT attempts, crashes FROM jobs').all(), [
      { attempts: 1, crashes: 1 },
    ]);
  });

  it('18: a long job is left alone while its process lives, whoever starts beside it', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job('Work', 'await sleep(4000);', `timeout: '0',`);
    await here.start();
    const id = here.insert('Work');
    await here.reaches(id, 'processing');
    const other = await here.start();
    await here.reaches(id, 'completed');
    assert.equal(here.value('SELECT lease FROM jobs WHERE id = ?', id), 1);
    assert.doesNotMatch(other.log, /rescued/);
  });
});

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
    `SELECT NOT EXISTS (SELECT 1 FROM jobs WHERE id IN (SELECT value FROM json_each(?))
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
