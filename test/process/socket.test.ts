/** The local socket, and the same on a port, of the real executable. */

import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { Agent } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Site } from '../tools/daemon.ts';
import { STRANGER } from '../tools/daemon-messages.ts';
import { executable } from '../tools/executable.ts';
import { ask, get, post } from '../tools/http.ts';

type Ends = { after: (clean: () => Promise<void> | void) => void };

/** A site with a job that takes some milliseconds, and one that takes as long as it is told. */
function prepared(t: Ends, env: Record<string, string> = {}) {
  const here = new Site((clean) => t.after(clean), env);
  here.job('Add', 'return { sum: payload.a + payload.b };');
  here.job('Slow', 'await sleep(payload.ms); if (payload.fail) discard("no"); return "done";');
  return { here, socket: here.path('passito.sock') };
}

const add = { type: 'Add', payload: { a: 1, b: 2 } };

describe('the local socket', { concurrency: 2 }, () => {
  it('takes a job, and tells how it ended at the moment it ends', async (t) => {
    const { here, socket } = prepared(t);
    const daemon = await here.start();
    assert.equal(statSync(socket).mode & 0o7777, 0o660);
    const made = await post(socket, add);
    assert.deepEqual(made, { status: 201, body: { id: 1, existing: false } });
    const { status, body } = await get(socket, '/v1/jobs/1?wait=20');
    assert.deepEqual([status, body.status, body.result], [200, 'completed', { sum: 3 }]);
    assert.deepEqual(body, await here.json('jobs', 'show', '1'));

    await post(socket, { type: 'Slow', payload: { ms: 300 }, unique_key: 'u' });
    const again = await post(socket, { type: 'Slow', payload: { ms: 300 }, unique_key: 'u' });
    assert.deepEqual(again, { status: 200, body: { id: 2, existing: true } });
    const waited = await get(socket, '/v1/jobs/2?wait=20');
    const late =
      Date.now() - Date.parse(`${String(here.value('SELECT finished_at FROM jobs WHERE id = 2'))}Z`);
    assert.equal(waited.body.status, 'completed');
    assert.ok(late < 500, `told ${late} ms after the end`);

    assert.match(await here.ok('status'), new RegExp(`\\n  socket ${socket}\\n`));
    const { status: healthy, body: health } = await get(socket, '/healthz');
    assert.deepEqual([healthy, health.healthy], [200, true]);
    assert.equal((await daemon.stop()).code, 0);
    assert.ok(!existsSync(socket), 'removed at the stop');
  });

  it('many lines at once, in batches or as one; every slip with its line and key', async (t) => {
    const { here, socket } = prepared(t);
    await here.start();
    const lines = Array.from({ length: 601 }, (_, i) =>
      JSON.stringify({ ...add, ref: `r${i}`, ...(i > 0 && { depends_on: `r${i - 1}` }) }),
    );
    for (const query of ['', '?atomic=1']) {
      const { status, body } = await post(socket, lines.join('\n'), { kind: 'lines', query });
      assert.deepEqual([status, body.dispatched, body.jobs.length], [201, 601, 601]);
    }
    await here.drained();
    assert.equal(here.value(`SELECT count(*) FROM jobs WHERE status = 'completed'`), 1202);

    const bad = [...lines.slice(0, 600), '{"type":"Add","max_atempts":1,"queue":"a b"}'].join('\n');
    const refused = await post(socket, bad, { kind: 'lines' });
    assert.equal(refused.status, 400);
    assert.deepEqual(
      refused.body.error.problems?.map(({ line, key }) => [line, key]),
      [
        [601, 'max_atempts'],
        [601, 'queue'],
      ],
    );
    const orphan = await post(
      socket,
      [...lines.slice(0, 600), '{"type":"Add","depends_on":9999}'].join('\n'),
      {
        kind: 'lines',
      },
    );
    assert.deepEqual([orphan.status, orphan.body.error.code], [422, 'UNKNOWN_DEPENDENCY']);
    const many = await post(socket, '{"type":"Add"}\n'.repeat(10_001), { kind: 'lines' });
    assert.equal(many.status, 413);
    const large = await post(socket, { type: 'Add', payload: 'x'.repeat(10 * 1024 ** 2) });
    assert.deepEqual([large.status, large.body.error.problems?.[0]?.key], [413, 'payload']);
    assert.equal(here.value('SELECT count(*) FROM jobs'), 1202, 'nothing of them was written');
  });

  it('payloads are checked by their types, in a thread; one that hangs is let through', async (t) => {
    const { here, socket } = prepared(t);
    const standard = (validate: string) =>
      `schema: { '~standard': { version: 1, vendor: 'x', validate(value: any) { ${validate} } } } as any,`;
    here.job('Strict', '', `${standard(`return value.id > 0 ? { value } : { issues: [{ message: 'needed', path: ['id'] }] };`)} unique: ({ id }: any) => 'id ' + id,`);
    here.job('Hangs', '', standard('for (;;);'));
    // One worker, and it is busy.
    const daemon = await here.start(['--max-workers', '1']);
    await post(socket, { type: 'Slow', payload: { ms: 60_000 } });
    await here.reaches(1, 'processing');
    const wrong = await post(socket, { type: 'Strict', payload: {} });
    assert.equal(wrong.status, 400);
    assert.match(wrong.body.error.message, /The payload does not fit Strict: id: needed\./);
    const office = await post(socket, { type: 'GenerateQrCode', payload: {} });
    assert.deepEqual([office.status, office.body.error.problems?.[0]?.key], [400, 'payload']);
    const strict = { type: 'Strict', payload: { id: 7 } };
    assert.deepEqual(await post(socket, strict), { status: 201, body: { id: 2, existing: false } });
    assert.deepEqual(await post(socket, strict), { status: 200, body: { id: 2, existing: true } });
    assert.equal(here.value('SELECT unique_key FROM jobs WHERE id = 2'), 'id 7');
    assert.equal((await post(socket, { type: 'Hangs' })).status, 201);
    await daemon.line(/payloads of this type are not checked at dispatch.*type=Hangs/);
    const started = Date.now();
    assert.equal((await post(socket, { type: 'Hangs' })).status, 201);
    assert.ok(Date.now() - started < 1500, 'it is not tried again');
    assert.equal(here.status(1), 'processing');
    assert.equal((await post(socket, { type: 'NobodyKnowsIt' })).status, 201);
  }); // prettier-ignore

  it('what was answered is there after kill -9, and its socket is taken over', async (t) => {
    const { here, socket } = prepared(t);
    for (let round = 0; round < 5; round++) {
      const daemon = await here.start();
      const answered: number[] = [];
      const agent = new Agent({ keepAlive: true });
      const clients = Array.from({ length: 8 }, async () => {
        for (;;) answered.push((await post(socket, { ...add, delay: '1h' }, { agent })).body.id);
      });
      const ended = Promise.allSettled(clients);
      while (answered.length < 1 + 20 * round) await sleep(1);
      await daemon.kill();
      await ended;
      agent.destroy();
      assert.ok(existsSync(socket), 'it had no time to remove it');
      for (const id of answered) assert.equal(here.status(id), 'pending', `job ${id} of ${answered.length}`);
    }
  });

  it('a second supervisor leaves it to the first, and takes over', { timeout: 60_000 }, async (t) => {
    const { here, socket } = prepared(t);
    const first = await here.start();
    const second = await here.start();
    await second.line(/another process serves the local socket; this one takes over when it has gone path=/);
    const told = await here.json<{ processes: { pid: number; socket: string | null }[] }>('status');
    assert.deepEqual(
      told.processes.map(({ pid, socket: at }) => [pid, at]),
      [
        [first.pid, socket],
        [second.pid, null],
      ],
    );
    await first.stop();
    await second.line(/the local socket is served/, 15_000);
    assert.equal((await post(socket, add)).status, 201);
    assert.equal((await second.stop()).code, 0);
    assert.ok(!existsSync(socket));
  });

  it('in $RUNTIME_DIRECTORY, elsewhere, or nowhere', async (t) => {
    const { here } = prepared(t, { RUNTIME_DIRECTORY: '' });
    const run = here.path('run');
    mkdirSync(run);
    here.env['RUNTIME_DIRECTORY'] = `${run}:/nowhere`;
    const first = await here.start();
    assert.equal((await post(`${run}/passito.sock`, add)).status, 201);
    await first.stop();
    const second = await here.start(['--socket', 'run/own.sock']);
    assert.equal((await post(`${run}/own.sock`, add)).status, 201);
    await second.stop();
    const third = await here.start(['--socket', 'off']);
    assert.ok(!existsSync(`${run}/passito.sock`) && !existsSync(here.path('passito.sock')));
    assert.doesNotMatch(third.log, /socket/);
    await third.stop();
    // Where nobody named the path, it is no reason not to run jobs.
    here.env['RUNTIME_DIRECTORY'] = here.path('x'.repeat(100));
    const fourth = await here.start();
    await fourth.line(/warn .*the local socket is not served .*107 bytes/);
    await fourth.stop();
    const named = await here.run(['supervisor', '--socket', here.path('none/s')]);
    assert.deepEqual([named.code, named.stderr.trim().split('\n').slice(-2)], [
      3,
      [
        `passito: The local socket ${here.path('none/s')} cannot be served: its folder is not there.`,
        'Name another path with --socket; off leaves it out.',
      ],
    ]); // prettier-ignore
  });

  it('is served by a service that may write into its own folders alone', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('only root can become another user');
    const { here } = prepared(t);
    // As under systemd: the folders are the service's, what they lie in is root's.
    const file = here.path('passito');
    copyFileSync(executable, file, constants.COPYFILE_FICLONE);
    for (const name of ['state', 'run']) {
      mkdirSync(here.path(name));
      chownSync(here.path(name), STRANGER, STRANGER);
    }
    chmodSync(here.folder, 0o755);
    here.env['PASSITO_DB'] = here.path('state', 'passito.db');
    here.env['RUNTIME_DIRECTORY'] = here.path('run');
    const daemon = here.launch([], 'supervisor', { file, uid: STRANGER });
    await daemon.line(/the local socket is served path=\S+\/run\/passito\.sock/);
    assert.equal((await post(here.path('run', 'passito.sock'), add)).status, 201);
    await daemon.stop();
    assert.deepEqual(readdirSync(here.path('run')), []);
  });

  it('/healthz judges by the configured threshold, as the command does', async (t) => {
    const { here, socket } = prepared(t, { PASSITO_ALERT_THRESHOLD: '1h' });
    const daemon = await here.start(['--queues', 'served']);
    here.sql.exec(
      `INSERT INTO jobs (type, queue, available_at) VALUES ('Add', 'other', strftime('%Y-%m-%d %H:%M:%f', 'now', '-20 minutes'))`,
    );
    assert.deepEqual(await get(socket, '/healthz').then(({ status, body }) => [status, body.healthy]), [
      200,
      true,
    ]);
    assert.equal((await here.json<{ healthy: boolean }>('health')).healthy, true);
    await daemon.stop();
  });

  it('a database that another program holds is said within seconds, and nothing is written later', async (t) => {
    const { here, socket } = prepared(t);
    await here.start();
    here.sql.exec('BEGIN IMMEDIATE');
    const started = Date.now();
    const { status, body } = await post(socket, add);
    assert.deepEqual([status, body.error.code], [503, 'DATABASE_BUSY']);
    assert.ok(Date.now() - started < 10_000);
    here.sql.exec('ROLLBACK');
    assert.equal((await post(socket, add)).status, 201);
    assert.equal(here.value('SELECT count(*) FROM jobs'), 1);
  });

  it('a stop answers those who wait, and serves until what runs has ended', async (t) => {
    const { here, socket } = prepared(t);
    const daemon = await here.start(['--drain-timeout', '10s']);
    await post(socket, { type: 'Slow', payload: { ms: 1500 } });
    await post(socket, { ...add, delay: '1h' });
    await here.reaches(1, 'processing');
    const running = get(socket, '/v1/jobs/1?wait=60');
    const waiting = get(socket, '/v1/jobs/2?wait=60');
    await sleep(100);
    daemon.signal('SIGTERM');
    await daemon.line(/stopping/);
    assert.equal((await post(socket, { ...add, delay: '1h' })).status, 201);
    assert.equal((await running).body.status, 'completed');
    assert.equal((await waiting).body.status, 'pending');
    assert.equal((await daemon.ended).code, 0);
    assert.equal(here.status(3), 'pending');
  });
});

describe('HTTP on a port', () => {
  it('is there where it is asked for, for this machine, and not for pages of others', async (t) => {
    const { here } = prepared(t);
    const daemon = await here.start(['--http', '0']);
    const where = /address=(\S+)/.exec(await daemon.line(/HTTP is served/))![1]!;
    assert.match(where, /^127\.0\.0\.1:\d+$/);
    assert.equal((await post(where, add)).status, 201);
    const rebound = await ask(where, '/v1/jobs/1', { headers: { host: 'evil.example' } });
    assert.equal(rebound.status, 403);
    assert.match(await here.ok('status'), new RegExp(`\\n  http   ${where}\\n`));
    const taken = await here.run(['supervisor', '--http', where]);
    assert.equal(taken.code, 3);
    assert.match(
      taken.stderr,
      /HTTP cannot be served on 127\.0\.0\.1:\d+: another program listens there already\./,
    );
  });

  it('is refused for other machines, unless that is said', async (t) => {
    const { here } = prepared(t);
    for (const address of ['0.0.0.0:0', '[::]:0', '192.168.1.7:80', 'gate.example.edu:80']) {
      const { code, stderr } = await here.run(['supervisor', '--http', address]);
      assert.equal(code, 2, address);
      assert.match(stderr, /PASSITO_HTTP_OPEN=yes allows it/);
    }
    here.env['PASSITO_HTTP_OPEN'] = 'yes';
    const daemon = await here.start(['--http', '0.0.0.0:0']);
    await daemon.line(/HTTP is served address=0\.0\.0\.0:\d+/);
  });
});
