/** Disks that are full or read-only: what each command says, and what still works. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';

const canMount =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
const skip = canMount ? false : 'only root, with the right to mount, can make a disk';

/** Runs a script on a small disk of its own, where `passito` is a command and the database is made. */
function onDisk(t: TestContext, script: string): string {
  const here = new Site((clean) => t.after(clean));
  const disk = here.path('disk');
  mkdirSync(disk);
  const env = { ...here.env, PASSITO_DB: `${disk}/passito.db`, disk };
  const prepared = `mount -t tmpfs -o size=4m none "$disk" && cd "$disk" && passito() { '${executable}' "$@" 2>&1; } && passito migrate && ${script}`;
  const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', prepared], { env, encoding: 'utf8' });
  return stdout + stderr;
}

const EACH = `for one in health status 'dispatch Mail' 'jobs list' 'backup ../a.tar' supervisor; do passito $one; echo "exit $?"; done`;

test('output that a full disk has swallowed is no success', async (t) => {
  const here = new Site((clean) => t.after(clean));
  await here.ok('migrate');
  for (const command of ['config --json', 'health', 'status --json', 'schedule list', '--help']) {
    const { status, stderr } = spawnSync('sh', ['-c', `'${executable}' ${command} > /dev/full`], {
      cwd: here.folder,
      env: here.env,
      encoding: 'utf8',
    });
    assert.equal(status, 3, `${command}: ${stderr}`);
    assert.match(stderr, /passito: The output could not be written: ENOSPC: .*\.\n$/);
  }
});

test('a disk that is read-only is named as such', { skip }, (t) => {
  const said = onDisk(t, `mount -o remount,ro "$disk" && { ${EACH}; }`);
  assert.equal(said.match(/its disk is read-only\.\nIs it the service/g)?.length, 6, said);
  assert.equal(said.match(/^exit 3$/gm)?.length, 6, said);
});

test(
  'a disk that became read-only under a supervisor can still be looked at, and backed up',
  { skip },
  (t) => {
    const left = `'${executable}' supervisor 2> ../log & sleep 0.2; until grep -q ' ready ' ../log; do sleep 0.1; done; kill -9 $!; wait $!`;
    const said = onDisk(t, `{ ${left}; mount -o remount,ro "$disk" && ${EACH}; }`);
    assert.deepEqual(
      said.match(/^exit \d$/gm),
      ['exit 0', 'exit 0', 'exit 3', 'exit 0', 'exit 0', 'exit 3'],
      said,
    );
    assert.match(said, /Pending Jobs: {4}0[^]*its disk is read-only[^]*was read back and is sound/);
  },
);

test('a disk that is full is named as such, also where nothing runs', { skip }, (t) => {
  const full = `{ dd if=/dev/zero of=fill bs=1k 2> ../dd; ${EACH}; passito doctor --offline; passito mail-test a@example.edu; }`;
  const said = onDisk(t, full);
  assert.equal(
    said.match(
      /is full; nothing was written\.\nFree some space, then try again\. What is large: sudo du -xh /g,
    )?.length,
    6,
    said,
  );
  assert.equal(said.match(/^exit 3$/gm)?.length, 6, said);
  assert.match(said, /database {6}The disk that holds .*\n +Try: df -h\n/);
  assert.match(said, /ENOSPC.*\nFree some space: df -h/);
  assert.match(said, /0 B are free at .*\n +Try: du -xh /);
});
