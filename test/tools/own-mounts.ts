/** A test file that may mount disks: it runs again in a mount namespace of its own, which goes away with it. */

import { spawnSync } from 'node:child_process';

/** Set inside. */
const INSIDE = 'PASSITO_TEST_OWN_MOUNTS';

/** Root may as it is; others where the kernel lets them be root in a namespace of their own. */
const WAYS = [['-m'], ['-Urm']];

/**
 * To be called before the first test of a file. Gives what its tests are given as `skip`: false inside. Outside it does not
 * return, since the file has run inside by then: the runner reads its results from the output, which is passed on as it is.
 */
export function inOwnMounts(): false | string {
  if (process.env[INSIDE] !== undefined) return false;
  const way = WAYS.find(
    (options) => spawnSync('unshare', [...options, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0,
  );
  if (way === undefined) return 'this machine lets nobody mount a disk in a namespace of his own';
  const again = [...way, process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', again, {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  process.exit(status ?? 1);
}

/** Mounts an empty disk of this size (such as `8m`) at a folder, and gives what takes it away. */
export function mountDisk(folder: string, size: string): () => void {
  call('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'none', folder);
  return () => call('umount', '-l', folder);
}

function call(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
