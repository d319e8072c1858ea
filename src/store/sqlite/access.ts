/** Why a database cannot be opened, as far as its folder and its disk tell. */

import { accessSync, constants, readFileSync, statfsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { errors, type PassitoError } from '../../errors.ts';

/** Why this user gets no further on the way to a file: the first thing that is shut, and whose it is. */
export function shutOut(file: string): PassitoError | undefined {
  for (const folder of foldersOf(file)) {
    if (refusal(folder, constants.X_OK) === 'EACCES') return denied(file, folder, 'look into');
  }
  return refusal(file, constants.R_OK) === 'EACCES' ? denied(file, file, 'read') : undefined;
}

/** Whether the disk takes no writing at all, whoever asks. */
export function isReadOnlyDisk(file: string): boolean {
  return refusal(dirname(file), constants.W_OK) === 'EROFS';
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

/** From the root down to the file's own. */
function foldersOf(file: string): string[] {
  const above = dirname(file);
  return above === file ? [] : [...foldersOf(above), above];
}

function refusal(path: string, wanted: number): string | undefined {
  try {
    accessSync(path, wanted);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

function denied(file: string, shut: string, doing: string): PassitoError {
  // All above it could be looked into, so this can be asked.
  const { uid } = statSync(shut);
  if (uid === process.getuid?.()) {
    const reason = `${who()} may not ${doing} ${shut}, although it belongs to them`;
    return errors.databaseDenied(file, reason, `Type: chmod u+rwX ${shut}`);
  }
  const owner = nameOf(uid);
  const reason = `${who()} may not ${doing} ${shut}, which belongs to ${owner ?? `the user with the number ${uid}`}`;
  const user = uid === 0 ? '' : `-u ${owner ?? `'#${uid}'`} `;
  return errors.databaseDenied(file, reason, `Type it as that user: sudo ${user}passito …`);
}

/** By the machine's own list; users of a directory service have no name here. */
function nameOf(uid: number): string | undefined {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((one) => one.split(':')[2] === String(uid));
    return line?.split(':')[0];
  } catch {
    return undefined;
  }
}
