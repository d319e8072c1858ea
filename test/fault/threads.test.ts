/** The system grants a process only a few threads: TasksMax of a unit, a container's limit, ulimit -u. */

import assert from 'node:assert/strict';
import { chmodSync, chownSync } from 'node:fs';
import { test } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';

/** A user who runs nothing else: the limit counts all that a user runs, and none for root. */
const NOBODY = 54_399;
const skip = process.getuid?.() === 0 ? false : 'only root can take a user who runs nothing else';

test(
  'no more threads to be had: those that there are do all, nobody pays, and the log says what to raise',
  { skip, timeout: 60_000 },
  async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job('Note', 'await sleep(50);');
    chmodSync(here.path('jobs'), 0o755);
    chownSync(here.folder, NOBODY, NOBODY);
    // Node and SQLite take eleven or so before the first worker.
    const file = here.write('limited', `#!/bin/sh\nexec prlimit --nproc=18 '${executable}' "$@"\n`);
    chmodSync(file, 0o755);
    const daemon = here.launch(['--max-workers', '20'], 'supervisor', { file, uid: NOBODY });
    await daemon.line(/ ready /);
    for (let i = 0; i < 120; i++) here.insert('Note');
    await here.drained();
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
    assert.equal(here.value('SELECT count(*) FROM attempts'), 0);
    const told = daemon.log.split('\n').filter((line) => / (warn|error) /.test(line));
    assert.ok(told.length > 0 && told.length <= 2, daemon.log);
    for (const line of told) {
      assert.match(
        line,
        /worker thread ended worker=0 reason="No thread could be started \(EAGAIN\)\. Raise TasksMax=/,
      );
    }
  },
);
