/** The kernel kills the process for want of memory: what a handler ate that no limit of passito's counts. */

import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';
import { memoryGroup } from '../tools/memory-group.ts';

const NEIGHBOURS = 40;

const probe = memoryGroup(2 ** 28);
probe?.remove();
const skip = probe === undefined ? 'this user may limit no memory here (cgroup)' : false;

test(
  'killed for want of memory: the next start runs its jobs again, and the third kill fails the one at fault',
  { skip, timeout: 120_000 },
  async (t) => {
    const group = memoryGroup(400 * 1024 ** 2)!;
    t.after(() => group.remove());
    const here = new Site((clean) => t.after(clean));
    here.job('Note', 'appendFileSync(ledger, `${context.id}\\n`);');
    // Shared memory is counted by none of V8's figures.
    const eat = 'const all = []; for (;;) all.push(new Uint8Array(new SharedArrayBuffer(2 ** 25)).fill(1));';
    here.job('Eat', eat);
    const file = here.write('limited', `#!/bin/sh\necho $$ > ${group.procs}\nexec '${executable}' "$@"\n`);
    chmodSync(file, 0o755);
    await here.ok('migrate');
    for (let i = 0; i < NEIGHBOURS; i++) here.insert('Note');
    const eater = here.insert('Eat');
    for (let i = 0; i < NEIGHBOURS; i++) here.insert('Note');

    let deaths = 0;
    for (;;) {
      const daemon = here.launch(['--max-workers', '2'], 'supervisor', { file });
      const ended = await Promise.race([daemon.ended, here.drained()]);
      if (deaths > 0) await daemon.line(/ while you were away died=1 returned=/);
      if (ended === undefined) {
        assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
        break;
      }
      assert.equal(ended.signal, 'SIGKILL', daemon.log);
      assert.ok(++deaths <= 3, 'it dies over and over');
    }
    assert.equal(deaths, 3);
    const row = here.sql
      .prepare('SELECT status, crashes, last_error AS error FROM jobs WHERE id = ?')
      .get(eater);
    const { error, ...rest } = row as { status: string; crashes: number; error: string };
    assert.deepEqual(rest, { status: 'failed', crashes: 3 });
    assert.match(error, /^The process died 3 times while this job ran \(.*ran out of memory\)/);
    const done = `SELECT count(*) FROM jobs WHERE type = 'Note' AND status = 'completed' AND attempts = 1`;
    assert.equal(here.value(done), 2 * NEIGHBOURS);
  },
);
