/** How imported movements are written: a row of the file is a way out, and a way in where the student is back. */

import type { Database } from 'better-sqlite3';

import type { MovementRow } from '../../outpass/import.ts';
import { tellTime } from '../../outpass/local-time.ts';
import type { PassStatus } from '../../outpass/office.ts';
import type { RowVerdict, RowWriter } from './office-import.ts';

/** A pass with what the gate's log says of it. */
interface LoggedPass {
  id: number;
  reference: string;
  status: PassStatus;
  outAt: string | null;
  outBy: string | null;
  inAt: string | null;
  inBy: string | null;
}

/** What a pass is that somebody has gone out on: approved, and perhaps over since. */
const OPENED_THE_GATE: ReadonlySet<PassStatus> = new Set(['approved', 'expired']);

/**
 * Movements by the reference of their pass. A return that the log has stays where the file has none: a file may be
 * older than the log, and someone who is back must not go missing.
 */
export function movementWriter(db: Database, zone: string): RowWriter<MovementRow> {
  const find = db.prepare<[string], LoggedPass>(
    `SELECT o.id, o.reference, o.status, went.at AS outAt, went.recorded_by AS outBy, came.at AS inAt, came.recorded_by AS inBy
     FROM outpasses o LEFT JOIN movements went ON went.outpass_id = o.id AND went.direction = 'out'
          LEFT JOIN movements came ON came.outpass_id = o.id AND came.direction = 'in'
     WHERE o.reference = ?`,
  );
  const save = db.prepare(
    `INSERT INTO movements (outpass_id, direction, at, recorded_by) VALUES (?, ?, ?, ?)
     ON CONFLICT (outpass_id, direction) DO UPDATE SET at = excluded.at, recorded_by = excluded.recorded_by`,
  );
  const unknown = (reference: string) => `there is no outpass '${reference}'`;
  const write = ({ reference, outAt, inAt, recordedBy }: MovementRow): RowVerdict => {
    const pass = find.get(reference);
    if (pass === undefined) return { refused: unknown(reference) };
    if (!OPENED_THE_GATE.has(pass.status)) {
      return {
        refused: `outpass '${pass.reference}' is ${pass.status}; only an approved pass opens the gate`,
      };
    }
    if (inAt === null && pass.inAt !== null && pass.inAt < outAt) {
      return { refused: `the student came back ${tellTime(pass.inAt, zone)}, before out_at` };
    }
    const wentOut = pass.outAt !== outAt || pass.outBy !== recordedBy;
    const cameBack = inAt !== null && (pass.inAt !== inAt || pass.inBy !== recordedBy);
    if (wentOut) save.run(pass.id, 'out', outAt, recordedBy);
    if (cameBack) save.run(pass.id, 'in', inAt, recordedBy);
    if (pass.outAt === null) return 'inserted';
    return wentOut || cameBack ? 'updated' : 'unchanged';
  };
  const against: RowWriter<MovementRow>['against'] = ({ reference }) =>
    typeof reference !== 'string' || find.get(reference) !== undefined ? undefined : unknown(reference);
  return { write, against };
}
