/** Makes folders, and says whose files in them are. */

import { closeSync, constants, fchownSync, fstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

/**
 * Makes a folder with those above it, one by one, and gives the topmost that it made. Made by root, each belongs to
 * whom the one above it belongs to. Node's own way does not end where the system answers that a folder cannot be there
 * although the one above it is, as it does below /proc.
 */
export function makeFolder(path: string, mode: number): string | undefined {
  const folder = resolve(path);
  // What is no folder is said by mkdir.
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return undefined;
  const above = dirname(folder);
  const first = above === folder ? undefined : makeFolder(above, mode);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    // Somebody else made it meanwhile.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return first;
    throw error;
  }
  handOver(folder);
  return first ?? folder;
}

/**
 * Whose a new file of a folder must be: the folder's owner's, where root makes it, since the service could not use it
 * otherwise. Undefined where it is so already.
 */
export function ownerIn(folder: string): { uid: number; gid: number } | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const { uid, gid } = statSync(folder);
  return uid === 0 ? undefined : { uid, gid };
}

/** Through what is open, and by no name: the owner of the folder above could put a link there meanwhile. */
function handOver(folder: string): void {
  if (ownerIn(dirname(folder)) === undefined) return;
  const above = openSync(dirname(folder), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const { uid, gid } = fstatSync(above);
    const made = openSync(
      `/proc/self/fd/${above}/${basename(folder)}`,
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
    );
    try {
      fchownSync(made, uid, gid);
    } finally {
      closeSync(made);
    }
  } finally {
    closeSync(above);
  }
}
