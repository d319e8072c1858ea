/** Opening a database: create, check, migrate; every way it can go wrong has its own line. */

import { chmodSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import Database, { SqliteError } from 'better-sqlite3';
import { quoted } from '../../escape.ts';
import { errors, EXIT, messageOf, PassitoError } from '../../errors.ts';
import { makeFolder, placeIn } from '../../make-folder.ts';
import { refusal, typeAsOwner } from '../../owner.ts';
import { isFullDisk, isReadOnlyDisk, shutOut, who } from './access.ts';
import { loadAddon } from './addon.ts';
import { isBusy, whenFree } from './busy.ts';
import { lockHolder } from './lock-holder.ts';
import { bringUpToDate, createTables, type MigrateOptions } from './migrate.ts';
import { APPLICATION_ID, MIGRATIONS } from './migrations.ts';

/** A burst may grow the WAL; after the next checkpoint it shrinks to this again. Bytes. */
export const WAL_LIMIT = 64 * 1024 ** 2;

/** How a database is opened. */
export interface OpenOptions {
  /** `create` makes it where it is absent; `existing` does not; `read` does not and never writes. */
  mode: 'create' | 'existing' | 'read';
  /** Whether tables that are older may be brought up to date. A new database gets its tables always. */
  migrate: false | MigrateOptions;
  /** An older schema is let in as it is: for who copies or checks the file, and looks at no table. */
  anySchema?: boolean;
  /** `full`: a dispatch that returned survives a power cut. `normal`: it survives a crash of the process. */
  synchronous: 'full' | 'normal';
  /** Milliseconds to wait for another program's lock. */
  patience: number;
}

/** Stands beside a database that is being replaced, from the first move to the last. */
export function restoringMark(file: string): string {
  return `${file}-restoring`;
}

/** Opens, checks and, where allowed, migrates. The caller closes it. */
export async function openDatabase(path: string, options: OpenOptions): Promise<Database.Database> {
  const file = resolve(path);
  let db: Database.Database | undefined;
  try {
    refuseHalfRestored(file);
    prepareFile(file, options.mode);
    db = connect(file, options);
    // Once more: a restore looks for who has the file open after it has set its mark.
    refuseHalfRestored(file);
    const open = db;
    await whenFree(() => prepareConnection(open, options), options.patience);
    await whenFree(() => prepareSchema(open, file, options), options.patience);
    return open;
  } catch (error) {
    db?.close();
    // better-sqlite3 complains of a missing folder by a TypeError.
    if (error instanceof TypeError) throw errors.databaseUnusable(file, messageOf(error), error);
    throw explain(error, file, options.patience);
  }
}

function refuseHalfRestored(file: string): void {
  if (existsSync(restoringMark(file))) throw errors.restoreInterrupted(file);
}

function prepareFile(file: string, mode: OpenOptions['mode']): void {
  // Throws where it is not to be seen, which is another thing than not being there.
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) throw errors.databaseUnusable(file, 'it is a folder');
  if (found !== undefined) return;
  if (mode !== 'create') throw errors.databaseAbsent(file);
  makeFolder(dirname(file), 0o700);
}

function connect(file: string, options: OpenOptions): Database.Database {
  const nativeBinding = loadAddon(dirname(file));
  const created = !existsSync(file);
  if (created && options.mode === 'create' && process.geteuid?.() === 0) makeForOwner(file);
  // SQLite gives -wal and -shm the mode of the database file itself.
  const mask = process.umask(0o077);
  try {
    const db = new Database(file, {
      readonly: options.mode === 'read',
      fileMustExist: options.mode !== 'create',
      timeout: 0,
      ...(nativeBinding === undefined ? {} : { nativeBinding: nativeBinding as unknown as string }),
    });
    if (created) chmodSync(file, isShared(dirname(file)) ? 0o660 : 0o600);
    return db;
  } finally {
    process.umask(mask);
  }
}

/** Where root makes it, an empty file that is the folder's owner's: SQLite makes -wal and -shm for whom it belongs to. */
function makeForOwner(file: string): void {
  const place = placeIn(dirname(file));
  try {
    const made = openSync(join(place.path, basename(file)), 'wx', 0o600);
    try {
      place.give(made);
    } finally {
      closeSync(made);
    }
  } catch (error) {
    // Somebody else made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    place.close();
  }
}

/** Whether an admin has given the folder to a group: it may write there, and what is made there is the group's. */
export function isShared(folder: string): boolean {
  return (statSync(folder).mode & 0o2020) === 0o2020;
}

function prepareConnection(db: Database.Database, { mode, synchronous }: OpenOptions): void {
  if (mode !== 'read') {
    // Counts for a new file alone, and only before anything is written: what old jobs leave can be given back.
    // And what is there already may lie on a disk that is read-only, where it can still be looked at.
    if (mode === 'create') db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${synchronous}`);
    db.pragma(`journal_size_limit = ${WAL_LIMIT}`);
  }
  db.pragma('foreign_keys = OFF');
  db.pragma('cache_size = -16000');
  db.pragma('temp_store = MEMORY');
}

function prepareSchema(db: Database.Database, file: string, { mode, migrate, anySchema }: OpenOptions): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  const empty = version === 0 && db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (!empty && db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw errors.databaseForeign(file);
  }
  if (version > MIGRATIONS.length) throw errors.databaseNewer(file, version, MIGRATIONS.length);
  if (version === MIGRATIONS.length) return;
  if (empty && mode !== 'create') throw errors.databaseEmpty(file);
  if (!empty && anySchema === true) return;
  if (empty) return createTables(db);
  if (migrate === false) throw errors.databaseOlder(file);
  bringUpToDate(db, file, migrate);
}

/** Whether an error is about what was to be written, and not about the database as a whole. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof SqliteError) return /^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(error.code);
  return error instanceof RangeError || (error instanceof PassitoError && error.exit === EXIT.usage);
}

/** The file, or its folder: SQLite makes its other files there. */
function shutToWriting(file: string): string {
  return refusal(file, constants.W_OK) === undefined ? dirname(file) : file;
}

/** Turns what SQLite or the file system said into a line for the admin. */
export function explain(error: unknown, file: string, patience: number): unknown {
  if (error instanceof PassitoError) return error;
  if (isBusy(error)) return errors.databaseBusy(file, Math.round(patience / 1000), lockHolder(file));
  if (error instanceof SqliteError) {
    if (error.code === 'SQLITE_FULL') return errors.databaseFull(file);
    if (error.code.startsWith('SQLITE_READONLY')) {
      return isReadOnlyDisk(file)
        ? errors.diskReadOnly(file)
        : errors.databaseReadOnly(file, who(), typeAsOwner(shutToWriting(file)));
    }
    if (error.code === 'SQLITE_NOTADB') {
      return errors.databaseUnusable(file, 'it is not an SQLite database', error);
    }
    if (error.code.startsWith('SQLITE_CORRUPT')) {
      return errors.databaseUnusable(
        file,
        `it is damaged (${error.message})`,
        error,
        `Stop the supervisor (sudo systemctl stop passito-supervisor), then put a backup in its place: passito restore FILE --force --db ${quoted(file)}`,
      );
    }
    if (error.code.startsWith('SQLITE_CANTOPEN')) {
      if (isReadOnlyDisk(file)) return errors.diskReadOnly(file);
      return (
        shutOut(file) ??
        errors.databaseUnusable(
          file,
          `it cannot be opened by ${who()}`,
          error,
          existsSync(dirname(file)) ? typeAsOwner(dirname(file)) : undefined,
        )
      );
    }
    if (error.code.startsWith('SQLITE_IOERR')) {
      // An error of the disk has made it so, under a file that was open for writing.
      if (isReadOnlyDisk(file)) return errors.diskReadOnly(file);
      // Files that SQLite shares between processes are made before anything is written.
      if (error.code === 'SQLITE_IOERR_SHMSIZE' || isFullDisk(file)) return errors.databaseFull(file);
      return errors.databaseUnusable(file, `the disk reports an error (${error.code})`, error);
    }
    if (isRefusal(error)) return errors.rowRefused(error.message);
    return errors.databaseUnusable(file, error.message, error);
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'EACCES' || code === 'EPERM') {
    return shutOut(file) ?? errors.databaseUnusable(file, `${who()} may not use this folder`, error);
  }
  if (code === 'EROFS') return errors.diskReadOnly(file);
  if (code === 'ENAMETOOLONG') return errors.databaseUnusable(file, 'its name is too long', error);
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return errors.databaseUnusable(file, 'a part of its path is not a folder', error);
  }
  if (code === 'ENOENT') {
    return errors.databaseUnusable(file, 'there can be no such folder', error);
  }
  if (code === 'ENOSPC') return errors.databaseFull(file);
  if (code === 'ADDON_UNLOADABLE') {
    return errors.databaseUnusable(file, messageOf(error), error);
  }
  return error;
}
