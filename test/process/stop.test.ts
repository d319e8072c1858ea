/** Stopping: the daemon, one job of it, or a part of its workers (behaviours 32 to 37). */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, type Daemon, Site } from '../tools/daemon.ts';

const NAP = 'await context.progress(1); await sleep(payload.ms); return "rested";';
const SPIN = 'appendFileSync(ledger, `${context.id}\\n`); while (true) {}';

/** Resolves once its handler runs: a job that is only claimed goes back at once at a stop. */
async function begun(here: Site, id: number): Promise<void> {
  while (here.value('SELECT progress FROM jobs WHERE id = ?', id) === null) await sleep(5);
}

describe('stopping the supervisor', { concurrency: 2 }, () => {
  function site(t: { after: (clean: () => Promise<void>) => void }): Site {
    const made = new Site((clean) => t.after(clean));
    made.job('Nap', NAP);
    made.job('Deaf', SPIN, 'maxAttempts: 1,');
    return made;
  }

  it('lets a running job finish, claims nothing more and exits with 0', async (t) => {
    const here = site(t);
    const daemon = await here.start(['--max-workers', '1']);
    const running = here.insert('Nap', { ms: 700 });
    await begun(here, running);
    const waiting = here.insert('Nap', { ms: 1 });
    daemon.signal('SIGTERM');
    assert.deepEqual(await daemon.ended, { code: 0, signal: null });
    assert.equal(here.status(running), 'completed');
    assert.equal(here.status(waiting), 'pending');
    assert.equal(here.value('SELECT attempts FROM jobs WHERE id = ?', waiting), 0);
    assert.match(
      daemon.log,
      /stopping: no new jobs are claimed, running ones may finish why=SIGTERM\n(.*\n)*.* stopped\n$/,
    );
    assert.equal(here.value('SELECT count(*) FROM processes WHERE stopped_at IS NULL'), 0);
  });

  it('stops the same way at SIGINT, and leaves no write-ahead log behind', async (t) => {
    const here = site(t);
    const daemon = await here.start();
    daemon.signal('SIGINT');
    assert.deepEqual(await daemon.ended, { code: 0, signal: null });
    assert.ok(!existsSync(`${here.db}-wal`));
  });

  it('32: a second SIGTERM releases at once, and more change nothing', async (t) => {
    const here = site(t);
    const daemon = await here.start(['--min-workers=2']);
    const [asleep, deaf] = [here.insert('Nap', { ms: 60_000 }), here.insert('Deaf')];
    await begun(here, asleep);
    await here.reaches(deaf, 'processing');
    daemon.signal('SIGTERM');
    await daemon.line(/ stopping: /);
    const asked = performance.now();
    for (let i = 0; i < 20; i++) {
      daemon.signal('SIGTERM');
      await sleep(1);
    }
    assert.deepEqual(await daemon.ended, { code: 0, signal: null });
    assert.ok(performance.now() - asked < 3000, `${performance.now() - asked} ms`);
    for (const id of [asleep, deaf]) {
      assert.deepEqual(here.sql.prepare('SELECT status, attempts, crashes FROM jobs WHERE id = ?').get(id), {
        status: 'pending',
        attempts: 0,
        crashes: 0,
      });
    }
    assert.equal(daemon.log.match(/stopping at once/g)?.length, 1);
  });

  it('ends with 3 and one line where the last outcomes cannot be written', async (t) => {
    const here = site(t);
    const daemon = await here.start(['--drain-timeout', '1s']);
    const id = here.insert('Nap', { ms: 300 });
    await begun(here, id);
    here.sql.exec('BEGIN IMMEDIATE');
    daemon.signal('SIGTERM');
    assert.deepEqual(await daemon.ended, { code: 3, signal: null });
    here.sql.exec('ROLLBACK');
    assert.match(
      daemon.log,
      /\npassito: Stopped, but what became of one job could not be written to .*\n.*next start/,
    );
    const next = await here.start();
    await here.reaches(id, 'completed');
    assert.equal(here.value('SELECT attempts FROM jobs WHERE id = ?', id), 1);
    await next.stop();
  });

  it('does not wait for a handler inside a call that nothing can interrupt', async (t) => {
    const here = site(t);
    const inside = here.path('inside');
    // Nobody ever opens the other end of the pipe. execSync would not do: its program can be ended.
    execFileSync('/usr/bin/mkfifo', [here.path('pipe')]);
    const words = [inside, here.path('pipe')].map((path) => JSON.stringify(path));
    here.job(
      'Stuck',
      `appendFileSync(${words[0]}, ''); (await import('node:fs')).openSync(${words[1]}, 'r');`,
    );
    const daemon = await here.start();
    const id = here.insert('Stuck');
    while (!existsSync(inside)) await sleep(5);
    const asked = performance.now();
    daemon.signal('SIGTERM');
    await sleep(50);
    daemon.signal('SIGTERM');
    assert.deepEqual(await daemon.ended, { code: null, signal: 'SIGTERM' });
    assert.ok(performance.now() - asked < 5000, `${performance.now() - asked} ms`);
    assert.equal(here.status(id), 'pending');
    assert.match(daemon.log, /stopped; a handler is inside a call that cannot be interrupted/);
  });

  it('ends the program that a handler waits for in execSync, and with it the handler', async (t) => {
    const here = site(t);
    const inside = here.path('inside');
    const call = JSON.stringify(`touch ${inside}; sleep 30; true`);
    here.job('Shell', `(await import('node:child_process')).execSync(${call});`);
    const daemon = await here.start();
    const id = here.insert('Shell');
    while (!existsSync(inside)) await sleep(5);
    daemon.signal('SIGTERM');
    await sleep(50);
    daemon.signal('SIGTERM');
    assert.deepEqual(await daemon.ended, { code: 0, signal: null });
    assert.equal(here.status(id), 'pending');
  });

  it('33: an over-long job goes back with its attempt after --drain-timeout', async (t) => {
    const here = site(t);
    const daemon = await here.start(['--drain-timeout', '1s']);
    const id = here.insert('Nap', { ms: 60_000 });
    await begun(here, id);
    const asked = performance.now();
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
    const took = performance.now() - asked;
    assert.ok(took >= 950 && took < 4000, `${took} ms`);
    assert.match(daemon.log, new RegExp(`job given back id=${id} type=Nap attempt=1`));
    const row = here.sql
      .prepare(
        'SELECT status, attempts, crashes, available_at <= finished AS due FROM jobs, (SELECT max(stopped_at) AS finished FROM processes)',
      )
      .get();
    assert.deepEqual(row, { status: 'pending', attempts: 0, crashes: 0, due: 1 });
  });

  it('exits with 0 when it is stopped while it starts', async (t) => {
    const here = site(t);
    for (const wait of [60, 120, 200]) {
      const daemon = here.launch();
      await sleep(wait);
      const { code, signal } = await daemon.stop();
      // Before it listens for signals, Unix ends it; nothing has begun by then.
      assert.ok(code === 0 || signal === 'SIGTERM', `${code} ${signal} ${daemon.log}`);
    }
    await here.ok('migrate');
    assert.equal(here.value<string>('PRAGMA integrity_check'), 'ok');
  });
});

describe('stopping one job', () => {
  const here = new Site(after);
  let daemon: Daemon;

  before(async () => {
    here.job('Nap', NAP);
    here.job('Count', 'return payload.n;');
    here.job('Spin', SPIN, 'maxAttempts: 1,');
    here.job('Short', SPIN, `maxAttempts: 1, timeout: '300ms',`);
    here.job(
      'Polite',
      'await new Promise((resolve) => context.signal.addEventListener("abort", resolve)); appendFileSync(ledger, "asked"); throw context.signal.reason;',
      `maxAttempts: 1,`,
    );
    daemon = await here.start(['--min-workers', '2', '--max-workers', '2']);
  });

  it('34: a cancel from another process ends while(true){}', async () => {
    const id = here.insert('Spin');
    await here.until('SELECT started_at IS NOT NULL FROM jobs WHERE id = ?', [id]);
    while (!existsSync(here.path('ledger'))) await sleep(5);
    assert.equal(await here.ok('jobs', 'cancel', String(id)), `Job #${id} cancelled.\n`);
    assert.equal(here.status(id), 'cancelled');
    // The thread is ended two seconds later: both workers are free again.
    await daemon.line(new RegExp(`outcome dropped: .* id=${id}`), 6000);
    const naps = [here.insert('Nap', { ms: 10 }), here.insert('Nap', { ms: 10 })];
    for (const nap of naps) await here.reaches(nap, 'completed', 5000);
    assert.equal(here.status(id), 'cancelled');
  });

  it('34: a cancelled handler is asked first', async () => {
    const id = here.insert('Polite');
    await here.reaches(id, 'processing');
    await here.ok('jobs', 'cancel', String(id));
    const started = performance.now();
    while (!readFileSync(here.path('ledger'), 'utf8').includes('asked')) {
      assert.ok(performance.now() - started < 1500, 'within the time of grace');
      await sleep(5);
    }
    assert.equal(here.status(id), 'cancelled');
  });

  it('35: a timeout really stops the CPU', async () => {
    const id = here.insert('Short');
    await here.reaches(id, 'failed', 6000);
    assert.equal(
      here.value<string>('SELECT last_error FROM jobs WHERE id = ?', id),
      'Timed out after 300ms.',
    );
    const earlier = cpuSeconds(daemon.pid);
    await sleep(1000);
    const used = cpuSeconds(daemon.pid) - earlier;
    assert.ok(used < 0.3, `${used} s of CPU in an idle second`);
  });

  it('36: a running job cannot be deleted', async () => {
    const id = here.insert('Nap', { ms: 1500 });
    await here.reaches(id, 'processing');
    const refused = await here.run(['jobs', 'delete', String(id)]);
    assert.equal(refused.code, 1);
    assert.equal(refused.stdout, '');
    assert.equal(refused.stderr, `Job #${id} is processing (cancel it first); nothing was changed.\n`);
    await here.reaches(id, 'completed');
    assert.equal(await here.ok('jobs', 'delete', String(id)), `Job #${id} deleted.\n`);
    assert.equal(here.status(id), undefined);
  });
});

describe('scaling', () => {
  it('37: grows with the load, and shrinks without killing what runs', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job('Nap', NAP);
    const daemon = await here.start([
      '--min-workers=1',
      '--max-workers=8',
      '--check-interval=1',
      '--scale-up-threshold=2',
      '--scale-down-threshold=1',
    ]);
    const long = Array.from({ length: 6 }, () => here.insert('Nap', { ms: 4500 }));
    const many = Array.from({ length: 20 }, () => here.insert('Nap', { ms: 20 }));
    await daemon.line(/workers scaled from=1 to=8 /);
    for (const id of long) await here.reaches(id, 'processing');
    // All that is due has gone: the target falls to the minimum while six jobs run.
    await daemon.line(/workers scaled from=\d to=1 /);
    assert.ok(
      here.value(`SELECT count(*) FROM jobs WHERE status = 'processing'`) >= 5,
      'six jobs outlive the shrinking',
    );
    await here.drained();
    for (const id of [...long, ...many]) assert.equal(here.status(id), 'completed');
    assert.equal(here.value('SELECT max(attempts) FROM jobs'), 1);
    assert.equal(here.value('SELECT count(*) FROM attempts'), 0);
  });
});

describe('the world around a supervisor', () => {
  it('programs that a killed supervisor left running end before their jobs run again', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.write(
      'passito.config.json',
      JSON.stringify({ jobs: { Long: { command: ['/bin/sh', '-c', 'echo $$ >> pids; sleep 60 & wait'] } } }),
    );
    const first = await here.start();
    const id = here.insert('Long');
    const pids = () =>
      existsSync(`${here.folder}/pids`) ? readFileSync(`${here.folder}/pids`, 'utf8').trim().split('\n') : [];
    while (pids().length < 1) await sleep(5);
    await first.kill();
    assert.ok(existsSync(`/proc/${pids()[0]}`), 'it outlives its supervisor');
    const second = await here.start();
    while (pids().length < 2) await sleep(5);
    const [old] = pids();
    assert.ok(
      !existsSync(`/proc/${old}`) || readFileSync(`/proc/${old}/stat`, 'utf8').includes(') Z'),
      'two at once',
    );
    assert.equal(here.value('SELECT crashes FROM jobs WHERE id = ?', id), 1);
    second.signal('SIGTERM');
    await second.line(/ stopping: /);
    second.signal('SIGTERM');
    await second.ended;
  });

  it('ends with 3 where its database was replaced', async (t) => {
    const here = new Site((clean) => t.after(clean));
    const daemon = await here.start();
    renameSync(here.db, `${here.db}.old`);
    assert.deepEqual(await daemon.ended, { code: 3, signal: null });
    assert.match(
      daemon.log,
      /\npassito: The database .*passito\.db was deleted or replaced while the supervisor ran\.\n/,
    );
  });

  it('a database behind a link: files and keys lie beside the database, and dispatches are seen at once', async (t) => {
    const here = new Site((clean) => t.after(clean));
    mkdirSync(`${here.folder}/links`);
    symlinkSync('../passito.db', `${here.folder}/links/p.db`);
    here.job('Nap', NAP);
    const daemon = await here.start(['--db', 'links/p.db']);
    const id = here.insert('Nap', { ms: 1 });
    await here.reaches(id, 'completed');
    assert.deepEqual(readdirSync(`${here.folder}/links`), ['p.db']);
    assert.match(daemon.log, / db=\S*\/passito\.db /);
    await daemon.stop();
  });
});
