/** Makes folders, and says whose files in them are. */

import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

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
  if (process.geteuid?.() === 0) giveFolder(folder);
  return first ?? folder;
}

/** A folder to make files in. */
export interface Place {
  /** Goes before a file's name. */
  path: string;
  /** Gives an open file to the folder's owner, where root has made it: the service could not use it otherwise. */
  give(file: number): void;
  close(): void;
}

/**
 * Opens a folder to make files in. To root it is what was opened, and not its name: whoever owns the folder above could
 * put a link there meanwhile, and would be given a file in a folder of root's.
 */
export function placeIn(folder: string): Place {
  const named = { path: folder, give: () => undefined, close: () => undefined };
  if (process.geteuid?.() !== 0) return named;
  const opened = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  const path = `/proc/self/fd/${opened}`;
  const close = () => closeSync(opened);
  if (!existsSync(path)) {
    close();
    return named;
  }
  const { uid, gid } = fstatSync(opened);
  return { path, give: (file) => (uid === 0 ? undefined : handOver(file, uid, gid)), close };
}

/** Lets nobody else into a folder. As root, only where it belongs to whom the one above does: else a link may lead elsewhere. */
export function shut(folder: string): void {
  const opened = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const isOurs = process.geteuid?.() !== 0 || fstatSync(opened).uid === statSync(dirname(folder)).uid;
    if (isOurs) fchmodSync(opened, 0o700);
  } finally {
    closeSync(opened);
  }
}

/** What a file system or a container without the right answers: then it stays root's. */
const REFUSED = new Set(['EPERM', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EROFS']);

function handOver(opened: number, uid: number, gid: number): void {
  try {
    fchownSync(opened, uid, gid);
  } catch (error) {
    if (!REFUSED.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** A folder that root has made goes to whom the one above belongs to. */
function giveFolder(folder: string): void {
  const above = placeIn(dirname(folder));
  try {
    const made = openSync(
      join(above.path, basename(folder)),
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
    );
    try {
      above.give(made);
    } finally {
      closeSync(made);
    }
  } finally {
    above.close();
  }
}
