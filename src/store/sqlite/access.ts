/** Why a database cannot be opened, as far as its folder and its disk tell. */

import { constants, mkdtempSync, rmdirSync, statfsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { errors, type PassitoError } from '../../errors.ts';
import { firstShut, ownerOf, refusal, typeAsOwner } from '../../owner.ts';

/** Why this user gets no further on the way to a file: the first thing that is shut, and whose it is. */
export function shutOut(file: string): PassitoError | undefined {
  const shut = firstShut(file);
  return shut === undefined ? undefined : denied(file, shut.path, shut.folder ? 'look into' : 'read');
}

/** Whether the disk takes no writing at all, whoever asks. */
export function isReadOnlyDisk(file: string): boolean {
  const folder = dirname(file);
  return refusal(folder, constants.W_OK) === 'EROFS' || isStopped(folder);
}

/** Since Linux 6.15 an ext4 that an error has made read-only says so only to who writes. */
function isStopped(folder: string): boolean {
  try {
    rmdirSync(mkdtempSync(`${folder}/.`));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

/** Whether nothing more fits on the disk. */
export function isFullDisk(file: string): boolean {
  try {
    return statfsSync(dirname(file)).bavail === 0;
  } catch {
    return false;
  }
}

/** Who runs this. */
export function who(): string {
  try {
    return `the user ${userInfo().username}`;
  } catch {
    // A user without an entry in passwd.
    return `the user with the number ${process.getuid?.() ?? 'unknown'}`;
  }
}

function denied(file: string, shut: string, doing: string): PassitoError {
  // All above it could be looked into, so this can be asked.
  const own = statSync(shut).uid === process.getuid?.();
  const whose = own ? 'although it belongs to them' : `which belongs to ${ownerOf(shut)}`;
  return errors.databaseDenied(file, `${who()} may not ${doing} ${shut}, ${whose}`, typeAsOwner(shut));
}
