/** The passes whose time is over: finding them, and closing them. */

import type { Database } from 'better-sqlite3';
import { formatTime } from '../../engine/clock.ts';
import type { OverduePass } from '../../outpass/cleanup.ts';
import { graceEnds, type LateGrace } from '../../outpass/late-grace.ts';
import type { PassStatus } from '../../outpass/office.ts';
import { passMoves } from '../../outpass/pass-states.ts';
import type { Gender } from '../../outpass/report-settings.ts';
import type { ApplyMove, Movable } from './pass-moves.ts';

/** When a pass ended, and whose it is. */
interface Ended {
  returns_at: string;
  gender: Gender | null;
}

interface EndedRow extends Ended {
  id: number;
  status: PassStatus;
  qr_path: string | null;
  document_path: string | null;
  attachments: string;
}

/** Statuses that time ends. */
const OPEN: readonly PassStatus[] = passMoves.expire.from;

/** Prepares both on a connection. Times are milliseconds since 1970. */
export function prepareCleanup(db: Database, move: ApplyMove, grace: LateGrace) {
  const ended = db.prepare<[string, number, string], EndedRow>(
    `SELECT o.id, o.status, o.returns_at, s.gender, o.qr_path, o.document_path, o.attachments
     FROM outpasses o JOIN students s ON s.id = o.student_id
     WHERE o.returns_at < ? AND o.id > ?
       AND (o.qr_path IS NOT NULL OR o.document_path IS NOT NULL OR o.attachments <> '[]'
            OR o.status IN (SELECT value FROM json_each(?)))
     ORDER BY o.id`,
  );
  const find = db.prepare<[number], Movable & Ended>(
    `SELECT o.id, o.reference, o.status, o.returns_at, s.gender
     FROM outpasses o JOIN students s ON s.id = o.student_id WHERE o.id = ?`,
  );
  const forget = db.prepare<[number]>(
    `UPDATE outpasses SET qr_path = NULL, document_path = NULL, attachments = '[]' WHERE id = ?`,
  );
  const isOver = ({ returns_at, gender }: Ended, now: number) => graceEnds(returns_at, gender, grace) < now;
  return {
    /** At most `limit` passes, those after an id first. */
    overdue(after: number, limit: number, now: number): OverduePass[] {
      const found: OverduePass[] = [];
      // Row by row: the grace is not the query's business, and those still inside it must not fill the batch.
      for (const row of ended.iterate(formatTime(now), after, JSON.stringify(OPEN))) {
        if (isOver(row, now)) found.push(overduePass(row));
        if (found.length === limit) break;
      }
      return found;
    },
    /** Forgets their files, and moves those that time ends. */
    close(ids: readonly number[], now: number): void {
      for (const id of ids) {
        const pass = find.get(id);
        // It may have been given a later window since it was listed.
        if (pass === undefined || !isOver(pass, now)) continue;
        forget.run(id);
        if (OPEN.includes(pass.status)) move(pass, 'expire', { at: now });
      }
    },
  };
}

function overduePass({ id, status, qr_path, document_path, attachments }: EndedRow): OverduePass {
  const names = [qr_path, document_path, ...(JSON.parse(attachments) as unknown[])];
  return { id, files: names.filter((name) => typeof name === 'string'), expires: OPEN.includes(status) };
}
