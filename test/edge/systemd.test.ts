/** When systemd's watchdog is fed, and when not: by the fake clock. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../src/edge/log.ts';
import { takeNotifier } from '../../src/edge/systemd/notify.ts';
import { SystemdService, type Vitals } from '../../src/edge/systemd/service.ts';
import { FakeClock } from '../tools/engine.ts';

const NUMBERS: Vitals = {
  workers: 3,
  maxWorkers: 10,
  running: 2,
  silentFor: 5000,
  counts: () => ({ due: '12', failed: '1' }),
};

const STATUS = 'STATUS=3 of 10 workers, 12 due, 2 running, 1 failed';
/** A message that feeds it. */
const FED = ['WATCHDOG=1', STATUS];

function service(watchdog: number | null) {
  const clock = new FakeClock();
  const sent: string[][] = [];
  const logged: string[] = [];
  const note = (_fields: object, message: string) => logged.push(message);
  const notifier = { watchdog, send: async (...said: string[]) => void sent.push(said) };
  const vitals = { ...NUMBERS };
  const systemd = new SystemdService(notifier, clock, { warn: note, error: note } as unknown as Log);
  systemd.ready(() => vitals);
  assert.deepEqual(sent.splice(0), [['READY=1', STATUS]]);
  return { clock, sent, logged, vitals, systemd };
}

test('it is fed at half of its time, at least every minute', async () => {
  for (const [watchdog, every] of [
    [120_000, 60_000],
    [20_000, 10_000],
    [600_000, 60_000],
  ] as const) {
    const { clock, sent } = service(watchdog);
    await clock.advance(every - 1);
    assert.deepEqual(sent, []);
    await clock.advance(1 + 2 * every);
    assert.deepEqual(sent, [FED, FED, FED]);
  }
});

test('without a watchdog there is the status alone', async () => {
  const { clock, sent } = service(null);
  await clock.advance(60_000);
  assert.deepEqual(sent, [[STATUS]]);
});

test('a loop that comes late is looked at again, and fed only once it turns', async () => {
  const { clock, sent, logged } = service(120_000);
  for (let late = 1; late <= 3; late++) {
    clock.freeze(70_000);
    await clock.advance(0);
    assert.deepEqual(sent, []);
    assert.deepEqual(logged, Array(late).fill('the event loop was held up'));
  }
  await clock.advance(1000);
  assert.deepEqual(sent, [FED]);
});

test('a store that does not answer starves it, and an answer of any kind feeds it', async () => {
  const { clock, sent, logged, vitals } = service(120_000);
  vitals.silentFor = 61_000;
  await clock.advance(60_000);
  assert.deepEqual(sent.splice(0), [[STATUS]]);
  assert.deepEqual(logged, ['the database does not answer']);
  vitals.silentFor = 35_000;
  vitals.counts = () => {
    throw new Error('database is locked');
  };
  await clock.advance(60_000);
  assert.deepEqual(sent, [['WATCHDOG=1', 'STATUS=3 of 10 workers, 2 running; database is locked']]);
});

test('a stop may take as long as running jobs may, and is told', async () => {
  const { clock, sent, systemd } = service(120_000);
  systemd.stopping(300_000);
  assert.deepEqual(sent.splice(0), [
    ['STOPPING=1', 'STATUS=stopping; running jobs may finish', 'EXTEND_TIMEOUT_USEC=315000000'],
  ]);
  await clock.advance(60_000);
  assert.deepEqual(sent, [['WATCHDOG=1', STATUS.replace('=', '=stopping; ')]]);
});

test('a reload is told with the time of the system at which it began', () => {
  const { sent, systemd } = service(null);
  const before = process.hrtime.bigint() / 1000n;
  systemd.reloading();
  systemd.reloaded(() => NUMBERS);
  const [[first, time = '', ...rest] = [], ready] = sent;
  assert.deepEqual([first, rest, ready], ['RELOADING=1', ['STATUS=reloading'], ['READY=1', STATUS]]);
  const told = BigInt(/^MONOTONIC_USEC=(\d+)$/.exec(time)?.[1] ?? 0);
  assert.ok(told >= before && told - before < 1_000_000n);
});

test('what systemd gave is taken out of the environment, and a watchdog for another process is not ours', () => {
  const log = {} as Log;
  const given = { NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '120000000', WATCHDOG_PID: String(process.pid) };
  const env: NodeJS.ProcessEnv = { ...given, PATH: '/bin' };
  assert.equal(takeNotifier(env, log)?.watchdog, 120_000);
  assert.deepEqual(env, { PATH: '/bin' });
  assert.equal(takeNotifier({ ...given, WATCHDOG_PID: '1' }, log)?.watchdog, null);
  assert.equal(takeNotifier({ NOTIFY_SOCKET: '/run/n' }, log)?.watchdog, null);
  assert.equal(takeNotifier({ WATCHDOG_USEC: '1000000' }, log), undefined);
});
