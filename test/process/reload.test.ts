/** SIGHUP: jobs and settings as they are now, while what runs ends as it began. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';
import { ask } from '../tools/http.ts';
import { NotifySocket, pathWithNotify } from '../tools/notify-socket.ts';

const site = (t: TestContext) => new Site((clean) => t.after(clean));

/** A handler that says that it runs, and ends once the file is there. */
const HELD = `await context.progress(1);
while (!existsSync(payload.until)) await sleep(10);
return 'old';`;

/** Resolves once its handler runs. */
async function begun(here: Site, id: number): Promise<void> {
  await here.until('SELECT progress IS NOT NULL FROM jobs WHERE id = ?', [id]);
}

const result = (here: Site, id: number) =>
  JSON.parse(here.value<string>('SELECT result FROM jobs WHERE id = ?', id)) as unknown;

describe('reloading the supervisor', { concurrency: 2 }, () => {
  it('new jobs run with the new code at once, and a job that runs ends with the old', async (t) => {
    const here = site(t);
    here.job('Turn', `const { existsSync } = await import('node:fs'); ${HELD}`);
    const daemon = await here.start(['--max-workers', '2']);
    const held = here.insert('Turn', { until: here.path('go') });
    await begun(here, held);

    here.job('Turn', `return 'new';`);
    here.job('Added', `return 'added';`);
    await daemon.reload();
    const [turn, added] = [here.insert('Turn'), here.insert('Added')];
    await here.reaches(turn, 'completed');
    await here.reaches(added, 'completed');
    assert.deepEqual([result(here, turn), result(here, added)], ['new', 'added']);
    assert.equal(here.status(held), 'processing');
    await here.until(`SELECT count(*) = 1 FROM processes WHERE info ->> 'retiring'`);
    const text = await here.ok('status');
    assert.match(text, /^Supervisor pid \d+, up \d+s: reloaded; it finishes what it had begun$/m);

    here.write('go', '');
    await here.reaches(held, 'completed');
    assert.equal(result(here, held), 'old');
    assert.equal(here.value('SELECT attempts FROM jobs WHERE id = ?', held), 1);
    await here.until('SELECT count(*) = 1 FROM processes WHERE stopped_at IS NOT NULL');
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  });

  it('a cancel reaches a job of the former generation', async (t) => {
    const here = site(t);
    here.job('Deaf', 'await context.progress(1); while (true) {}');
    const daemon = await here.start();
    const deaf = here.insert('Deaf');
    await begun(here, deaf);
    await daemon.reload();
    await here.ok('jobs', 'cancel', String(deaf));
    await here.until('SELECT count(*) = 1 FROM processes WHERE stopped_at IS NOT NULL');
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  });

  it('a stop ends all generations within its time, and gives back what they ran', async (t) => {
    const here = site(t);
    here.job('Nap', 'await context.progress(1); await sleep(60_000);');
    const daemon = await here.start(['--drain-timeout', '500ms', '--max-workers', '2']);
    const naps: number[] = [];
    for (let i = 0; i < 3; i++) {
      naps.push(here.insert('Nap'));
      await begun(here, naps[i]!);
      await daemon.reload();
    }
    const asked = performance.now();
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
    assert.ok(performance.now() - asked < 10_000);
    for (const id of naps) {
      const row = here.sql.prepare('SELECT status, attempts, crashes FROM jobs WHERE id = ?').get(id);
      assert.deepEqual(row, { status: 'pending', attempts: 0, crashes: 0 });
    }
    assert.equal(here.value('SELECT count(*) FROM processes WHERE stopped_at IS NULL'), 0);
  });

  it('kill -9 in the middle loses no job of either generation', async (t) => {
    const here = site(t);
    here.job('Held', `const { existsSync } = await import('node:fs'); ${HELD}`);
    const daemon = await here.start();
    const first = here.insert('Held', { until: here.path('go') });
    await begun(here, first);
    await daemon.reload();
    const second = here.insert('Held', { until: here.path('go') });
    await begun(here, second);
    await daemon.kill();
    here.write('go', '');
    await here.start();
    for (const id of [first, second]) await here.reaches(id, 'completed');
  });

  it('what is wrong is refused, with the reason, and all goes on as before', async (t) => {
    const here = site(t);
    const systemd = await NotifySocket.bind(here.path('notify'), (clean) => t.after(clean));
    Object.assign(here.env, { NOTIFY_SOCKET: systemd.path, PATH: pathWithNotify(here.folder) });
    here.job('Good', `return 'old';`);
    const daemon = await here.start();
    await systemd.message(['READY=1']);

    const refused = /the reload was refused; all goes on as before/;
    here.write('jobs/Bad.ts', 'export default { handle() { enum A { B } } };');
    assert.match(await daemon.reload(refused), /Bad\.ts.*line 1.*enum/);
    const ready = await systemd.message(['READY=1', /; reload refused: .*Bad\.ts/]);
    assert.equal(ready.length, 2);
    assert.ok(systemd.messages.some((message) => message.includes('RELOADING=1')));

    here.write('jobs/Bad.ts', 'export default { handle() {} };');
    here.write('passito.config.json', '{ "maxWorkers": "many", "scaleUpThreshold": 1 }');
    const line = await daemon.reload(refused);
    assert.match(line, /maxWorkers in passito\.config\.json cannot be 'many'/);
    assert.match(line, /scale-down threshold \(2, the default\) must be below/);

    const job = here.insert('Good');
    await here.reaches(job, 'completed');
    assert.equal(
      here.value('SELECT count(*) FROM processes'),
      1,
      'no trace of the generation that was refused',
    );

    here.write('passito.config.json', '{ "maxWorkers": 7 }');
    const before = systemd.messages.length;
    await daemon.reload();
    await systemd.message(['READY=1', /^STATUS=1 of 7 workers, 0 due, 0 running, 0 failed$/], before);
    await daemon.stop();
  });

  it('the config file is read anew, with what it imports, and schedules follow it', async (t) => {
    const here = site(t);
    here.job('Tick', 'return 1;');
    const cron = (minute: number) =>
      here.write('crons.ts', `export const cron: string = '${minute} 5 * * *';`);
    here.write(
      'passito.config.ts',
      `import { cron } from './crons.ts'; export default { schedules: { mine: { cron, type: 'Tick' } } };`,
    );
    cron(10);
    const daemon = await here.start();
    assert.match(await here.ok('schedule', 'list'), /10 5 \* \* \*/);
    cron(20);
    await daemon.reload();
    assert.equal(here.value("SELECT cron FROM schedules WHERE name = 'mine'"), '20 5 * * *');
    await daemon.stop();
  });

  it('the env file is read anew, also what systemd had put into the environment out of it', async (t) => {
    const here = site(t);
    here.job('Env', 'return [process.env.PASSITO_MAX_WORKERS, process.env.SHOP, process.env.OWN];');
    here.write('.env', 'PASSITO_MAX_WORKERS=3\nSHOP=old\nOWN=file\n');
    Object.assign(here.env, { PASSITO_MAX_WORKERS: '3', SHOP: 'old', OWN: 'environment' });
    const daemon = await here.start();
    const info = () =>
      JSON.parse(here.value<string>('SELECT info FROM processes ORDER BY id DESC')) as object;
    assert.equal((info() as { max: number }).max, 3);
    here.write('.env', 'PASSITO_MAX_WORKERS=5\nSHOP=new\nOWN=file\n');
    await daemon.reload();
    assert.equal((info() as { max: number }).max, 5);
    const job = here.insert('Env');
    await here.reaches(job, 'completed');
    assert.deepEqual(result(here, job), ['5', 'new', 'environment']);
    await daemon.stop();
  });

  it('no request is refused or cut, on the socket and on the port', async (t) => {
    const here = site(t);
    here.job('Nap', 'await context.progress(1); await sleep(500); return 1;');
    const daemon = await here.start(['--http', '0']);
    const port = /address=(\S+)/.exec(await daemon.line(/HTTP is served/))![1]!;
    const socket = here.path('passito.sock');
    const nap = here.insert('Nap');
    await begun(here, nap);
    // Asked of the generation that is replaced meanwhile.
    const waited = ask(socket, `/v1/jobs/${nap}?wait=10`);

    const asking = new AbortController();
    const answers = { socket: 0, port: 0 };
    const asks = (['socket', 'port'] as const).map(async (name) => {
      for (; !asking.signal.aborted; answers[name]++) {
        const { status } = await ask(name === 'socket' ? socket : port, '/healthz');
        assert.equal(status, 200);
      }
    });
    for (let i = 0; i < 4; i++) await daemon.reload();
    asking.abort();
    await Promise.all(asks);
    t.diagnostic(JSON.stringify(answers));
    assert.ok(answers.socket > 10 && answers.port > 10);
    assert.equal((JSON.parse((await waited).text) as { status: string }).status, 'completed');
    await daemon.stop();
    assert.ok(!existsSync(socket));
  });

  it('a wait that began before is answered when its job ends, not at the reload', async (t) => {
    const here = site(t);
    here.job('Soon', 'return 1;');
    const daemon = await here.start();
    const id = (await here.json<{ id: number }>('dispatch', 'Soon', '--delay', '2s')).id;
    const waited = ask(here.path('passito.sock'), `/v1/jobs/${id}?wait=20`);
    await sleep(100);
    await daemon.reload();
    assert.equal((JSON.parse((await waited).text) as { status: string }).status, 'completed');
    await daemon.stop();
  });

  it('JavaScript is kept as it was too: what is refused or half written changes nothing that runs', async (t) => {
    const here = site(t);
    const source = (answer: string) =>
      `import { said } from './lib/said.js';\nexport default { maxAttempts: 1, handle: () => said('${answer}') };`;
    here.write('jobs/lib/said.js', 'export const said = (word) => word;');
    here.write('jobs/V.js', source('old'));
    const daemon = await here.start(['--min-workers', '1']);
    here.write('jobs/V.js', 'export default {{ broken');
    rmSync(here.path('jobs', 'lib'), { recursive: true });
    await daemon.reload(/the reload was refused/);
    const ids = Array.from({ length: 8 }, () => here.insert('V'));
    for (const id of ids) await here.reaches(id, 'completed');
    assert.deepEqual(new Set(ids.map((id) => result(here, id))), new Set(['old']));
    await daemon.stop();
  });

  it('a config file that never finishes loading holds up neither the queue nor a stop', async (t) => {
    const here = site(t);
    here.job('Good', 'return 1;');
    const daemon = await here.start();
    here.write('passito.config.mjs', 'await new Promise(() => {}); export default {};');
    await daemon.reload(/reloading the configuration/);
    await here.reaches(here.insert('Good'), 'completed');
    const asked = performance.now();
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
    assert.ok(performance.now() - asked < 8000, `${performance.now() - asked} ms`);
    assert.equal(here.value('SELECT count(*) FROM processes WHERE stopped_at IS NULL'), 0);
  });

  it('the former database may go: only the newest one counts', async (t) => {
    const here = site(t);
    here.job('Nap', 'await context.progress(1); await sleep(8000); return 1;');
    here.env['PASSITO_DB'] = '';
    here.write('.env', 'PASSITO_DB=x/a.db\n');
    mkdirSync(here.path('x'));
    const daemon = await here.start();
    await here.ok('dispatch', 'Nap', '--db', 'x/a.db');
    await sleep(500);
    here.write('.env', 'PASSITO_DB=y/b.db\n');
    await daemon.reload();
    renameSync(here.path('x'), here.path('x-old'));
    await sleep(6500);
    assert.ok(!daemon.gone, daemon.log);
    assert.match(await here.ok('health', '--db', 'y/b.db'), /healthy/);
    await daemon.stop();
  });

  it('twenty SIGHUPs at once are at most two reloads, and many leave nothing behind', async (t) => {
    const here = site(t);
    const daemon = await here.start();
    const from = daemon.log.length;
    for (let i = 0; i < 20; i++) daemon.signal('SIGHUP');
    await daemon.line(/reloaded; /, 10_000, from);
    // One more after all that these may have asked for.
    await daemon.reload();
    await daemon.reload();
    const count = daemon.log.slice(from).match(/reloaded; /g)!.length;
    assert.ok(count <= 4, `${count} reloads`);

    const held = () => ['fd', 'task'].map((kind) => readdirSync(`/proc/${daemon.pid}/${kind}`).length);
    const quiet = () => here.until(`SELECT count(*) = 1 FROM processes WHERE stopped_at IS NULL`);
    await quiet();
    const [files, threads] = held();
    for (let i = 0; i < 20; i++) await daemon.reload();
    await quiet();
    await sleep(200);
    const [filesNow, threadsNow] = held();
    assert.ok(
      filesNow! <= files! + 2 && threadsNow! <= threads! + 1,
      [files, threads, filesNow, threadsNow].join(' '),
    );
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  });

  it('a worker stops at SIGHUP, and so does a supervisor whose terminal was closed', async (t) => {
    const here = site(t);
    const worker = await here.start([], 'worker');
    worker.signal('SIGHUP');
    assert.deepEqual(await worker.ended, { code: 0, signal: null });

    // Its own terminal, which ends with it.
    const terminal = spawn('script', ['-qfc', `exec '${executable}' supervisor`, '/dev/null'], {
      cwd: here.folder,
      env: here.env,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let text = '';
    terminal.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    while (!/ ready /.test(text)) await sleep(10);
    terminal.kill('SIGKILL');
    await here.until(
      `SELECT count(*) = 2 FROM processes WHERE stopped_at IS NOT NULL AND kind IN ('worker','supervisor')`,
    );
  });
});
