/** Bringing the tables of a database up to date: alone, after a copy, in one transaction. */

import { chmodSync, chownSync, closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Database, SqliteError } from 'better-sqlite3';
import { errors } from '../../errors.ts';
import { APPLICATION_ID, MIGRATIONS } from './migrations.ts';
import type { ProcessRow } from './queries.ts';

/** A process that works with the database, as its row tells of it. */
type KnownProcess = Pick<ProcessRow, 'pid' | 'host' | 'boot_id' | 'start_time' | 'heartbeat_at'>;

/** What is asked and told when an existing database is changed. */
export interface MigrateOptions {
  /** Whether a process lives that works with the tables as they were. */
  isAlive: (one: KnownProcess) => boolean;
  /** Told afterwards, with the path of the copy as it was before. */
  migrated?: (told: { from: number; to: number; copy: string }) => void;
}

/** Makes the tables of an empty database. */
export function createTables(db: Database): void {
  step(db);
}

/**
 * Changes the tables of a database that is older. Throws, with nothing changed, where a supervisor or worker lives, where
 * there is no room for the copy, or where a step fails. The copy stands beside the database, so that an older passito can
 * be given what it knew.
 */
export function bringUpToDate(db: Database, file: string, { isAlive, migrated }: MigrateOptions): void {
  const from = versionOf(db);
  const refuse = () => {
    const one = living(db).find(isAlive);
    if (one !== undefined) throw errors.tablesInUse(file, one.pid);
  };
  refuse();
  const copy = keepCopy(db, file, from);
  // Once more, under the lock: one may have started meanwhile.
  step(db, refuse);
  migrated?.({ from, to: MIGRATIONS.length, copy });
}

/** Where the copy of a database lies that was of this version. */
export function copyBefore(file: string, version: number): string {
  return `${file}.schema-${version}`;
}

function versionOf(db: Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}

function living(db: Database): KnownProcess[] {
  return db
    .prepare<[], KnownProcess>(
      `SELECT pid, host, boot_id, start_time, heartbeat_at FROM processes WHERE stopped_at IS NULL AND lost_at IS NULL`,
    )
    .all();
}

function step(db: Database, refuse?: () => void): void {
  db.transaction(() => {
    refuse?.();
    // Read again under the lock: two processes may have met the file at the same instant.
    for (const { sql } of MIGRATIONS.slice(versionOf(db))) db.exec(sql);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
  }).immediate();
}

/** One copy a version: what a try that failed has left is replaced. */
function keepCopy(db: Database, file: string, version: number): string {
  const copy = copyBefore(file, version);
  const draft = `${copy}.new`;
  rmSync(draft, { force: true });
  const mask = process.umask(0o077);
  try {
    db.prepare('VACUUM INTO ?').run(draft);
    const { mode, uid, gid } = statSync(file);
    chmodSync(draft, mode & 0o777);
    // Where root migrates: the service's, as the database itself.
    if (process.getuid?.() === 0) chownSync(draft, uid, gid);
    sync(draft);
    renameSync(draft, copy);
    sync(dirname(copy));
    return copy;
  } catch (error) {
    rmSync(draft, { force: true });
    const full = error instanceof SqliteError && error.code === 'SQLITE_FULL';
    throw full ? errors.noRoomToMigrate(file) : error;
  } finally {
    process.umask(mask);
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
