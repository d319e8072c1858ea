/** Opens a database for a Node program. */

import { systemClock } from '../engine/clock.ts';
import { errors } from '../errors.ts';
import type { SqliteStore } from '../store/sqlite/store.ts';

/** What better-sqlite3 needs. */
const OLDEST_NODE = 22;

/** How long a write waits for other writers of the database, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Opens a database, and makes it where it is absent. */
export async function openDatabase(
  database: string,
  { synchronous = 'full' }: { synchronous?: 'full' | 'normal' },
): Promise<SqliteStore> {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    throw errors.oldNode(process.version, OLDEST_NODE);
  }
  // Only now: on an older Node the native addon ends the whole process.
  const { SqliteStore } = await import('../store/sqlite/store.ts');
  const how = { mode: 'create', migrate: false, synchronous, patience: PATIENCE_MS } as const;
  return SqliteStore.open(database, how, systemClock);
}
