/** The tables' version, and the way back to the copy that was made before they were changed. */

import { existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { errors } from '../errors.ts';
import { copyBefore } from '../store/sqlite/migrate.ts';
import { changedTables } from '../store/sqlite/same-records.ts';
import { emptyLog, schemaOf, withDatabase } from '../store/sqlite/snapshot.ts';
import { syncFolder } from './steps.ts';

/** The version of a database's tables. */
export function schemaVersion(file: string): Promise<number> {
  return withDatabase(file, 'read', schemaOf);
}

/**
 * Puts the copy of the version before in the database's place, which must be in nobody's use. Throws, with nothing
 * changed, where jobs or records of the office have come or changed since: they would be lost, or jobs run again.
 */
export async function restoreTables(file: string, version: number): Promise<void> {
  const copy = copyBefore(file, version);
  if (!existsSync(copy)) throw errors.tablesNotRestored(file, `there is no copy ${copy}`);
  const changed = await changedTables(file, copy);
  if (changed.length > 0) {
    throw errors.tablesNotRestored(file, `there, rows have come or changed since (${changed.join(', ')})`);
  }
  if (!(await emptyLog(file))) throw errors.tablesNotRestored(file, 'another program works with it');
  // One step: at no moment is there no database, or half of one.
  const aside = `${file}.undone`;
  rmSync(aside, { force: true });
  linkSync(file, aside);
  renameSync(copy, file);
  for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  syncFolder(dirname(file));
}
