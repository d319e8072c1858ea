/** Somebody sets the wall clock while everything runs: hours forwards, and hours back. */

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { Load } from '../tools/load.ts';
import { noCompiler, SlowDisk } from '../tools/slow-disk.ts';

const HOUR = 3600;
const limits = { skip: noCompiler, timeout: 120_000 };

describe('a clock that is set', { concurrency: 2 }, () => {
  for (const hours of [3, -3]) {
    it(
      `the clock jumps by ${hours} hours: no lease lapses, all runs once and in time, nobody is alarmed`,
      limits,
      async (t) => {
        const here = new Site((clean) => t.after(clean));
        const clock = new SlowDisk(here, (clean) => t.after(clean));
        const load = await Load.prepare(here, (clean) => t.after(clean));
        const note = (word: string) =>
          `appendFileSync(ledger, \`${word} \${context.id} \${context.attempt}\\n\`);`;
        const waits = `const { existsSync } = await import('node:fs'); while (existsSync(payload.file)) await sleep(20);`;
        here.job('Long', `${note('begin')} ${waits} ${note('end')}`);
        here.job(
          'Again',
          `${note('begin')} if (context.attempt < 2) throw new Error('no'); ${note('end')}`,
          `backoff: { base: '9s' },`,
        );
        here.write(
          'passito.config.ts',
          `export default { schedules: { minutely: { cron: '* * * * *', type: 'Quick' } } };`,
        );
        const file = here.write('wait', '');
        const both = [await here.start(['--max-workers', '4']), await here.start(['--max-workers', '2'])];
        const long = here.insert('Long', { file });
        const again = here.insert('Again');
        await here.until('SELECT 1 FROM attempts WHERE job_id = ?', [again]);
        await here.reaches(long, 'processing');
        load.start(100);
        await load.until('acknowledged', 6);
        // A row that comes in the moment before is due, by the clock of that moment.
        await here.ok('pause');
        const due = here.insert('Quick');
        clock.shift(hours * HOUR);
        await here.ok('resume');
        await load.until('acknowledged', 6);
        await load.stop();
        for (const one of both) await one.line(/the wall clock was set seconds=-?10800 /);
        await here.until('SELECT status = ? FROM jobs WHERE id = ?', ['completed', due]);
        await here.until(
          `SELECT count(*) = 0 FROM schedules WHERE next_tick < (SELECT max(heartbeat_at) FROM processes)`,
        );
        const { stdout } = await here.run(['health']);
        assert.match(stdout, /✓ Job queue is healthy/);
        rmSync(file);
        await here.drained(20_000);
        // The account knows no second try of this type.
        here.sql.exec(`DELETE FROM jobs WHERE type = 'Again'`);
        load.check();
        assert.equal(here.value('SELECT count(*) - count(DISTINCT job_id) FROM ticks WHERE job_id > 0'), 0);
        assert.equal(here.value('SELECT count(*) FROM processes WHERE lost_at IS NOT NULL'), 0);
        for (const one of both) assert.deepEqual(await one.stop(), { code: 0, signal: null });
      },
    );
  }
});
