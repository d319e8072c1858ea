/** kill -9 at random moments under a mixed load, over and over (behaviours 10 to 17, 23, 42). */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Site } from '../tools/daemon.ts';
import { randomFrom } from '../tools/random.ts';
import { storm } from '../tools/storm.ts';

/** `PASSITO_TEST_ROUNDS=500` for a long run. */
const ROUNDS = Number(process.env['PASSITO_TEST_ROUNDS'] ?? 25);

function isRunning(pid: number): boolean {
  // A dead one whose parent has not asked for it yet has no command line.
  return existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
}

function end(pid: number): void {
  if (isRunning(pid)) process.kill(pid, 'SIGKILL');
}

describe('kill -9 of the supervisor', () => {
  it(`${ROUNDS} rounds lose nothing, and run nothing twice or too early`, async (t) => {
    const seed = Number(process.env['PASSITO_TEST_SEED'] ?? Date.now() % 1_000_000);
    t.diagnostic(`PASSITO_TEST_SEED=${seed}`);
    const here = new Site((clean) => t.after(clean));
    const figures = await storm(here, (round) => round < ROUNDS, randomFrom(seed));
    t.diagnostic(JSON.stringify(figures));
    assert.ok(figures.interrupted > 0, 'some kills hit running jobs');
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

  it('programs that a handler started end before its job runs again, but for one that it set free', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.write(
      'jobs/Starts.ts',
      `import { spawn } from 'node:child_process';
      import { appendFileSync } from 'node:fs';
      export default { async handle() {
        const ids = [{}, { detached: true }].map((how) => spawn('sleep', ['300'], { stdio: 'ignore', ...how }).pid);
        // A daemon, whose group's leader has ended.
        const shell = spawn('sh', ['-c', 'sleep 300 & echo $!'], { detached: true });
        ids.push(Number(await new Promise((said) => shell.stdout.once('data', said))));
        appendFileSync('ids', ids.join(' ') + '\\n');
        await new Promise((done) => setTimeout(done, 60_000));
      } };`,
    );
    const doomed = await here.start();
    const id = here.insert('Starts');
    await here.reaches(id, 'processing');
    while (!existsSync(here.path('ids'))) await sleep(10);
    const [bound, free, daemon] = readFileSync(here.path('ids'), 'utf8').split(/\s/).map(Number);
    await doomed.kill();
    await here.start();
    await here.until('SELECT crashes = 1 FROM jobs WHERE id = ?', [id]);
    assert.ok(!isRunning(bound!), 'the one');
    assert.ok(isRunning(free!), 'the other');
    assert.ok(isRunning(daemon!), 'the daemon');
    await here.ok('jobs', 'cancel', String(id));
    for (const pid of readFileSync(here.path('ids'), 'utf8').match(/\d+/g) ?? []) end(Number(pid));
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
