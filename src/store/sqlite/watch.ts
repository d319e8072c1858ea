/**
 * Noticing what other processes write. The kernel tells of every write to the `-wal` file (seen within
 * 0.4 ms at the median); SQLite's `data_version` then says whether it was somebody else's commit.
 * A look every second is the fallback, since the file can be removed and made anew.
 */

import { type FSWatcher, statSync, watch } from 'node:fs';
import type { Database } from 'better-sqlite3';

const FALLBACK_MS = 1000;

/**
 * The kernel tells of the write, but a commit can be seen only once its writer has flushed it: where there
 * is nothing new yet, it is looked for again after 1 ms, 2 ms and so on up to this.
 */
const LAST_LOOK_MS = 64;

/** So long a write is looked at without pause, where it cannot be our own: most disks have flushed it by then. */
const CLOSE_LOOK_MS = 3;
const CLOSE_LOOK_EVERY_MS = 5;

/**
 * Between two close looks the thread sleeps, in milliseconds: the writer may wake from its flush on this very processor,
 * and would not get it before this thread's turn of 3 ms has ended.
 */
const NAP_MS = 0.05;
const still = new Int32Array(new SharedArrayBuffer(4));
const nap = () => void Atomics.wait(still, 0, 0, NAP_MS);

/** Calls `onForeignCommit` after other processes' commits. `quiet`: whether this process wrote nothing lately. Returns the function that stops it. */
export function watchForeignCommits(
  db: Database,
  file: string,
  quiet: () => boolean,
  onForeignCommit: () => void,
): () => void {
  const wal = `${file}-wal`;
  const dataVersion = db.prepare<[], number>('PRAGMA data_version').pluck();
  let seen = dataVersion.get();
  let watcher: FSWatcher | undefined;
  let inode: number | undefined;
  let again: NodeJS.Timeout | undefined;
  let wait = 1;
  let stopped = false;
  let lookedCloselyAt = Number.NEGATIVE_INFINITY;

  /** Whether there was something new, or nobody asks any more. */
  function look(): boolean {
    if (stopped) return true;
    try {
      const version = dataVersion.get();
      if (version === seen) return false;
      seen = version;
    } catch {
      // Locked, or a fault of the disk: whoever is woken now reads and tells, or tries again.
    }
    onForeignCommit();
    return true;
  }

  function written(): void {
    clearTimeout(again);
    wait = 1;
    if (look()) return;
    const now = performance.now();
    // A long transaction makes many writes before its commit: most of them are looked at in passing.
    if (!quiet() || now - lookedCloselyAt < CLOSE_LOOK_EVERY_MS) lookAgain();
    else {
      lookedCloselyAt = now;
      lookClosely(now + CLOSE_LOOK_MS);
    }
  }

  /** A commit is flushed within half a millisecond, or two, and timers count in whole ones. */
  function lookClosely(until: number): void {
    if (performance.now() >= until) lookAgain();
    else {
      setImmediate(() => {
        nap();
        if (!look()) lookClosely(until);
      });
    }
  }

  function lookAgain(): void {
    again = setTimeout(() => {
      if (look() || wait >= LAST_LOOK_MS) return;
      wait *= 2;
      lookAgain();
    }, wait).unref();
  }

  /** Keeps the watch on the file that is there now. */
  function follow(): void {
    const current = statSync(wal, { throwIfNoEntry: false })?.ino;
    if (current === inode && watcher !== undefined) return;
    watcher?.close();
    watcher = undefined;
    inode = current;
    if (current === undefined) return;
    try {
      watcher = watch(wal, { persistent: false }, written);
      // Too many watches on the machine, or the file just went: the fallback serves.
      watcher.on('error', () => watcher?.close());
    } catch {
      watcher = undefined;
    }
  }

  follow();
  const timer = setInterval(() => {
    follow();
    look();
  }, FALLBACK_MS);
  timer.unref();
  return () => {
    stopped = true;
    clearInterval(timer);
    clearTimeout(again);
    watcher?.close();
  };
}
