/** Disks that are slow, or turn read-only under a supervisor: what it does meanwhile, and afterwards. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { Load } from '../tools/load.ts';
import { noCompiler, SlowDisk } from '../tools/slow-disk.ts';

const limits = { skip: noCompiler, timeout: 120_000 };

describe('a disk that is ill', { concurrency: 2 }, () => {
  it(
    'a disk that takes up to half a second for each flush: all runs once, no lease lapses',
    limits,
    async (t) => {
      const here = new Site((clean) => t.after(clean));
      const disk = new SlowDisk(here, (clean) => t.after(clean));
      const load = await Load.prepare(here, (clean) => t.after(clean));
      const first = await here.start(['--max-workers', '4']);
      // It would take the jobs of a neighbour that seems dead.
      const second = await here.start(['--max-workers', '2']);
      load.start(200);
      disk.slow(500);
      await load.until('acknowledged', 3, 60_000);
      disk.slow(50);
      await load.stop();
      await here.drained(60_000);
      disk.slow(500);
      // A goodbye or two, a checkpoint: a handful of flushes.
      assert.deepEqual(await Promise.all([first.stop(), second.stop()]), [
        { code: 0, signal: null },
        { code: 0, signal: null },
      ]);
      disk.slow(0);
      load.checkOnce();
      // Who waits for 5 s behind ten flushes of others may be told so.
      for (const refusal of load.refusals) {
        assert.match(refusal, /^exit 3: .* was locked by .* for 5 seconds; nothing was written/);
      }
      assert.equal(here.value('SELECT count(*) FROM processes WHERE lost_at IS NOT NULL'), 0);
      assert.doesNotMatch(first.log + second.log, / (?:warn|error) +(?!attempt failed| )/);
    },
  );

  it(
    'a disk that turns read-only under a supervisor is named, and all goes on once it can be written',
    limits,
    async (t) => {
      const here = new Site((clean) => t.after(clean));
      const disk = new SlowDisk(here, (clean) => t.after(clean));
      const load = await Load.prepare(here, (clean) => t.after(clean));
      const daemon = await here.start(['--max-workers', '4']);
      load.start();
      for (let round = 0; round < 2; round++) {
        await load.until('acknowledged', 8);
        disk.readOnly(true);
        await load.until('refusals', 6);
        assert.equal((await here.run(['health'])).code, 0, 'it can be looked at');
        disk.readOnly(false);
      }
      await load.until('acknowledged', 8);
      await load.stop();
      await here.drained();
      load.checkOnce();
      for (const refusal of load.refusals) {
        assert.match(
          refusal,
          /^exit 3: (passito: )?The database .*passito\.db cannot be used: its disk is read-only\./,
        );
      }
      assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
      for (const line of daemon.log.split('\n').filter((one) => / error /.test(one))) {
        assert.match(line, /trouble where=.* its disk is read-only/);
      }
    },
  );
});
