/** How one imported row of each kind is written: insert, or update what has the same natural key. */

import type { Database } from 'better-sqlite3';

import type { HostelRow, OutpassRow, StudentRow, UserRow } from '../../outpass/import.ts';
import type { PassStatus } from '../../outpass/office.ts';
import { moveBetween } from '../../outpass/pass-states.ts';
import type { RowVerdict, RowWriter } from './office-import.ts';
import type { ApplyMove } from './pass-moves.ts';
import { prepareReferences } from './pass-writes.ts';

const NOW = "strftime('%Y-%m-%d %H:%M:%f','now')";

type Values = Record<string, string | number | null>;
type Given = Record<string, string | number | null | undefined>;

export function hostelWriter(db: Database): RowWriter<HostelRow> {
  const write = upsert(db, 'hostels', 'name', ['name', 'type', 'category']);
  return { write: ({ name, type, category }) => write({ name, type, category }) };
}

/** Users by e-mail address; hostels that they name are made. */
export function userWriter(db: Database): RowWriter<UserRow> {
  const columns = ['name', 'email', 'role', 'gender', 'phone', 'hostel_id', 'active'];
  const write = upsert(db, 'users', 'email', columns);
  const hostelId = hostels(db);
  return {
    write: ({ place: _, hostel, active, ...row }) =>
      write({ ...row, hostel_id: hostelId(hostel), active: unlessEmpty(active) }),
  };
}

/** Students by roll number; hostels that they name are made. */
export function studentWriter(db: Database): RowWriter<StudentRow> {
  const write = upsert(db, 'students', 'roll_number', [
    'name', 'email', 'roll_number', 'year', 'programme', 'hostel_id', 'room', 'parent_phone', 'gender', 'academic_year', 'phone', 'active',
    'parent_email',
  ]); // prettier-ignore
  const hostelId = hostels(db);
  return {
    write: ({ place: _, rollNumber, hostel, parentPhone, parentEmail, academicYear, active, ...row }) =>
      write({
        ...row,
        roll_number: rollNumber,
        hostel_id: hostelId(hostel),
        parent_phone: parentPhone,
        parent_email: parentEmail,
        academic_year: academicYear,
        active: unlessEmpty(active),
      }),
  };
}

/**
 * Outpasses by reference. What is printed having changed, an old QR code and document are forgotten: they would show
 * the guard another window than the record. A status changes only as the table of moves allows.
 */
export function outpassWriter(db: Database, applyMove: ApplyMove, at: number): RowWriter<OutpassRow> {
  const student = db.prepare<[string], { id: number; active: number }>(
    'SELECT id, active FROM students WHERE roll_number = ?',
  );
  const find = db.prepare<[string], Values & { id: number }>(
    `SELECT id, reference, student_id, kind, purpose, destination, leaves_at, returns_at, status
     FROM outpasses WHERE reference = ?`,
  );
  const insert = db.prepare(
    `INSERT INTO outpasses (reference, student_id, kind, purpose, destination, leaves_at, returns_at, status)
     VALUES (@reference, @student_id, @kind, @purpose, @destination, @leaves_at, @returns_at, @status)`,
  );
  const update = db.prepare(
    `UPDATE outpasses SET kind = @kind, purpose = @purpose, destination = @destination, leaves_at = @leaves_at,
       returns_at = @returns_at, updated_at = ${NOW}
     WHERE id = @id`,
  );
  const forgetFiles = db.prepare(
    'UPDATE outpasses SET qr_path = NULL, document_path = NULL, token_id = NULL WHERE id = ?',
  );
  const wentOut = db
    .prepare<[number], number>(`SELECT 1 FROM movements WHERE outpass_id = ? AND direction = 'out'`)
    .pluck();
  const nextReference = prepareReferences(db);
  const unknown = (rollNumber: string) => `there is no student with roll_number '${rollNumber}'`;
  /**
   * What the records have of a row, and say against it; of a bad one, as much as could be read of it. A reference that is
   * null makes a new pass; of one that could not be read nobody knows.
   */
  const look = (rollNumber: unknown, reference: unknown, wanted: unknown) => {
    const found = typeof rollNumber === 'string' ? student.get(rollNumber) : undefined;
    const studentId = found?.id;
    const old = typeof reference === 'string' ? find.get(reference) : undefined;
    const faults: string[] = [];
    if (typeof rollNumber === 'string' && studentId === undefined) faults.push(unknown(rollNumber));
    if (found?.active === 0 && old === undefined && reference !== undefined) {
      faults.push(`student '${String(rollNumber)}' is not active and gets no new pass`);
    }
    if (old !== undefined && studentId !== undefined && old['student_id'] !== studentId) {
      faults.push(`outpass '${old['reference']}' is of another student`);
    }
    const status = old?.['status'] as PassStatus | undefined;
    const becomes = typeof wanted === 'string' && wanted !== status ? (wanted as PassStatus) : undefined;
    const move = status === undefined || becomes === undefined ? undefined : moveBetween(status, becomes);
    if (old !== undefined && becomes !== undefined && move === undefined) {
      faults.push(`outpass '${old['reference']}' is ${status} and cannot become ${becomes}`);
    }
    if (old !== undefined && move === 'cancel' && wentOut.get(old.id) !== undefined) {
      faults.push(`outpass '${old['reference']}' cannot be cancelled: the student went out`);
    }
    return { studentId, old, move, faults };
  };
  const write = (row: OutpassRow): RowVerdict => {
    const { studentId, old, move, faults } = look(row.rollNumber, row.reference, row.status);
    if (studentId === undefined || faults.length > 0) return { refused: faults.join('; ') };
    const printed: Values = {
      kind: row.kind,
      purpose: row.purpose,
      destination: row.destination,
      leaves_at: row.leavesAt,
      returns_at: row.returnsAt,
    };
    if (old === undefined) {
      const reference = row.reference ?? nextReference();
      insert.run({ ...printed, reference, student_id: studentId, status: row.status ?? 'pending' });
      return 'inserted';
    }
    // The reference stays as it is stored, whatever letters the file has: the code that is printed holds it.
    const reference = String(old['reference']);
    const changed = differs(old, printed);
    if (changed) {
      update.run({ ...printed, id: old.id });
      forgetFiles.run(old.id);
    }
    if (move !== undefined) {
      applyMove({ id: old.id, reference, status: old['status'] as PassStatus }, move, { at });
    }
    return changed || move !== undefined ? 'updated' : 'unchanged';
  };
  const against: RowWriter<OutpassRow>['against'] = (cells) =>
    look(cells['roll_number'], 'reference' in cells ? cells['reference'] : null, cells['status']).faults;
  return { write, against };
}

/** Keys that printed codes hold: the same key in other letters (CS1 for cs1) would make each of them an old one. */
const PRINTED = new Set(['roll_number']);

/** Inserts or updates by a natural key. What is undefined keeps its value, or its column's default in a new row. */
function upsert(
  db: Database,
  table: 'hostels' | 'users' | 'students',
  key: string,
  columns: readonly string[],
): (given: Given) => RowVerdict {
  const find = db.prepare<[unknown], Values & { id: number }>(
    `SELECT id, ${columns.join(', ')} FROM ${table} WHERE ${key} = ?`,
  );
  const update = db.prepare(
    `UPDATE ${table} SET ${columns.map((name) => `${name} = @${name}`).join(', ')}, updated_at = ${NOW} WHERE id = @id`,
  );
  const values = columns.map((name) => (name === 'active' ? 'coalesce(@active, 1)' : `@${name}`));
  const insert = db.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')})`);
  return (given) => {
    const old = find.get(given[key]);
    const next: Values = {};
    for (const name of columns) {
      const value = PRINTED.has(name) && old !== undefined ? old[name] : given[name];
      next[name] = value === undefined ? (old?.[name] ?? null) : value;
    }
    if (old === undefined) {
      insert.run(next);
      return 'inserted';
    }
    if (!differs(old, next)) return 'unchanged';
    update.run({ ...next, id: old.id });
    return 'updated';
  };
}

function differs(old: Values, next: Values): boolean {
  return Object.entries(next).some(([column, value]) => old[column] !== value);
}

/** A switch has no third position: an empty cell leaves it alone. */
function unlessEmpty(value: number | null | undefined): number | undefined {
  return value ?? undefined;
}

/** Finds a hostel by name, or makes it; absent and empty names stay what they are. */
function hostels(db: Database): (name: string | null | undefined) => number | null | undefined {
  const find = db.prepare<[string], number>('SELECT id FROM hostels WHERE name = ?').pluck();
  const insert = db.prepare('INSERT INTO hostels (name) VALUES (?)');
  return (name) => {
    if (typeof name !== 'string') return name;
    return find.get(name) ?? Number(insert.run(name).lastInsertRowid);
  };
}
