/**
 * What systemd hears from the executable, over a real notify socket: ready, alive, stopping. Needs perl
 * (perl-base), which binds the socket; systemd-notify is systemd's own where the machine has systemd.
 */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { NotifySocket, pathWithNotify, writeProgram } from '../tools/notify-socket.ts';

/** The watchdog wants to hear something twice as often as it says: here every second. */
const WATCHDOG_USEC = '2000000';

async function watched(t: TestContext): Promise<{ here: Site; systemd: NotifySocket }> {
  const here = new Site((clean) => t.after(clean));
  const systemd = await NotifySocket.bind(here.path('notify'), (clean) => t.after(clean));
  Object.assign(here.env, { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC, PATH: pathWithNotify(here.folder) });
  return { here, systemd };
}

describe('under systemd', { concurrency: 3 }, () => {
  it('says when it is ready, feeds the watchdog with live numbers, and says that it stops', async (t) => {
    const { here, systemd } = await watched(t);
    here.job('Bad', `throw new Error('no');`, 'maxAttempts: 1,');
    here.job('Nap', `await context.progress(1); await sleep(3000); return Object.keys(process.env);`);
    const daemon = await here.start(['--max-workers', '3']);
    const ready = await systemd.message(['READY=1']);
    assert.deepEqual(ready, ['READY=1', 'STATUS=1 of 3 workers, 0 due, 0 running, 0 failed']);

    await here.reaches(here.insert('Bad'), 'failed');
    const nap = here.insert('Nap');
    await systemd.message(['WATCHDOG=1', /^STATUS=\d of 3 workers, 0 due, 1 running, 1 failed$/]);

    const before = systemd.messages.length;
    daemon.signal('SIGTERM');
    await systemd.message(['STOPPING=1', 'EXTEND_TIMEOUT_USEC=45000000'], before);
    // A drain may take longer than the watchdog's time.
    await systemd.message(['WATCHDOG=1', /^STATUS=stopping; .* 1 running/], before);
    assert.deepEqual(await daemon.ended, { code: 0, signal: null });
    assert.equal(here.status(nap), 'completed');

    const seen = here.value<string>('SELECT result FROM jobs WHERE id = ?', nap);
    assert.doesNotMatch(seen, /NOTIFY_SOCKET|WATCHDOG/, 'no handler speaks for the supervisor');
    assert.doesNotMatch(daemon.log, /systemd could not be told/);
  });

  it('is fed while another program holds the database locked: a restart would mend nothing', async (t) => {
    const { here, systemd } = await watched(t);
    const daemon = await here.start();
    await systemd.message(['READY=1']);
    here.sql.exec('BEGIN IMMEDIATE');
    const before = systemd.messages.length;
    for (let pings = 0; pings < 3; pings++) await systemd.message(['WATCHDOG=1'], before + pings);
    here.sql.exec('ROLLBACK');
    await daemon.stop();
  });

  it('falls silent when the process stands still', async (t) => {
    const { here, systemd } = await watched(t);
    const daemon = await here.start();
    await systemd.message(['WATCHDOG=1']);
    daemon.signal('SIGSTOP');
    const before = systemd.messages.length;
    await assert.rejects(systemd.message(['WATCHDOG=1'], before, 2500));
    daemon.signal('SIGCONT');
    await systemd.message(['WATCHDOG=1'], before);
    await daemon.stop();
  });

  for (const [what, program, reason] of [
    ['fails', '#!/bin/sh\nexit 1\n', 'systemd-notify ended with 1'],
    ['is missing', undefined, 'spawn systemd-notify ENOENT'],
  ] as const) {
    it(`works on, and warns once, where systemd-notify ${what}`, async (t) => {
      const { here } = await watched(t);
      here.job('Good', 'return 1;');
      here.env['PATH'] = program === undefined ? here.path('nowhere') : writeProgram(here.folder, program);
      here.env['WATCHDOG_USEC'] = '200000';
      const daemon = await here.start();
      await daemon.line(new RegExp(`systemd could not be told error="${reason}"`));
      await here.reaches(here.insert('Good'), 'completed');
      assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
      assert.equal(daemon.log.match(/could not be told/g)?.length, 1);
    });
  }

  it('neither waits for a systemd-notify that hangs, nor is held up by it at a stop', async (t) => {
    const { here } = await watched(t);
    here.job('Good', 'return 1;');
    here.env['PATH'] = `${writeProgram(here.folder, '#!/bin/sh\nexec sleep 30\n')}:/usr/bin:/bin`;
    const daemon = await here.start();
    await here.reaches(here.insert('Good'), 'completed');
    const asked = performance.now();
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
    assert.ok(performance.now() - asked < 3000, `${performance.now() - asked} ms`);
  });
});
