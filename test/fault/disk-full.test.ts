/** The disk that holds the database fills up, and is emptied again, under a supervisor with work to do. */

import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';
import { Load } from '../tools/load.ts';
import { inOwnMounts, mountDisk } from '../tools/own-mounts.ts';

const skip = inOwnMounts();

/** A site whose database lies on a small disk, and its log and ledger on another. */
function siteOnDisk(t: TestContext, size: string): Site {
  let unmount = () => {};
  const ends = async (clean: () => Promise<void>) => {
    unmount();
    await clean();
  };
  const here = new Site((clean) => t.after(() => ends(clean)), {}, 'disk/passito.db');
  mkdirSync(here.path('disk'));
  unmount = mountDisk(here.path('disk'), size);
  return here;
}

/** Writes until not a byte more fits, nor into the write-ahead log, which may have room inside of it. */
function fill(here: Site): void {
  here.sql.pragma('wal_checkpoint(TRUNCATE)');
  const file = openSync(here.path('disk', 'fill'), 'a');
  for (const size of [65_536, 4096]) {
    try {
      while (writeSync(file, Buffer.alloc(size)) > 0);
    } catch {
      // As often as it takes: others write, too.
    }
  }
  closeSync(file);
}

describe('a full disk', { concurrency: 2 }, () => {
  it(
    '[49] a full disk: each dispatch is taken or clearly refused, nothing is lost, and all goes on once there is space',
    { skip, timeout: 120_000 },
    async (t) => {
      const here = siteOnDisk(t, '12m');
      const load = await Load.prepare(here, (clean) => t.after(clean));
      const daemon = await here.start(['--max-workers', '4']);
      load.start();
      for (let round = 0; round < 3; round++) {
        await load.until('acknowledged', 10);
        fill(here);
        await load.until('refusals', 6);
        if (round === 0) {
          const { code, stdout } = await here.run(['health', '--exit-code-on-failure']);
          assert.equal(code, 1);
          assert.match(stdout, /The disk that holds the database has only .* left\.\n +Try: /);
          const before = cpuSeconds(daemon.pid);
          await sleep(1000);
          const used = cpuSeconds(daemon.pid) - before;
          assert.ok(used < 0.7, `it used ${used} s of CPU in a second of waiting`);
        }
        rmSync(here.path('disk', 'fill'));
      }
      await load.until('acknowledged', 10);
      await load.stop();
      await here.drained();
      load.checkOnce();
      for (const refusal of load.refusals) {
        assert.match(
          refusal,
          /^exit 3: (passito: )?The disk that holds .*passito\.db is full; nothing was written\./,
        );
      }
      assert.equal(here.value<string>('PRAGMA integrity_check'), 'ok');
      assert.equal(here.value('SELECT count(*) FROM attempts WHERE outcome = ?', 'crashed'), 0);
      assert.deepEqual(await daemon.stop(), { code: 0, signal: null });

      const told = daemon.log.split('\n').filter((line) => / error /.test(line));
      assert.ok(told.length >= 1 && told.length < 12, `${told.length} lines: ${daemon.log}`);
      for (const line of told) assert.match(line, /trouble where=.* error="The disk that holds .* is full/);
    },
  );

  it(
    '[49] a log on the full disk is lost, and nothing else; a reload is refused meanwhile',
    { skip },
    async (t) => {
      const here = siteOnDisk(t, '4m');
      here.job('Note', '');
      const log = here.path('disk', 'log');
      const logged = here.write('logged', `#!/bin/sh\nexec '${executable}' "$@" 2>> '${log}'\n`);
      chmodSync(logged, 0o755);
      await here.ok('migrate');
      const daemon = here.launch(['--socket', 'off'], 'supervisor', { file: logged });
      await here.until('SELECT count(*) FROM processes');
      await here.reaches(here.insert('Note'), 'completed');
      const fillAll = () => {
        // To the end of its last page, which has a place already.
        appendFileSync(log, `${'x'.repeat(4095 - (statSync(log).size % 4096))}\n`);
        fill(here);
        return statSync(log).size;
      };
      const size = fillAll();
      for (let round = 0; round < 3; round++) {
        daemon.signal('SIGHUP');
        assert.equal((await here.run(['dispatch', 'Note'])).code, 3);
        await sleep(200);
      }
      assert.ok(!daemon.gone);
      assert.equal(statSync(log).size, size, 'nothing more fitted into it');
      rmSync(here.path('disk', 'fill'));
      await here.reaches(here.insert('Note'), 'completed');
      fillAll();
      // Its goodbye cannot be written either.
      assert.deepEqual(await daemon.stop(), { code: 3, signal: null });
      rmSync(here.path('disk', 'fill'));
      const next = await here.start();
      await here.reaches(here.insert('Note'), 'completed');
      assert.deepEqual(await next.stop(), { code: 0, signal: null });
    },
  );
});
