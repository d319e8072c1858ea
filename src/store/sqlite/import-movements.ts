/** How imported movements are written: a row of the file is a way out, and a way in where the student is back. */

import type { Database } from 'better-sqlite3';

import type { MovementRow } from '../../outpass/import.ts';
import { inZone, tellTime } from '../../outpass/local-time.ts';
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
  /** What the records say against a row; of a bad one, as much as could be read of it. */
  const faultsOf = (pass: LoggedPass, outAt: unknown, inAt: unknown): string[] => {
    const faults: string[] = [];
    if (!OPENED_THE_GATE.has(pass.status)) {
      faults.push(`outpass '${pass.reference}' is ${pass.status}; only an approved pass opens the gate`);
    }
    if (typeof outAt === 'string' && inAt === null && pass.inAt !== null && pass.inAt < outAt) {
      faults.push(`the student came back ${inZone(tellTime(pass.inAt, zone), zone)}, before out_at`);
    }
    return faults;
  };
  const write = ({ reference, outAt, inAt, recordedBy }: MovementRow): RowVerdict => {
    const pass = find.get(reference);
    if (pass === undefined) return { refused: unknown(reference) };
    const faults = faultsOf(pass, outAt, inAt);
    if (faults.length > 0) return { refused: faults.join('; ') };
    const wentOut = pass.outAt !== outAt || pass.outBy !== recordedBy;
    const cameBack = inAt !== null && (pass.inAt !== inAt || pass.inBy !== recordedBy);
    if (wentOut) save.run(pass.id, 'out', outAt, recordedBy);
    if (cameBack) save.run(pass.id, 'in', inAt, recordedBy);
    if (pass.outAt === null) return 'inserted';
    return wentOut || cameBack ? 'updated' : 'unchanged';
  };
  const against: RowWriter<MovementRow>['against'] = (cells) => {
    const { reference, out_at: outAt } = cells;
    if (typeof reference !== 'string') return [];
    const pass = find.get(reference);
    // A column that is not there says as little of the return as an empty cell.
    const inAt = 'in_at' in cells ? cells['in_at'] : null;
    return pass === undefined ? [unknown(reference)] : faultsOf(pass, outAt, inAt);
  };
  return { write, against };
}
