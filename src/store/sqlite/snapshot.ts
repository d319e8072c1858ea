/** Whole databases: a copy of one, what is wrong with one, and one that is made ready to take another's place. */

import { type Database, SqliteError } from 'better-sqlite3';
import { formatTime } from '../../engine/clock.ts';
import { prepareAudit } from './audit.ts';
import { explain, openDatabase, type OpenOptions } from './open.ts';
import { whenFree } from './busy.ts';

/** Milliseconds to wait for another program's lock. */
const PATIENCE = 10_000;

/** Problems of a damaged database that are told; it may have thousands. */
const MOST_PROBLEMS = 3;

const QUIETLY: OpenOptions = {
  mode: 'read',
  migrate: false,
  anySchema: true,
  synchronous: 'full',
  patience: PATIENCE,
};

/** What is known of a copy. */
export interface Snapshot {
  /** The version of its tables. */
  schema: number;
  /** When it was begun, in milliseconds since 1970. */
  at: number;
}

/** Opens a database for as long as `use` takes, whatever the version of its tables. */
export async function withDatabase<T>(
  file: string,
  mode: 'read' | 'existing',
  use: (db: Database) => T | Promise<T>,
): Promise<T> {
  const db = await openDatabase(file, { ...QUIETLY, mode });
  try {
    return await use(db);
  } finally {
    db.close();
  }
}

/**
 * Writes what the database holds at one moment into a new file, and opens that to see that it is sound. It reads in one
 * transaction, so writers go on, and no writer can make it begin again. It occupies its thread for as long as it takes:
 * nothing for a supervisor's main thread.
 */
export async function copyDatabase(file: string, copy: string): Promise<Snapshot> {
  const at = Date.now();
  await withDatabase(file, 'read', async (db) => {
    try {
      await whenFree(() => db.prepare('VACUUM INTO ?').run(copy), PATIENCE);
    } catch (error) {
      // What the copy's disk says is told by whoever chose it.
      const ofCopy = error instanceof SqliteError && /^SQLITE_(?:FULL|CANTOPEN|IOERR)/.test(error.code);
      throw ofCopy ? error : explain(error, file, PATIENCE);
    }
  });
  return withDatabase(copy, 'read', (db) => {
    const [problem] = problemsOf(db, 'thorough');
    if (problem !== undefined) throw new Error(`the copy is damaged: ${problem}`);
    return { schema: schemaOf(db), at };
  });
}

/** Bytes that a copy will have, at most. */
export function sizeOf(file: string): Promise<number> {
  return withDatabase(file, 'read', (db) => {
    const pages = (name: string) => db.pragma(name, { simple: true }) as number;
    return (pages('page_count') - pages('freelist_count')) * pages('page_size');
  });
}

/** The version of the tables. */
export function schemaOf(db: Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}

/** What SQLite finds wrong. `quick` leaves out whether the indexes fit their tables. */
function problemsOf(db: Database, how: 'quick' | 'thorough'): string[] {
  const check = how === 'quick' ? 'quick_check' : 'integrity_check';
  let lines: Record<string, string>[];
  try {
    lines = db.pragma(`${check}(${MOST_PROBLEMS})`) as Record<string, string>[];
  } catch (error) {
    // Too damaged to be checked.
    if (error instanceof SqliteError && /^SQLITE_(?:CORRUPT|NOTADB)/.test(error.code)) return [error.message];
    throw error;
  }
  return lines.flatMap((line) => Object.values(line)).filter((line) => line !== 'ok');
}

/** What a database tells of itself, whatever the version of its tables. */
export function diagnose(db: Database): {
  schema: number;
  problems: string[];
  newest: string | null;
  lastBackup: { at: string; file: string } | null;
} {
  const schema = schemaOf(db);
  const problems = problemsOf(db, 'quick');
  if (problems.length > 0) return { schema, problems, newest: null, lastBackup: null };
  const text = (sql: string) => db.prepare<[], string | null>(sql).pluck().get() ?? null;
  const lastBackup = text(`SELECT value FROM settings WHERE key = 'last_backup'`);
  return {
    schema,
    problems,
    // The newest job's, and the latest sign of life: no index is needed for either.
    newest: text(
      `SELECT max(at) FROM (SELECT max(heartbeat_at) AS at FROM processes
       UNION ALL SELECT created_at FROM (SELECT created_at FROM jobs ORDER BY id DESC LIMIT 1))`,
    ),
    lastBackup: lastBackup === null ? null : (JSON.parse(lastBackup) as { at: string; file: string }),
  };
}

/** Writes the log into the database and cuts it to nothing. False where somebody still reads from it. */
export function emptyLog(file: string): Promise<boolean> {
  return withDatabase(file, 'existing', (db) => {
    const [row] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
    return row?.busy === 0;
  });
}

/** Notes in the database itself when a backup of it was last made, and where that lies. */
export function noteBackup(file: string, backup: string, at: number): Promise<unknown> {
  const value = JSON.stringify({ at: formatTime(at), file: backup });
  return withDatabase(file, 'existing', (db) =>
    whenFree(
      () => db.prepare(`INSERT OR REPLACE INTO settings (key, value) VALUES ('last_backup', ?)`).run(value),
      PATIENCE,
    ),
  );
}

/**
 * Makes a copy ready for use: nothing runs, since whatever ran is long over, and nothing starts until somebody lets it,
 * since much of what waits in it may have been done after it was made. Who does it, and of what, is written down where
 * its tables have the book for that. Gives what is wrong with it, and leaves it then.
 */
export function makeReady(
  copy: string,
  now: number,
  { by, what }: { by: string; what: string },
): Promise<string | undefined> {
  return withDatabase(copy, 'existing', (db) => {
    const [problem] = problemsOf(db, 'thorough');
    if (problem !== undefined) return problem;
    const time = formatTime(now);
    db.transaction(() => {
      // The attempt is given back, and no crash is counted: there was none.
      db.prepare(
        `UPDATE jobs SET status = 'pending', attempts = max(attempts - 1, 0), claimed_by = NULL WHERE status = 'processing'`,
      ).run();
      db.prepare('UPDATE processes SET stopped_at = ? WHERE stopped_at IS NULL AND lost_at IS NULL').run(
        time,
      );
      db.prepare(`INSERT OR REPLACE INTO settings (key, value) VALUES ('paused', ?)`).run(
        JSON.stringify({ since: time, by: 'restore' }),
      );
      const book = db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'audit'`).get();
      if (book !== undefined) prepareAudit(db).note(by, 'restore', what, now);
    })();
    return undefined;
  });
}
