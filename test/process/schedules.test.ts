/** Schedules through the executable: two supervisors, a kill, the system's cron beside them. */

import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';

import { Site } from '../tools/daemon.ts';

const CONFIG = `export default { schedules: {
  second: { cron: '* * * * * *', type: 'Tick', overlap: 'queue', catchUp: 'all' },
} };`;

function site(t: { after: (clean: () => Promise<void>) => void }): Site {
  const here = new Site((clean) => t.after(clean));
  here.write('passito.config.ts', CONFIG);
  here.job('Tick', 'return 1;');
  return here;
}

describe('schedules', { concurrency: 2 }, () => {
  it('[44] two supervisors and a kill -9 between ticks: every second once', async (t) => {
    const here = site(t);
    const first = await here.start();
    const second = await here.start();
    await here.until(`SELECT count(*) >= 3 FROM ticks WHERE outcome = 'run' AND schedule = 'second'`);
    await first.kill();
    await here.until(`SELECT count(*) >= 6 FROM ticks WHERE outcome = 'run' AND schedule = 'second'`);
    await second.kill();
    const third = await here.start();
    await here.until(`SELECT count(*) >= 8 FROM ticks WHERE outcome = 'run' AND schedule = 'second'`);
    await third.stop();
    const seconds = here.sql
      .prepare<[], number>(
        `SELECT CAST(strftime('%s', tick) AS INTEGER) FROM ticks WHERE schedule = 'second' ORDER BY tick`,
      )
      .pluck()
      .all();
    assert.deepEqual(
      seconds,
      Array.from({ length: seconds.length }, (_, i) => seconds[0]! + i),
      'none left out',
    );
    assert.equal(
      here.value(`SELECT count(DISTINCT job_id) FROM ticks WHERE schedule = 'second'`),
      seconds.length,
    );
    assert.equal(here.value(`SELECT count(*) FROM jobs WHERE type = 'Tick'`), seconds.length);
  });

  it("a second supervisor with another config file leaves the first one's schedules alone", async (t) => {
    const here = site(t);
    const first = await here.start();
    here.write('passito.config.ts', CONFIG.replace('second:', 'mine:'));
    const second = await here.start();
    here.write('passito.config.ts', CONFIG);
    const ticks = (name: string) =>
      here.value(`SELECT count(*) FROM ticks WHERE outcome = 'run' AND schedule = '${name}'`);
    for (const name of ['second', 'mine']) {
      const before = ticks(name);
      await here.until(`SELECT count(*) >= ? FROM ticks WHERE outcome = 'run' AND schedule = '${name}'`, [
        before + 2,
      ]);
    }
    await first.stop();
    here.sql.exec(`UPDATE schedules SET next_tick = '2000-01-01 00:00:00.000' WHERE name = 'second'`);
    assert.match(await here.ok('health'), /is healthy/, 'who kept it has gone');
    await second.stop();
    await (await here.start()).stop();
    assert.equal(here.value(`SELECT group_concat(name) FROM schedules WHERE type = 'Tick'`), 'second');
  });

  it('a paused schedule waits, a resumed one catches up; the ledger and the next ticks are told', async (t) => {
    const here = site(t);
    assert.match((await here.run(['schedule', 'pause', 'second'])).stderr, /There is no database/);
    await here.ok('migrate');
    assert.equal(await here.ok('schedule', 'pause', 'second'), 'Schedule second paused.\n');
    const daemon = await here.start();
    // Others are built in, and tick at a minute's end.
    const ticks = `SELECT count(*) FROM ticks WHERE schedule = 'second'`;
    assert.equal(here.value(ticks), 0);
    await here.ok('schedule', 'resume', 'second');
    await here.until(`${ticks.replace('count(*)', 'count(*) >= 1')} AND outcome = 'run'`);
    assert.equal(await here.ok('schedule', 'pause', 'second', '--by', 'asha'), 'Schedule second paused.\n');
    assert.match(await here.ok('schedule', 'list'), /^second .* paused by asha$/m);
    assert.equal(await here.ok('schedule', 'resume', 'second'), 'Schedule second resumed.\n');
    const [tick] = await here.json<{ outcome: string }[]>('schedule', 'show', 'second');
    assert.equal(tick?.outcome, 'run');
    const coming = async (option: string) => {
      const said = await here.ok('schedule', 'next', 'cleanup-expired-files', option, '3');
      return said.trim().split('\n');
    };
    const lines = await coming('-n');
    assert.equal(lines.length, 3);
    assert.deepEqual([await coming('--n'), await coming('--limit')], [lines, lines]);
    for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\d 02:00:00 {2}UTC, UTC\+00:00$/);
    const slip = await here.run(['schedule', 'next', 'secnd']);
    assert.deepEqual([slip.code, slip.stderr.includes("Did you mean 'second'?")], [2, true]);
    await daemon.line(/schedule ticked schedule=second/);
  });

  it('a restart after hours tells of the missed ticks in one line, and not as a warning', async (t) => {
    const here = new Site((clean) => t.after(clean));
    await (await here.start()).stop();
    here.sql.exec(
      `UPDATE schedules SET decided_until = '2026-01-01 00:00:00.000' WHERE name = 'dispatch-scheduled-reports'`,
    );
    const daemon = await here.start();
    const told = daemon.log.split('\n').filter((line) => line.includes('missed'));
    assert.equal(told.length, 1, daemon.log);
    assert.match(
      told[0] ?? '',
      / info +ticks were missed; they do not run any more schedule=dispatch-scheduled-reports count=99 from=/,
    );
    assert.equal(here.value(`SELECT count(*) FROM ticks WHERE outcome = 'missed'`), 99);
  });

  it('a clean-up by hand is the one that waits already, and with --force another', async (t) => {
    const here = new Site((clean) => t.after(clean));
    await here.ok('migrate');
    const lines = [];
    for (const more of [[], [], ['--force'], ['--force']]) {
      lines.push((await here.ok('cleanup-expired-files', ...more)).trim());
    }
    assert.deepEqual(lines, [
      'Job #1 dispatched.',
      'Job #1 does so already.',
      'Job #2 dispatched.',
      'Job #3 dispatched.',
    ]);
  });

  it('a bad schedule stops the start, and names everything that is wrong', async (t) => {
    const here = site(t);
    here.write(
      'passito.config.ts',
      `export default { schedules: { a: { cron: '61 * * * *', type: 'Tick' }, b: { type: 'Tick' } } };`,
    );
    const { code, stderr } = await here.run(['supervisor']);
    assert.equal(code, 2);
    assert.match(stderr, /passito\.config\.ts: schedules\.a\.cron cannot be '61 \* \* \* \*'/);
    assert.match(stderr, /passito\.config\.ts: schedules\.b\.cron is missing/);
  });

  it('a backup each tick, of which the last few stay; one that fails costs no older one', async (t) => {
    const here = new Site((clean) => t.after(clean), { PASSITO_BACKUPS: 'kept', PASSITO_KEEP_BACKUPS: '2' });
    here.write(
      'passito.config.ts',
      `export default { schedules: { backup: { cron: '* * * * * *' }, 'dispatch-scheduled-reports': false } };`,
    );
    const daemon = await here.start();
    await here.until(
      `SELECT count(*) >= 4 FROM ticks WHERE schedule = 'backup' AND outcome = 'run'`,
      [],
      30_000,
    );
    await daemon.line(/backup made .*removed=1/, 20_000);
    const made = () => readdirSync(here.path('kept')).filter((name) => name.endsWith('.tar'));
    await daemon.stop();
    assert.equal(made().length, 2);
    for (const name of made()) {
      assert.match(name, /^passito-\d{8}-\d{6}\.tar$/);
      assert.equal(statSync(here.path('kept', name)).mode & 0o777, 0o600);
      await here.ok('restore', here.path('kept', name), '--dry-run');
    }
    const off = await here.json<{ name: string }[]>('schedule', 'list');
    assert.ok(off.every(({ name }) => name !== 'dispatch-scheduled-reports'));
    const byHand = await here.run(['schedule', 'run', 'backup', '--json']);
    assert.match(byHand.stderr, /By hand, type: passito backup FILE/);
    assert.deepEqual([byHand.code, JSON.parse(byHand.stdout)], [1, { id: null, existing: false }]);
    const idle = await here.run(['schedule', 'resume', 'dispatch-scheduled-reports', '--json']);
    assert.equal(idle.code, 2, 'one that is switched off is no schedule');
  });

  it('a backup of its own database, whatever has become of the settings since', async (t) => {
    const here = new Site((clean) => t.after(clean), { PASSITO_BACKUPS: 'kept', PASSITO_MIN_WORKERS: '20' });
    // Sound with what only the supervisor knows.
    const envFile = here.write('own.env', 'PASSITO_MAX_WORKERS=30\nPASSITO_KEEP_BACKUPS=1000\n');
    here.write('passito.config.mjs', `export default { schedules: { backup: { cron: '* * * * * *' } } };`);
    const daemon = await here.start(['--env-file', envFile]);
    here.write('passito.config.mjs', 'export default {');
    await daemon.reload(/the reload was refused/);
    const refused = daemon.log.length;
    await daemon.line(/backup made /, 20_000, refused);
    await daemon.stop();
    assert.doesNotMatch(daemon.log, /BAD_CONFIG|backup.*failed/);
  });

  it('where there is nothing to resume, a program is told so as well', async (t) => {
    const here = new Site((clean) => t.after(clean));
    await here.ok('migrate');
    const resume = () => here.run(['schedule', 'resume', 'prune-jobs', '--json']);
    const none = await resume();
    assert.deepEqual(
      [none.code, JSON.parse(none.stdout)],
      [1, { name: 'prune-jobs', paused: false, changed: false }],
    );
    await here.ok('schedule', 'pause', 'prune-jobs');
    assert.deepEqual(JSON.parse((await resume()).stdout), {
      name: 'prune-jobs',
      paused: false,
      changed: true,
    });
  });

  it('a mail that is not about an outpass is not sent again, and a program is told so as well', async (t) => {
    const here = new Site((clean) => t.after(clean));
    await here.ok('migrate');
    here.sql.exec(
      `INSERT INTO mails (message_id, kind, sent_to, subject) VALUES ('<1@a>', 'test', 'a@b.edu', 's')`,
    );
    const { code, stdout } = await here.run(['mail', 'resend', '1', '--json']);
    assert.deepEqual([code, JSON.parse(stdout)], [1, { id: null, existing: false }]);
  });
});
