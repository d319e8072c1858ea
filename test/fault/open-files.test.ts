/** A process that may open only a few files: too few to start, too few for its workers, and eaten up by a handler. */

import assert from 'node:assert/strict';
import { chmodSync, readdirSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Daemon, Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';

/** As many of 128 are open after a leak: above the share from which on the thread goes. */
const LEAKED = 116;

/** Starts a supervisor that may have so many files open. */
function limited(here: Site, files: number, ...args: string[]): Daemon {
  const file = here.write('limited', `#!/bin/sh\nulimit -n ${files}\nexec '${executable}' "$@"\n`);
  chmodSync(file, 0o755);
  return here.launch(args, 'supervisor', { file });
}

function site(t: TestContext): Site {
  const here = new Site((clean) => t.after(clean));
  here.job('Note', 'appendFileSync(ledger, `${context.id}\\n`); await sleep(100);');
  // Up to a count, since what a supervisor has open itself differs by machine.
  here.job(
    'Leak',
    `const { openSync, readdirSync } = await import('node:fs');
    while (readdirSync('/proc/self/fd').length < ${LEAKED}) openSync('/dev/null');`,
  );
  return here;
}

describe('few open files', { concurrency: 3 }, () => {
  it('too few to start: one line says how many it takes, and what to type', async (t) => {
    const here = site(t);
    for (const files of [40, 51]) {
      const daemon = limited(here, files);
      assert.deepEqual(await daemon.ended, { code: 2, signal: null });
      assert.equal(
        daemon.log,
        `passito: This process may have ${files} files open; one worker needs at least 52. Raise it: ulimit -n 4096, or LimitNOFILE=4096 in the unit.\n`,
      );
    }
  });

  it('too few for all workers: those that there are do all, and the log says why they are no more', async (t) => {
    const here = site(t);
    const daemon = limited(here, 62, '--max-workers', '20');
    await daemon.line(/ ready /);
    for (let i = 0; i < 60; i++) here.insert('Note');
    await here.drained();
    assert.equal(here.value('SELECT count(*) FROM attempts'), 0);
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
    const told = daemon.log.split('\n').filter((line) => / (warn|error) /.test(line));
    assert.equal(told.length, 1, daemon.log);
    assert.match(told[0]!, /The limit of 62 open files leaves no room for all workers\. Raise it: ulimit -n/);
  });

  it('a handler that closes nothing: its thread goes before the files do, and no job fails', async (t) => {
    const here = site(t);
    const daemon = limited(here, 128, '--max-workers', '2');
    await daemon.line(/ ready /);
    const open = () => readdirSync(`/proc/${daemon.pid}/fd`).length;
    await here.reaches(here.insert('Leak'), 'completed');
    const since = performance.now();
    while (open() > 60) {
      assert.ok(performance.now() - since < 20_000, `${open()} are still open`);
      await sleep(20);
    }
    await here.reaches(here.insert('Leak'), 'completed');
    await here.reaches(here.insert('Note'), 'completed');
    assert.equal(here.value('SELECT count(*) FROM attempts'), 0);
    assert.match(
      daemon.log,
      /Nearly all of the 128 files that may be open are: handlers may not close theirs\./,
    );
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  });
});
