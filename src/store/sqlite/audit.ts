/** The book of what people did by hand. */

import type { Database } from 'better-sqlite3';
import { formatTime } from '../../engine/clock.ts';

/** A line of it. `at` is UTC text. */
export interface AuditLine {
  id: number;
  at: string;
  who: string;
  /** The command, such as `jobs retry`. */
  action: string;
  detail: string;
}

/** Lines stay for 90 days, in milliseconds. */
const KEPT_MS = 90 * 86_400_000;

/** Prepares reading and writing. `note` and `prune` must run inside a write transaction. */
export function prepareAudit(db: Database) {
  const insert = db.prepare('INSERT INTO audit (at, who, action, detail) VALUES (?, ?, ?, ?)');
  const list = db.prepare<[number], AuditLine>('SELECT * FROM audit ORDER BY id DESC LIMIT ?');
  const prune = db.prepare('DELETE FROM audit WHERE at < ?');
  return {
    note(who: string, action: string, detail: string, now: number): void {
      insert.run(formatTime(now), who, action, detail);
    },
    /** The latest first. */
    list: (limit: number): AuditLine[] => list.all(limit),
    prune(now: number): void {
      prune.run(formatTime(now - KEPT_MS));
    },
  };
}
