/**
 * Noticing what other processes write. The kernel tells of every write to the `-wal` file (seen within
 * 0.4 ms at the median); SQLite's `data_version` then says whether it was somebody else's commit.
 * A look every second is the fallback, since the file can be removed and made anew.
 */

import { type FSWatcher, statSync, watch } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { isBusy } from './busy.ts';

const FALLBACK_MS = 1000;

/** Calls `onForeignCommit` after other processes' commits. Returns the function that stops it. */
export function watchForeignCommits(db: Database, file: string, onForeignCommit: () => void): () => void {
  const wal = `${file}-wal`;
  const dataVersion = db.prepare<[], number>('PRAGMA data_version').pluck();
  let seen = dataVersion.get();
  let watcher: FSWatcher | undefined;
  let inode: number | undefined;

  function look(): void {
    try {
      const version = dataVersion.get();
      if (version === seen) return;
      seen = version;
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
    onForeignCommit();
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
      watcher = watch(wal, { persistent: false }, look);
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
    clearInterval(timer);
    watcher?.close();
  };
}
