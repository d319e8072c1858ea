/** The passes whose time is over: finding them, and closing them. */

import type { Database } from 'better-sqlite3';
import type { OverduePass } from '../../outpass/cleanup.ts';
import type { PassStatus } from '../../outpass/office.ts';
import { passMoves } from '../../outpass/pass-states.ts';

interface OverdueRow {
  id: number;
  status: PassStatus;
  qr_path: string | null;
  document_path: string | null;
}

/** Statuses that time ends. */
const OPEN: readonly PassStatus[] = passMoves.expire.from;

/** Prepares both on a connection. `before` is UTC text: what returned earlier is overdue. */
export function prepareCleanup(db: Database) {
  const open = JSON.stringify(OPEN);
  const overdue = db.prepare<[string, number, string, number], OverdueRow>(
    `SELECT id, status, qr_path, document_path FROM outpasses
     WHERE returns_at < ? AND id > ?
       AND (qr_path IS NOT NULL OR document_path IS NOT NULL OR status IN (SELECT value FROM json_each(?)))
     ORDER BY id LIMIT ?`,
  );
  // Looked at again: it may have been given a later window since it was listed.
  const close = db.prepare<[string, string, string, number, string]>(
    `UPDATE outpasses SET qr_path = NULL, document_path = NULL, updated_at = ?,
            status = CASE WHEN status IN (SELECT value FROM json_each(?)) THEN ? ELSE status END
     WHERE id = ? AND returns_at < ?`,
  );
  return {
    overdue: (before: string, after: number, limit: number): OverduePass[] =>
      overdue.all(before, after, open, limit).map(({ id, status, qr_path, document_path }) => ({
        id,
        files: [qr_path, document_path].filter((name) => name !== null),
        expires: OPEN.includes(status),
      })),
    close(ids: readonly number[], before: string, now: string): void {
      for (const id of ids) close.run(now, open, passMoves.expire.to, id, before);
    },
  };
}
