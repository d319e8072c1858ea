/** Whose a file is, and what this user may do with it: for who typed a command as another user than its owner. */

import {
  accessSync,
  constants,
  lstatSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { quoted } from './escape.ts';

/** The first thing on the way to a file that this user may not pass, or the file itself; undefined where all is open. */
export function firstShut(file: string): { path: string; folder: boolean } | undefined {
  for (const path of foldersOf(file)) {
    if (refusal(path, constants.X_OK) === 'EACCES') return { path, folder: true };
  }
  return refusal(file, constants.R_OK) === 'EACCES' ? { path: file, folder: false } : undefined;
}

/**
 * The first thing on the way to a file, or the file itself, that somebody else than root may change or replace. Under
 * sudo whoever typed it is root already.
 */
export function firstChangeable(file: string): string | undefined {
  const trusted = new Set([0, Number(process.env['SUDO_UID'] ?? 0)]);
  const real = realpathSync(file);
  return wayTo(resolve(file)).find((one) => {
    const found = lstatSync(one);
    const { mode, uid } = found;
    if (!trusted.has(uid)) return true;
    // A link has no rights of its own.
    if (found.isSymbolicLink()) return false;
    // In a folder such as /tmp nobody renames what is somebody else's.
    const sticky = one !== real && (mode & 0o1000) !== 0;
    return ((mode & 0o002) !== 0 && !sticky) || ((mode & 0o020) !== 0 && uid !== 0);
  });
}

/** What the system answers where it refuses; undefined where it does not. */
export function refusal(path: string, wanted: number): string | undefined {
  try {
    accessSync(path, wanted);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Who owns a path, in words; it must be there to be seen. */
export function ownerOf(path: string): string {
  const { uid } = statSync(path);
  return nameOf(uid) ?? `the user with the number ${uid}`;
}

/** What to type instead; it must be there to be seen. */
export function typeAsOwner(path: string): string {
  const { uid } = statSync(path);
  // It is this user's own, and shut to them.
  if (uid === process.getuid?.()) return `Type: chmod u+rwX ${quoted(path)}`;
  const user = uid === 0 ? '' : `-u ${nameOf(uid) ?? `'#${uid}'`} `;
  return `Type it as its owner: sudo ${user}passito …`;
}

/** From the root down to the file's own. */
function foldersOf(file: string): string[] {
  const above = dirname(file);
  return above === file ? [] : [...foldersOf(above), above];
}

/** From the root down: every folder and link that is passed on the way to a path, and what is there. */
function wayTo(path: string): string[] {
  const above = dirname(path);
  if (above === path) return [path];
  const here = join(realpathSync(above), basename(path));
  const way = [...wayTo(above), here];
  // A link may point to another: whoever owns one of them decides where it all ends.
  return lstatSync(here).isSymbolicLink()
    ? [...way, ...wayTo(resolve(dirname(here), readlinkSync(here)))]
    : way;
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
