/** The files that this process has open, of those that it may: threads and handlers need some, and a handler may leak them. */

import { readdirSync, readFileSync } from 'node:fs';
import { errors } from '../errors.ts';

/** A thread's own five, and one for its handler. */
const PER_THREAD = 6;

/** What a supervisor has open without its threads: the database, its socket, pipes and watches. */
const ITS_OWN = 30;

/** Left for connections and for what handlers open. */
const SPARE = 16;

/** From this share on somebody leaks them. */
const CROWDED = 0.8;

export const RAISE_FILES = 'Raise it: ulimit -n 4096, or LimitNOFILE=4096 in the unit.';

/** Throws where there are too few for so many threads: in the midst of the start no message would be clear. */
export function refuseFewFiles(threads: number): void {
  const limit = fileLimit();
  const needed = ITS_OWN + SPARE + threads * PER_THREAD;
  if (limit >= needed) return;
  const workers = threads === 1 ? 'one worker needs' : `--min-workers ${threads} needs`;
  throw errors.badConfig([
    `This process may have ${limit} files open; ${workers} at least ${needed}. ${RAISE_FILES}`,
  ]);
}

let known: number | undefined;

/** How many files this process may have open; it stays so. Without limit, or where /proc is closed: infinitely many. */
export function fileLimit(): number {
  return (known ??= readLimit());
}

function readLimit(): number {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** How many more threads there is room for. */
export function roomForThreads(): number {
  const limit = fileLimit();
  if (limit === Number.POSITIVE_INFINITY) return limit;
  return Math.max(Math.floor((limit - openFiles() - SPARE) / PER_THREAD), 0);
}

/** Whether nearly all of them are open. */
export function areFilesShort(): boolean {
  const limit = fileLimit();
  return limit !== Number.POSITIVE_INFINITY && openFiles() > CROWDED * limit;
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    // To look at the list takes one as well.
    return fileLimit();
  }
}
