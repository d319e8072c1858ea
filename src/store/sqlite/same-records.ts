/** What two databases, of which one was made of the other, do not have in common. */

import { isDeepStrictEqual } from 'node:util';
import type { Database } from 'better-sqlite3';
import { withDatabase } from './snapshot.ts';

/** What people and programs were told is written. What a supervisor notes for itself, such as ticks, is not among it. */
const RECORDS = [
  'hostels',
  'students',
  'users',
  'outpasses',
  'parent_verifications',
  'movements',
  'report_settings',
  'report_recipients',
  'mails',
  'audit',
];

/** By these a change shows. */
const TELLING = ['id', 'user_id', 'updated_at', 'decided_at'];

/** Rows that a migration itself puts into a table that it makes are nobody's, as long as nobody changes them. */
const OF_SOMEBODY: Readonly<Record<string, string>> = { report_settings: 'updated_at <> created_at' };

/**
 * The tables that differ: jobs in other states, or claimed more often; records that have come, gone or changed. What
 * only one of the two databases knows, since it is of another version, counts where there is anything in it.
 */
export async function changedTables(one: string, other: string): Promise<string[]> {
  const jobs = (db: Database) =>
    db
      .prepare(
        `SELECT status, count(*) AS n, sum(id) AS ids, sum(lease) AS leases FROM jobs GROUP BY 1 ORDER BY 1`,
      )
      .all();
  const columns = (db: Database) => new Map(RECORDS.map((table) => [table, columnsOf(db, table)]));
  const [first, second] = [await both(one, columns), await both(other, columns)];
  const known = (table: string) => {
    const [left = [], right = []] = [first.get(table), second.get(table)];
    return {
      shared: left.filter((column) => right.includes(column)),
      everywhere: left.length * right.length > 0,
    };
  };
  const records = (db: Database) =>
    RECORDS.map((table) => {
      const { shared, everywhere } = known(table);
      return columnsOf(db, table).length === 0 ? { n: 0 } : digest(db, table, shared, everywhere);
    });
  const look = (db: Database) => [jobs(db), ...records(db)];
  const [before, after] = [await both(one, look), await both(other, look)];
  return ['jobs', ...RECORDS].filter((_, at) => !isDeepStrictEqual(before[at], after[at]));
}

function both<T>(file: string, look: (db: Database) => T): Promise<T> {
  return withDatabase(file, 'read', look);
}

/** None where there is no such table. */
function columnsOf(db: Database, table: string): string[] {
  return db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table);
}

function digest(db: Database, table: string, shared: string[], everywhere: boolean): unknown {
  const telling = TELLING.filter((column) => shared.includes(column)).map(
    (column) => `, ${column.endsWith('_at') ? 'max' : 'sum'}(${column})`,
  );
  const where = everywhere ? '' : `WHERE ${OF_SOMEBODY[table] ?? 'true'}`;
  return db.prepare(`SELECT count(*) AS n${telling.join('')} FROM ${table} ${where}`).get();
}
