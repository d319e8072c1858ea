/** Who holds the lock that every writer of a database needs: asked of the kernel, since SQLite does not tell. */

import { readFileSync, statSync } from 'node:fs';

/** The byte of the -shm file that a writer locks (WAL_WRITE_LOCK of SQLite's wal.c). */
const WRITE_BYTE = 120;

/** A program and its number. */
export interface LockHolder {
  program: string;
  pid: number;
}

/** The process that writes, or holds a transaction open, at this moment; undefined where none does, or it cannot be seen. */
export function lockHolder(database: string): LockHolder | undefined {
  const inode = statSync(`${database}-shm`, { throwIfNoEntry: false })?.ino;
  if (inode === undefined) return undefined;
  const holder = readLocks().find(
    (lock) => lock.inode === inode && lock.write && lock.from <= WRITE_BYTE && WRITE_BYTE <= lock.to,
  );
  return holder === undefined ? undefined : { program: nameOf(holder.pid), pid: holder.pid };
}

/** Lines such as `1: POSIX  ADVISORY  WRITE 1234 08:01:131072 120 120`; waiting ones have an arrow before their kind. */
function readLocks() {
  const text = read('/proc/locks');
  return text.split('\n').flatMap((line) => {
    const match = /^\d+: POSIX +ADVISORY +(READ|WRITE) (\d+) [\da-f]+:[\da-f]+:(\d+) (\d+) (\d+|EOF)$/.exec(
      line,
    );
    if (match === null) return [];
    const [, kind, pid, inode, from, to] = match;
    return {
      write: kind === 'WRITE',
      pid: Number(pid),
      inode: Number(inode),
      from: Number(from),
      to: to === 'EOF' ? Number.POSITIVE_INFINITY : Number(to),
    };
  });
}

function nameOf(pid: number): string {
  return read(`/proc/${pid}/comm`).trim() || 'a program';
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
