/** New passes, and the gate's log. Every function runs inside one write. */

import type { Database } from 'better-sqlite3';

import { formatTime } from '../../engine/clock.ts';
import { officeErrors } from '../../outpass/errors.ts';
import type { Direction } from '../../outpass/movements.ts';
import type { NewPass } from '../../outpass/new-pass.ts';

/** A passage through the gate; times are UTC text. */
export interface Movement {
  id: number;
  direction: Direction;
  at: string;
  recordedBy: string;
}

/**
 * A reference from the id that the next row will get: `OP-000123`. An older system's references may already hold
 * that one; then a number is added.
 */
export function prepareReferences(db: Database): () => string {
  const lastId = db.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'outpasses'").pluck();
  const taken = db.prepare<[string], number>('SELECT 1 FROM outpasses WHERE reference = ?').pluck();
  return () => {
    const base = `OP-${String((lastId.get() ?? 0) + 1).padStart(6, '0')}`;
    let reference = base;
    for (let extra = 2; taken.get(reference) !== undefined; extra += 1) reference = `${base}-${extra}`;
    return reference;
  };
}

export function preparePassWrites(db: Database) {
  const student = db.prepare<[string], { id: number; active: number }>(
    'SELECT id, active FROM students WHERE roll_number = ?',
  );
  const taken = db.prepare<[string], number>('SELECT id FROM outpasses WHERE reference = ?').pluck();
  const nextReference = prepareReferences(db);
  const insert = db.prepare(
    `INSERT INTO outpasses (reference, student_id, kind, purpose, destination, leaves_at, returns_at)
     VALUES (@reference, @studentId, @kind, @purpose, @destination, @leavesAt, @returnsAt)`,
  );
  const insertMovement = db.prepare(
    'INSERT INTO movements (outpass_id, direction, at, recorded_by) VALUES (?, ?, ?, ?)',
  );
  return {
    /** Writes a pending pass and gives its id. */
    create({ rollNumber, reference, ...pass }: NewPass): number {
      const found = student.get(rollNumber);
      if (found === undefined) throw officeErrors.unknownStudent(rollNumber);
      if (found.active === 0) throw officeErrors.studentInactive(rollNumber);
      if (reference !== null && taken.get(reference) !== undefined) {
        throw officeErrors.referenceTaken(reference);
      }
      const values = { ...pass, reference: reference ?? nextReference(), studentId: found.id };
      return Number(insert.run(values).lastInsertRowid);
    },

    /** Writes a passage that the rules allow. */
    record(passId: number, direction: Direction, at: number, by: string): Movement {
      const time = formatTime(at);
      const { lastInsertRowid } = insertMovement.run(passId, direction, time, by);
      return { id: Number(lastInsertRowid), direction, at: time, recordedBy: by };
    },
  };
}
