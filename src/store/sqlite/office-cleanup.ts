/** The passes whose time is over: finding them, and closing them. */

import type { Database } from 'better-sqlite3';
import type { OverduePass } from '../../outpass/cleanup.ts';
import type { PassStatus } from '../../outpass/office.ts';
import { passMoves } from '../../outpass/pass-states.ts';
import type { ApplyMove, Movable } from './pass-moves.ts';

interface OverdueRow {
  id: number;
  status: PassStatus;
  qr_path: string | null;
  document_path: string | null;
  attachments: string;
}

/** Statuses that time ends. */
const OPEN: readonly PassStatus[] = passMoves.expire.from;

/** Prepares both on a connection. `before` is UTC text: what ended earlier is overdue. */
export function prepareCleanup(db: Database, move: ApplyMove) {
  const overdue = db.prepare<[string, number, string, number], OverdueRow>(
    `SELECT id, status, qr_path, document_path, attachments FROM outpasses
     WHERE returns_at < ? AND id > ?
       AND (qr_path IS NOT NULL OR document_path IS NOT NULL OR attachments <> '[]'
            OR status IN (SELECT value FROM json_each(?)))
     ORDER BY id LIMIT ?`,
  );
  // Looked at again: it may have been given a later window since it was listed.
  const still = db.prepare<[number, string], Movable>(
    'SELECT id, reference, status FROM outpasses WHERE id = ? AND returns_at < ?',
  );
  const forget = db.prepare<[number]>(
    `UPDATE outpasses SET qr_path = NULL, document_path = NULL, attachments = '[]' WHERE id = ?`,
  );
  return {
    overdue: (before: string, after: number, limit: number): OverduePass[] =>
      overdue
        .all(before, after, JSON.stringify(OPEN), limit)
        .map(({ id, status, qr_path, document_path, attachments }) => ({
          id,
          files: [qr_path, document_path, ...(JSON.parse(attachments) as unknown[])].filter(
            (name) => typeof name === 'string',
          ),
          expires: OPEN.includes(status),
        })),
    /** Forgets their files, and moves those that time ends. `at` is wall time in milliseconds. */
    close(ids: readonly number[], before: string, at: number): void {
      for (const id of ids) {
        const pass = still.get(id, before);
        if (pass === undefined) continue;
        forget.run(id);
        if (OPEN.includes(pass.status)) move(pass, 'expire', { at });
      }
    },
  };
}
