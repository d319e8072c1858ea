/** Writes imported rows: insert, or update what has the same natural key. Every function runs inside one write. */

import type { Database } from 'better-sqlite3';

import { ImportError } from '../../outpass/import.ts';
import type { OutpassRow, RowProblem, StudentRow } from '../../outpass/import.ts';
import type { PassStatus } from '../../outpass/office.ts';
import { moveBetween } from '../../outpass/pass-states.ts';
import type { ApplyMove } from './pass-moves.ts';
import { prepareReferences } from './pass-writes.ts';

/** What an import did. */
export interface ImportCounts {
  inserted: number;
  updated: number;
  unchanged: number;
}

const NOW = "strftime('%Y-%m-%d %H:%M:%f','now')";

type Values = Record<string, string | number | null>;

/** Inserts or updates students by roll number; hostels that they name are made. */
export function writeStudents(db: Database, rows: readonly StudentRow[]): ImportCounts {
  const find = db.prepare<[string], Values & { id: number }>(
    'SELECT id, name, email, roll_number, year, programme, hostel_id, room, parent_phone FROM students WHERE roll_number = ?',
  );
  const insert = db.prepare(
    `INSERT INTO students (name, email, roll_number, year, programme, hostel_id, room, parent_phone)
     VALUES (@name, @email, @roll_number, @year, @programme, @hostel_id, @room, @parent_phone)`,
  );
  const update = db.prepare(
    `UPDATE students SET name = @name, email = @email, roll_number = @roll_number, year = @year,
       programme = @programme, hostel_id = @hostel_id, room = @room, parent_phone = @parent_phone, updated_at = ${NOW}
     WHERE id = @id`,
  );
  const hostelId = hostels(db);
  const counts = { inserted: 0, updated: 0, unchanged: 0 };
  for (const row of rows) {
    const old = find.get(row.rollNumber);
    const kept = (given: string | number | null | undefined, column: string) =>
      given === undefined ? (old?.[column] ?? null) : given;
    const next: Values = {
      name: row.name,
      email: row.email,
      roll_number: row.rollNumber,
      year: kept(row.year, 'year'),
      programme: kept(row.programme, 'programme'),
      hostel_id: kept(typeof row.hostel === 'string' ? hostelId(row.hostel) : row.hostel, 'hostel_id'),
      room: kept(row.room, 'room'),
      parent_phone: kept(row.parentPhone, 'parent_phone'),
    };
    if (old === undefined) {
      insert.run(next);
      counts.inserted += 1;
    } else if (differs(old, next)) {
      update.run({ ...next, id: old.id });
      counts.updated += 1;
    } else counts.unchanged += 1;
  }
  return counts;
}

/**
 * Inserts or updates outpasses by reference. What is printed having changed, an old QR code and document are forgotten:
 * they would show the guard another window than the record.
 */
export function writeOutpasses(
  db: Database,
  rows: readonly OutpassRow[],
  applyMove: ApplyMove,
  at: number = Date.now(),
): ImportCounts {
  const student = db.prepare<[string], number>('SELECT id FROM students WHERE roll_number = ?').pluck();
  const find = db.prepare<[string], Values & { id: number }>(
    `SELECT id, reference, student_id, kind, purpose, destination, leaves_at, returns_at, status
     FROM outpasses WHERE reference = ?`,
  );
  const insert = db.prepare(
    `INSERT INTO outpasses (reference, student_id, kind, purpose, destination, leaves_at, returns_at, status)
     VALUES (@reference, @student_id, @kind, @purpose, @destination, @leaves_at, @returns_at, @status)`,
  );
  const update = db.prepare(
    `UPDATE outpasses SET reference = @reference, kind = @kind, purpose = @purpose, destination = @destination,
       leaves_at = @leaves_at, returns_at = @returns_at, updated_at = ${NOW}
     WHERE id = @id`,
  );
  const forgetFiles = db.prepare(
    'UPDATE outpasses SET qr_path = NULL, document_path = NULL, token_id = NULL WHERE id = ?',
  );
  const nextReference = prepareReferences(db);
  const counts = { inserted: 0, updated: 0, unchanged: 0 };
  const problems: RowProblem[] = [];
  for (const row of rows) {
    const studentId = student.get(row.rollNumber);
    const old = row.reference === null ? undefined : find.get(row.reference);
    if (studentId === undefined) {
      problems.push({ place: row.place, reason: `there is no student with roll_number '${row.rollNumber}'` });
      continue;
    }
    if (old !== undefined && old['student_id'] !== studentId) {
      problems.push({ place: row.place, reason: `outpass '${row.reference}' is of another student` });
      continue;
    }
    const printed: Values = {
      kind: row.kind,
      purpose: row.purpose,
      destination: row.destination,
      leaves_at: row.leavesAt,
      returns_at: row.returnsAt,
    };
    const reference = row.reference ?? nextReference();
    const next: Values = { ...printed, reference };
    if (old === undefined) {
      insert.run({ ...next, student_id: studentId, status: row.status ?? 'pending' });
      counts.inserted += 1;
      continue;
    }
    const status = old['status'] as PassStatus;
    const move = row.status === null || row.status === status ? undefined : moveBetween(status, row.status);
    if (row.status !== null && row.status !== status && move === undefined) {
      problems.push({
        place: row.place,
        reason: `outpass '${reference}' is ${status} and cannot become ${row.status}`,
      });
      continue;
    }
    if (differs(old, next)) update.run({ ...next, id: old.id });
    if (differs(old, printed)) forgetFiles.run(old.id);
    if (move !== undefined) applyMove({ id: old.id, reference, status }, move, { at });
    if (move !== undefined || differs(old, next)) counts.updated += 1;
    else counts.unchanged += 1;
  }
  // Thrown at the end, so that all bad rows are told at once; the write that surrounds this undoes the rest.
  if (problems.length > 0) throw new ImportError(problems);
  return counts;
}

function differs(old: Values, next: Values): boolean {
  return Object.entries(next).some(([column, value]) => old[column] !== value);
}

/** Finds a hostel by name, or makes it. */
function hostels(db: Database): (name: string) => number {
  const find = db.prepare<[string], number>('SELECT id FROM hostels WHERE name = ?').pluck();
  const insert = db.prepare('INSERT INTO hostels (name) VALUES (?)');
  return (name) => find.get(name) ?? Number(insert.run(name).lastInsertRowid);
}
