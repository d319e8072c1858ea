/** A job that takes the whole process with it, and others that only try (behaviours 16, 17, 20 to 22). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Site } from '../tools/daemon.ts';

const NEIGHBOURS = 200;
const DIED = /^The process died 3 times while this job ran/;

interface Row {
  status: string;
  attempts: number;
  crashes: number;
  last_error: string | null;
}

function row(here: Site, id: number): Row {
  return here.sql
    .prepare('SELECT status, attempts, crashes, last_error FROM jobs WHERE id = ?')
    .get(id) as Row;
}

/** Restarts the supervisor, as systemd would, until nothing waits; gives the number of its deaths. */
async function untilDrained(here: Site, args: string[]): Promise<number> {
  for (let deaths = 0; ; deaths++) {
    assert.ok(deaths < 10, 'it dies over and over');
    const daemon = here.launch(args);
    const left = await Promise.race([daemon.ended, here.drained()]);
    if (left === undefined) {
      assert.equal((await daemon.stop()).code, 0);
      return deaths;
    }
    assert.equal(left.signal, 'SIGKILL', daemon.log);
  }
}

describe('a job that kills its process', { concurrency: 2 }, () => {
  it('16, 17: fails after 3 crashes, and its 200 neighbours lose no attempt', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job(
      'Mixed',
      'appendFileSync(ledger, `${context.id}\\n`); if (payload.kill) process.kill(process.pid, "SIGKILL");',
    );
    await here.ok('migrate');
    const killer = here.sql.transaction(() => {
      for (let i = 0; i < NEIGHBOURS / 2; i++) here.insert('Mixed');
      const id = here.insert('Mixed', { kill: true });
      for (let i = 0; i < NEIGHBOURS / 2; i++) here.insert('Mixed');
      return id;
    })();

    const started = performance.now();
    assert.equal(await untilDrained(here, ['--min-workers', '2']), 3);
    t.diagnostic(
      `three deaths and ${NEIGHBOURS} neighbours took ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );

    const dead = row(here, killer);
    assert.deepEqual([dead.status, dead.crashes], ['failed', 3]);
    assert.match(dead.last_error ?? '', DIED);
    const shown = await here.ok('jobs', 'show', String(killer));
    assert.match(shown, /3 crashes of its process/);
    assert.match(shown, /Last error +The process died 3 times while this job ran/);
    assert.equal(shown.match(/ crashed /g)?.length, 3, shown);
    assert.match(await here.ok('explain', String(killer)), /\) failed \(The process died 3 times/);

    const rest = here.sql
      .prepare('SELECT status, attempts, crashes, count(*) AS n FROM jobs WHERE id <> ? GROUP BY 1, 2, 3')
      .all(killer) as (Row & { n: number })[];
    assert.ok(
      rest.every(({ status, attempts, crashes }) => status === 'completed' && attempts === 1 && crashes < 3),
      JSON.stringify(rest),
    );
    assert.equal(
      rest.reduce((sum, { n }) => sum + n, 0),
      NEIGHBOURS,
    );
  });

  it('16: two of them, among long jobs, are both found', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job('Work', 'await sleep(payload.ms);');
    here.job('Kill', 'await sleep(20); process.kill(process.pid, "SIGKILL");');
    await here.ok('migrate');
    const long = [here.insert('Work', { ms: 400 }), here.insert('Work', { ms: 50 })];
    const killers = [here.insert('Kill'), here.insert('Kill')];
    const deaths = await untilDrained(here, ['--min-workers', '4']);
    assert.ok(deaths <= 6, `${deaths} deaths for two killers`);
    for (const id of killers) assert.deepEqual([row(here, id).status, row(here, id).crashes], ['failed', 3]);
    for (const id of long) assert.deepEqual([row(here, id).status, row(here, id).attempts], ['completed', 1]);
  });

  it('suspects of one crash and of two all run, one after another', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job('Work', 'return payload.n;');
    await here.ok('migrate');
    const insert = here.sql.prepare('INSERT INTO jobs (type, crashes) VALUES (?, ?)');
    for (const crashes of [1, 2, 1, 0, 2, 0]) insert.run('Work', crashes);
    await here.start(['--min-workers', '2']);
    await here.drained(5000);
    assert.equal(here.value(`SELECT count(*) FROM jobs WHERE status = 'completed' AND attempts = 1`), 6);
  });

  it('16: may be revived by hand, and dies as before', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job('Kill', 'process.kill(process.pid, "SIGKILL");');
    await here.ok('migrate');
    const id = here.insert('Kill');
    assert.equal(await untilDrained(here, []), 3);
    assert.equal(await here.ok('jobs', 'retry', String(id)), `Job #${id} will be tried again.\n`);
    const deaths = await untilDrained(here, []);
    assert.ok(deaths >= 1 && deaths <= 3, `${deaths} deaths`);
    assert.equal(row(here, id).status, 'failed');
    assert.match(row(here, id).last_error ?? '', DIED);
  });
});

describe('a handler that misbehaves costs its own attempts and nothing else', () => {
  it('20, 21, 22: abort, exit, memory, rejection, thrown null, a late throw', async (t) => {
    const here = new Site((clean) => t.after(clean));
    const bodies: Record<string, [body: string, reason: RegExp]> = {
      Abort: ['process.abort();', /abort\(\) is not supported in workers/],
      Exit: ['process.exit(3);', /exit/],
      ExitLater: ['setTimeout(() => process.exit(0), 20); await sleep(5000);', /exit/],
      Leak: ['const kept = []; for (;;) kept.push(new Array(1000).fill(Math.random()));', /memory/i],
      Buffers: [
        'const kept = []; for (let i = 0; i < 400; i++) { kept.push(Buffer.alloc(4e6, i)); await sleep(5); }',
        /Used [\d.]+ MB of memory; its limit is 64 MB/i,
      ],
      Reject: ['void Promise.reject(new Error("nobody listens")); await sleep(5000);', /nobody listens/],
      Throw: ['throw null;', /threw null/],
      Late: ['setTimeout(() => { throw new Error("too late"); }, 20); await sleep(5000);', /too late/],
      Spin: ['while (true) {}', /Timed out after 200ms/],
    };
    for (const [type, [body]] of Object.entries(bodies)) {
      const limits = type === 'Spin' ? `timeout: '200ms',` : type === 'Buffers' ? `memoryLimit: '64mb',` : '';
      here.job(type, body, `maxAttempts: 2, backoff: { base: '10ms' }, ${limits}`);
    }
    here.job('Good', 'return payload.n;');
    await here.ok('migrate');
    const ids: [string, number][] = [];
    const good: number[] = [];
    here.sql.transaction(() => {
      for (const type of Object.keys(bodies)) {
        for (let n = 0; n < 20; n++) good.push(here.insert('Good', { n }));
        ids.push([type, here.insert(type)]);
      }
    })();

    const daemon = await here.start(['--min-workers', '2']);
    await here.drained(60_000);
    assert.equal((await daemon.stop()).code, 0);
    for (const [type, id] of ids) {
      const { status, attempts, crashes, last_error: error } = row(here, id);
      assert.deepEqual([status, attempts, crashes], ['failed', 2, 0], `${type}: ${error}`);
      assert.match(error ?? '', bodies[type]![1], type);
    }
    const spoiled = here.sql
      .prepare(`SELECT * FROM jobs WHERE type = 'Good' AND (status <> 'completed' OR attempts <> 1)`)
      .all();
    assert.deepEqual(spoiled, []);
    assert.equal(good.length, 180);
  });
});
