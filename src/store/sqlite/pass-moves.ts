/** The one place that changes a pass's status: each move of the table as one write, guarded by the status it starts in. */

import type { Database } from 'better-sqlite3';

import { formatTime } from '../../engine/clock.ts';
import { officeErrors } from '../../outpass/errors.ts';
import type { PassStatus } from '../../outpass/office.ts';
import { movePass, type PassMove } from '../../outpass/pass-states.ts';

/** What is kept of a move. */
export interface MoveNote {
  /** Who made it; nobody for what time or a parent does. */
  by?: string | null;
  /** Why; what was noted before stays where nothing is said. */
  remarks?: string | null;
  /** Wall time in milliseconds. */
  at: number;
}

/** What of a pass decides whether a move is legal. */
export interface Movable {
  id: number;
  reference: string;
  status: PassStatus;
}

/** Makes a move and gives the new status; for use inside a write. Throws where the table does not have the move. */
export type ApplyMove = (pass: Movable, move: PassMove, note: MoveNote) => PassStatus;

export function preparePassMoves(db: Database): ApplyMove {
  const update = db.prepare(
    `UPDATE outpasses SET status = @to, updated_at = @at, remarks = coalesce(@remarks, remarks),
       approved_by = iif(@to = 'approved', @by, approved_by), approved_at = iif(@to = 'approved', @at, approved_at),
       closed_by = iif(@closes, @by, closed_by), closed_at = iif(@closes, @at, closed_at)
     WHERE id = @id AND status = @from`,
  );
  return (pass, move, { by = null, remarks = null, at }) => {
    const verdict = movePass(move, pass.status);
    if (!verdict.ok) throw officeErrors.passMove(pass.id, pass.reference, verdict.reason);
    const closes = ['rejected', 'cancelled', 'expired'].includes(verdict.status) ? 1 : 0;
    const values = {
      id: pass.id,
      from: pass.status,
      to: verdict.status,
      by,
      remarks,
      closes,
      at: formatTime(at),
    };
    if (update.run(values).changes === 0) {
      throw officeErrors.passMove(pass.id, pass.reference, 'was changed by somebody else meanwhile');
    }
    return verdict.status;
  };
}
