/** Schedules on a real store: ticks once across processes, catch-up, overlap, pauses, and clocks that jump. */

import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';

import { formatTime } from '../../src/engine/clock.ts';
import { Events } from '../../src/engine/events.ts';
import { MOST_CAUGHT_UP, type Schedule } from '../../src/engine/schedule.ts';
import { Scheduler } from '../../src/engine/scheduler.ts';
import { SqliteSchedules } from '../../src/store/sqlite/schedules.ts';
import type { SqliteStore } from '../../src/store/sqlite/store.ts';
import { FakeClock, MORNING } from '../tools/engine.ts';
import { newJob, openStore } from '../tools/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const hourly: Schedule = {
  name: 'hourly',
  cron: '0 * * * *',
  zone: 'UTC',
  overlap: 'queue',
  catchUp: 'latest',
  job: newJob('Sync'),
};

interface Here {
  clock: FakeClock;
  store: SqliteStore;
  schedules: SqliteSchedules;
  events: Events;
  troubles: unknown[];
  chores: string[];
  /** Another process's scheduler on the same rows. */
  start: (changes?: Partial<Schedule>) => Promise<Scheduler>;
  /** What became of the ticks, as hour:minute and a word. */
  ledger: () => string[];
  jobs: () => number;
}

async function open(t: TestContext): Promise<Here> {
  const clock = new FakeClock();
  const store = await openStore(t, clock);
  const schedules = new SqliteSchedules(store);
  const [troubles, chores]: [unknown[], string[]] = [[], []];
  const events = new Events();
  return {
    clock,
    events,
    store,
    schedules,
    troubles,
    chores,
    async start(changes = {}) {
      events.on('trouble', ({ error }) => troubles.push(error));
      const schedule = { ...hourly, ...changes };
      const chore = (name: string) => chores.push(name);
      const scheduler = new Scheduler({ schedules: [schedule], store: schedules, clock, events, chore });
      await scheduler.start();
      await clock.advance(0);
      t.after(() => scheduler.stop(AbortSignal.abort()));
      return scheduler;
    },
    ledger: () =>
      store.db
        .prepare<[], { tick: string; outcome: string }>('SELECT tick, outcome FROM ticks ORDER BY tick')
        .all()
        .map(({ tick, outcome }) => `${tick.slice(11, 16)} ${outcome}`),
    jobs: () => store.db.prepare<[], number>('SELECT count(*) FROM jobs').pluck().get() ?? 0,
  };
}

/** Lets time pass in steps that a scheduler's looks fit into. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 10_000) await clock.advance(Math.min(10_000, ms - gone));
}

suite('a schedule', () => {
  test('dispatches its job at each tick, on the second', async (t) => {
    const { clock, start, ledger, store } = await open(t);
    await start();
    assert.equal(clock.now(), MORNING);
    await pass(clock, HOUR - 1000);
    assert.deepEqual(ledger(), []);
    await clock.advance(1000);
    assert.deepEqual(ledger(), ['09:00 run']);
    await pass(clock, 2 * HOUR);
    assert.deepEqual(ledger(), ['09:00 run', '10:00 run', '11:00 run']);
    const jobs = store.db.prepare('SELECT type, created_at FROM jobs').all();
    assert.deepEqual(jobs[1], { type: 'Sync', created_at: '2026-11-23 10:00:00.000' });
  });

  test('without a job is the supervisor’s own, and runs once a tick', async (t) => {
    const { clock, start, chores, jobs } = await open(t);
    await start({ job: undefined } as never);
    await pass(clock, 2 * HOUR);
    assert.deepEqual([chores, jobs()], [['hourly', 'hourly'], 0]);
  });

  test('[44] ticks once however many look at it', async (t) => {
    const { clock, start, ledger, jobs } = await open(t);
    await start();
    await start();
    await start();
    await pass(clock, 3 * HOUR);
    assert.deepEqual([ledger(), jobs()], [['09:00 run', '10:00 run', '11:00 run'], 3]);
  });

  test('begins now: what it would have done before is not made up for, nor by a new expression', async (t) => {
    const { clock, start, ledger } = await open(t);
    const scheduler = await start();
    await pass(clock, HOUR);
    await scheduler.stop(AbortSignal.abort());
    await pass(clock, 90 * MINUTE);
    await start({ cron: '15 * * * *' });
    assert.deepEqual(ledger(), ['09:00 run']);
    await pass(clock, HOUR);
    assert.deepEqual(ledger(), ['09:00 run', '11:15 run']);
  });

  test('that is no longer defined is forgotten', async (t) => {
    const { start, schedules } = await open(t);
    const scheduler = await start();
    await scheduler.stop(AbortSignal.abort());
    await start({ name: 'other' });
    assert.deepEqual(
      (await schedules.list()).map(({ name }) => name),
      ['other'],
    );
  });
});

suite('a tick that comes while the last one’s job', () => {
  test('still waits is skipped, unless it may queue', async (t) => {
    const { clock, start, ledger, jobs, store } = await open(t);
    await start({ overlap: 'skip' });
    await pass(clock, 2 * HOUR);
    assert.deepEqual([ledger(), jobs()], [['09:00 run', '10:00 skipped'], 1]);
    store.db.prepare(`UPDATE jobs SET status = 'failed', finished_at = ?`).run('2026-11-23 10:30:00.000');
    await pass(clock, HOUR);
    assert.deepEqual(ledger().at(-1), '11:00 run');
  });
});

suite('[45] ticks missed while nothing ran', () => {
  for (const [catchUp, then] of [
    ['latest', ['09:00 run', '10:00 missed', '11:00 run']],
    ['all', ['09:00 run', '10:00 run', '11:00 run']],
    ['skip', ['09:00 run', '10:00 missed', '11:00 missed']],
  ] as const) {
    test(`are caught up with: ${catchUp}`, async (t) => {
      const { clock, start, ledger } = await open(t);
      const scheduler = await start({ catchUp, overlap: 'skip' });
      await pass(clock, HOUR);
      await scheduler.stop(AbortSignal.abort());
      await pass(clock, 2 * HOUR + 30 * MINUTE);
      await start({ catchUp, overlap: 'skip' });
      assert.deepEqual(
        ledger().map((line) => (catchUp === 'all' ? line : line.replace('skipped', 'run'))),
        then,
      );
      await pass(clock, 30 * MINUTE);
      assert.match(ledger().at(-1) ?? '', /^12:00 /);
    });
  }

  test('are told in one line, whatever their number', async (t) => {
    const { clock, start, events } = await open(t);
    const told: unknown[] = [];
    events.on('missed', (one) => told.push(one));
    const scheduler = await start({ cron: '* * * * *' });
    await scheduler.stop(AbortSignal.abort());
    clock.jump(HOUR + 1);
    await start({ cron: '* * * * *' });
    const [from, to] = [MORNING + MINUTE, MORNING + 59 * MINUTE];
    assert.deepEqual(told, [{ schedule: 'hourly', count: 59, from, to, chore: false }]);
  });

  test('are not caught up with for ever', async (t) => {
    const { clock, start, jobs } = await open(t);
    const scheduler = await start({ cron: '* * * * * *', catchUp: 'all' });
    await scheduler.stop(AbortSignal.abort());
    clock.jump(365 * 24 * HOUR);
    const from = performance.now();
    await start({ cron: '* * * * * *', catchUp: 'all' });
    assert.equal(jobs(), MOST_CAUGHT_UP);
    assert.ok(performance.now() - from < 2000, 'a year of seconds is not walked through');
  });

  test('of a rare schedule are found as well', async (t) => {
    const { clock, start, ledger } = await open(t);
    const scheduler = await start({ cron: '0 0 29 2 *' });
    await scheduler.stop(AbortSignal.abort());
    clock.jump(5 * 365 * 24 * HOUR);
    await start({ cron: '0 0 29 2 *' });
    assert.deepEqual(ledger(), ['00:00 run']);
  });
});

suite('a clock that jumps', () => {
  test('[43] back an hour makes no second tick', async (t) => {
    const { clock, start, ledger, jobs } = await open(t);
    await start();
    await pass(clock, 90 * MINUTE);
    clock.jump(-HOUR);
    await pass(clock, 2 * HOUR);
    assert.deepEqual([ledger(), jobs()], [['09:00 run', '10:00 run'], 2]);
  });

  test('forward a day is caught up with, and back again loses no later tick', async (t) => {
    const { clock, start, jobs, store } = await open(t);
    await start();
    clock.jump(24 * HOUR);
    await pass(clock, MINUTE);
    assert.equal(jobs(), 1, 'the latest of 24');
    clock.jump(-24 * HOUR);
    await pass(clock, 2 * HOUR);
    const today = store.db
      .prepare<[], string>(
        `SELECT substr(tick, 12, 5) FROM ticks WHERE outcome = 'run' AND tick < '2026-11-24' ORDER BY tick`,
      )
      .pluck()
      .all();
    assert.deepEqual(today, ['09:00', '10:00'], 'missed by the wrong clock, kept by the right one');
  });
});

suite('[47] a paused schedule', () => {
  for (const [catchUp, count] of [
    ['all', 3],
    ['latest', 1],
    ['skip', 0],
  ] as const) {
    test(`ticks no more until it is resumed; then ${count} of 3 under ${catchUp}`, async (t) => {
      const { clock, start, schedules, jobs } = await open(t);
      await start({ catchUp });
      await schedules.pause({ ...hourly, next: null }, 'asha');
      await pass(clock, 3 * HOUR + 10 * MINUTE);
      assert.equal(jobs(), 0);
      assert.equal(await schedules.resume('hourly'), true);
      const [row] = await schedules.list();
      assert.ok((row?.next_tick ?? '') >= formatTime(clock.now()), 'nothing is late');
      await pass(clock, MINUTE);
      assert.equal(jobs(), count);
      assert.equal(await schedules.resume('hourly'), false, 'it is not paused');
      assert.equal(await schedules.resume('nightly'), undefined);
    });
  }

  test('under skip makes up for nothing of a short pause, and keeps what comes then', async (t) => {
    const { clock, start, schedules, ledger, jobs, store } = await open(t);
    const often = { cron: '*/2 * * * * *', catchUp: 'skip' } as const;
    await start(often);
    await clock.advance(2000);
    assert.equal(jobs(), 1);
    await schedules.pause({ ...hourly, ...often, next: null }, 'asha');
    await clock.advance(9000);
    await schedules.resume('hourly');
    await clock.advance(500);
    assert.equal(jobs(), 1);
    const became = store.db.prepare('SELECT outcome FROM ticks ORDER BY tick').pluck();
    assert.deepEqual(became.all(), ['run', 'missed', 'missed', 'missed', 'missed']);
    // It looks again within 10 s.
    await clock.advance(5000);
    assert.equal(jobs(), 4);
    assert.equal(ledger().length, 8);
  });

  test('may be paused before anybody ran it, and begins so', async (t) => {
    const { clock, start, schedules, jobs } = await open(t);
    await schedules.pause({ ...hourly, next: clock.now() + HOUR }, 'asha');
    await start();
    await pass(clock, 90 * MINUTE);
    assert.equal(jobs(), 0);
    await schedules.resume('hourly');
    await pass(clock, MINUTE);
    assert.equal(jobs(), 1);
  });
});

suite('the system’s cron beside the supervisor', () => {
  const nine = (clock: FakeClock) => () => Math.round(clock.now() / HOUR) * HOUR;

  test('within a minute after a tick it gets that tick’s job', async (t) => {
    const { clock, start, schedules, jobs } = await open(t);
    await start();
    await pass(clock, HOUR + 50_000);
    assert.deepEqual(await schedules.join(hourly, nine(clock)), { id: 1, existing: true });
    await clock.advance(20_000);
    assert.deepEqual(await schedules.join(hourly, nine(clock)), { id: 2, existing: false });
    assert.equal(jobs(), 2);
  });

  test('a moment before a tick it makes that tick’s job', async (t) => {
    const { clock, start, schedules, jobs, ledger } = await open(t);
    await start();
    await pass(clock, HOUR - 1000);
    assert.deepEqual(await schedules.join(hourly, nine(clock)), { id: 1, existing: false });
    await pass(clock, MINUTE);
    assert.deepEqual([jobs(), ledger()], [1, ['09:00 run']]);
  });

  test('where no supervisor has a schedule it simply dispatches', async (t) => {
    const { clock, schedules, jobs, ledger } = await open(t);
    assert.equal((await schedules.join(hourly, nine(clock))).existing, false);
    assert.equal((await schedules.join(hourly, nine(clock))).existing, false);
    assert.deepEqual([jobs(), ledger()], [2, []]);
  });
});

test('a fault of the store is told, and looked past a second later', async (t) => {
  const { clock, start, store, troubles, jobs } = await open(t);
  await start();
  await pass(clock, HOUR - 5000);
  store.db.exec('ALTER TABLE ticks RENAME TO gone');
  await pass(clock, 10_000);
  assert.ok(troubles.length > 0);
  store.db.exec('ALTER TABLE gone RENAME TO ticks');
  await pass(clock, 2000);
  assert.equal(jobs(), 1);
});
