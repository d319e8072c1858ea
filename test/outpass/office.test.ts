import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ImportError, outpassRows, studentRows } from '../../src/outpass/import.ts';
import type { PassStatus } from '../../src/outpass/office.ts';
import { movePass, passMoves, passStatuses } from '../../src/outpass/pass-states.ts';
import { tokenIdOf } from '../../src/outpass/token.ts';
import { one, openOffice, passRecord, studentRecord } from '../tools/office.ts';

const passRows = (...records: Record<string, unknown>[]) => outpassRows(one(...records), 'Asia/Kolkata').rows;

test('a pass is read with its student and hostel, by id or by reference', async (t) => {
  const { office } = await openOffice(t);
  const pass = await office.pass(1);
  assert.deepEqual(pass, {
    id: 1,
    reference: 'OP-000001',
    kind: 'Home pass',
    status: 'pending',
    purpose: 'Sister’s wedding',
    destination: 'Madurai',
    leavesAt: '2026-11-20 12:30:00.000',
    returnsAt: '2026-11-23 02:30:00.000',
    approvedBy: null,
    approvedAt: null,
    closedBy: null,
    closedAt: null,
    wentOutAt: null,
    cameBackAt: null,
    remarks: null,
    files: { qr: null, document: null, tokenId: null },
    student: {
      id: 1,
      name: 'Arjun Selvam',
      email: 'arjun@students.example.edu',
      rollNumber: '21CS001',
      gender: null,
      year: 3,
      programme: 'B.E. Computer Science',
      hostel: 'Kaveri',
      room: 'A-214',
      parent: { phone: '+91 98400 12345', email: null },
    },
  });
  for (const key of ['OP-000001', 'op-000001', '1']) assert.deepEqual(await office.pass(key), pass);
  for (const key of [2, '2', 'OP-2', '']) assert.equal(await office.pass(key), undefined);
});

test('approving moves a pass once and says why not twice', async (t) => {
  const { office, write } = await openOffice(t);
  const at = Date.UTC(2026, 10, 19, 5, 11);
  const approved = await write(() => office.approvePass(1, 'Dr. Raman', at));
  assert.equal(approved.status, 'approved');
  assert.deepEqual(await office.pass(1), approved);
  assert.deepEqual([approved.approvedBy, approved.approvedAt], ['Dr. Raman', '2026-11-19 05:11:00.000']);
  await assert.rejects(
    write(() => office.approvePass(1, 'x')),
    {
      code: 'PASS_MOVE',
      message:
        'Outpass #1 (OP-000001) is already approved; only a pending or parent_approved pass can be approved.',
    },
  );
  await assert.rejects(
    write(() => office.approvePass(9, 'x')),
    { code: 'PASS_NOT_FOUND', message: 'Outpass #9 does not exist.' },
  );
});

test('an approval whose transaction fails never happened', async (t) => {
  const { office, write } = await openOffice(t);
  const failing = write(() => {
    office.approvePass(1, 'x');
    throw new Error('the jobs could not be dispatched');
  });
  await assert.rejects(failing, /could not be dispatched/);
  assert.equal((await office.pass(1))?.status, 'pending');
});

test('every status allows exactly the moves of the table', () => {
  const allowed = (status: PassStatus) =>
    (Object.keys(passMoves) as (keyof typeof passMoves)[])
      .filter((move) => movePass(move, status).ok)
      .join(' ');
  assert.deepEqual(Object.fromEntries(passStatuses.map((status) => [status, allowed(status)])), {
    pending: 'askParent approve reject cancel expire',
    parent_pending: 'parentApproves parentDenies reject cancel expire',
    parent_approved: 'approve reject cancel expire',
    parent_denied: 'reject cancel expire',
    approved: 'cancel expire',
    rejected: '',
    expired: '',
    cancelled: '',
  });
  const denied = movePass('approve', 'rejected');
  assert.ok(
    !denied.ok && denied.reason === 'is rejected; only a pending or parent_approved pass can be approved',
  );
});

test('students are inserted, updated by roll number, or left as they are', async (t) => {
  const { office, db } = await openOffice(t);
  const rows = studentRows(
    one(studentRecord, { name: 'Bea', email: 'b@b.edu', roll_number: '21CS002', hostel: 'KAVERI' }),
  ).rows;
  assert.deepEqual(await office.importStudents(rows), {
    inserted: 1,
    updated: 0,
    unchanged: 1,
    problems: [],
  });
  assert.deepEqual(await office.importStudents(rows), {
    inserted: 0,
    updated: 0,
    unchanged: 2,
    problems: [],
  });
  const moved = studentRows(
    one({ name: 'Arjun S', email: 'arjun@students.example.edu', roll_number: '21cs001' }),
  ).rows;
  assert.deepEqual(await office.importStudents(moved), {
    inserted: 0,
    updated: 1,
    unchanged: 0,
    problems: [],
  });
  const { student } = (await office.pass(1))!;
  // Columns that the file does not have keep their values, and the roll number its spelling.
  assert.deepEqual(
    [student.name, student.room, student.hostel, student.rollNumber],
    ['Arjun S', 'A-214', 'Kaveri', '21CS001'],
  );
  const emptied = studentRows(one({ ...studentRecord, room: '', hostel: '' })).rows;
  assert.deepEqual(await office.importStudents(emptied), {
    inserted: 0,
    updated: 1,
    unchanged: 0,
    problems: [],
  });
  assert.equal((await office.pass(1))?.student.hostel, null);
  assert.deepEqual(db.prepare('SELECT name FROM hostels').pluck().all(), ['Kaveri']);
});

test('outpasses are inserted, updated by reference, or left as they are', async (t) => {
  const { office } = await openOffice(t);
  const known = { ...passRecord, reference: 'OP-000001' };
  assert.deepEqual(await office.importOutpasses(passRows(known)), {
    inserted: 0,
    updated: 0,
    unchanged: 1,
    problems: [],
  });
  const rows = passRows({ ...known, destination: 'Salem' }, { ...passRecord, reference: 'X-1' }, passRecord);
  assert.deepEqual(await office.importOutpasses(rows), {
    inserted: 2,
    updated: 1,
    unchanged: 0,
    problems: [],
  });
  assert.equal((await office.pass('OP-000001'))?.destination, 'Salem');
  assert.equal((await office.pass(3))?.reference, 'OP-000003');
  await office.importOutpasses(passRows({ ...known, status: 'rejected' }));
  await office.importOutpasses(passRows({ ...known }));
  assert.equal((await office.pass(1))?.status, 'rejected');
});

test('a made-up reference steps aside for one that is taken', async (t) => {
  const { office } = await openOffice(t);
  await office.importOutpasses(passRows({ ...passRecord, reference: 'OP-000003' }, passRecord));
  assert.deepEqual(
    (await office.listPasses()).map(({ id, reference }) => [id, reference]),
    [
      [3, 'OP-000003-2'],
      [2, 'OP-000003'],
      [1, 'OP-000001'],
    ],
  );
});

test('a pass that changes loses the code and document that told otherwise', async (t) => {
  const { office } = await openOffice(t);
  const files = { qr: 'qr/outpass-1.png', document: 'documents/outpass-1.pdf', tokenId: 'abc' };
  await office.saveFiles(1, { qr: files.qr, tokenId: files.tokenId });
  await office.saveFiles(1, { document: files.document });
  assert.deepEqual((await office.pass(1))?.files, files);
  const known = { ...passRecord, reference: 'OP-000001' };
  await office.importOutpasses(passRows({ ...known, status: 'approved' }));
  assert.deepEqual((await office.pass(1))?.files, files);
  await office.importOutpasses(passRows({ ...known, returns_at: '2026-11-24 08:00' }));
  assert.deepEqual((await office.pass(1))?.files, { qr: null, document: null, tokenId: null });
  await assert.rejects(office.saveFiles(9, files), { message: 'Outpass #9 does not exist.' });
});

test('a key in other letters is the same key, and what is printed stays valid', async (t) => {
  const { office } = await openOffice(t);
  const printed = tokenIdOf((await office.pass(1))!);
  const same = { inserted: 0, updated: 0, unchanged: 1, problems: [] };
  const student = { ...studentRecord, roll_number: '21cs001' };
  assert.deepEqual(await office.importStudents(studentRows(one(student)).rows), same);
  const pass = { ...passRecord, roll_number: '21cs001', reference: 'op-000001' };
  assert.deepEqual(await office.importOutpasses(passRows(pass)), same);
  await office.importStudents(studentRows(one({ ...student, room: 'B-9' })).rows);
  await office.importOutpasses(passRows({ ...pass, destination: 'Salem' }));
  const { reference, destination, student: stored } = (await office.pass(1))!;
  assert.deepEqual(
    [reference, destination, stored.rollNumber, stored.room],
    ['OP-000001', 'Salem', '21CS001', 'B-9'],
  );
  assert.equal(tokenIdOf((await office.pass(1))!), printed);
});

test('an outpass of an unknown student is named, and nothing of the file is written', async (t) => {
  const { office } = await openOffice(t);
  await office.importStudents(studentRows(one({ name: 'Bea', email: 'b@b.edu', roll_number: 'B' })).rows);
  const rows = passRows(
    { ...passRecord, reference: 'N-1' },
    { ...passRecord, roll_number: 'nobody' },
    { ...passRecord, roll_number: 'B', reference: 'OP-000001' },
  );
  await assert.rejects(
    office.importOutpasses(rows),
    (error) =>
      error instanceof ImportError &&
      error.message ===
        "item 2: there is no student with roll_number 'nobody'\nitem 3: outpass 'OP-000001' is of another student",
  );
  assert.equal(await office.pass('N-1'), undefined);
  assert.equal((await office.listPasses()).length, 1);
});

test('passes are listed newest first, by status and up to a limit', async (t) => {
  const { office, write } = await openOffice(t);
  await office.importOutpasses(passRows(passRecord, passRecord));
  await write(() => office.approvePass(2, 'x'));
  const ids = async (filter: Parameters<typeof office.listPasses>[0]) =>
    (await office.listPasses(filter)).map(({ id }) => id);
  assert.deepEqual(await ids({}), [3, 2, 1]);
  assert.deepEqual(await ids({ limit: 2 }), [3, 2]);
  assert.deepEqual(await ids({ status: 'approved' }), [2]);
  assert.deepEqual(await ids({ status: 'rejected' }), []);
});

test('a row that another program inserts gets its defaults, and nonsense is refused by the tables', async (t) => {
  const { db, office } = await openOffice(t);
  const insert = (columns: string, values: string) =>
    db.exec(
      `INSERT INTO outpasses (reference, student_id, kind, purpose, destination, ${columns}) VALUES ('Z', 1, 'k', 'p', 'd', ${values})`,
    );
  const window = "'2026-11-20 10:00:00', '2026-11-20 12:00:00'";
  assert.throws(() => insert('leaves_at, returns_at, status', `${window}, 'done'`), /CHECK/);
  assert.throws(
    () => insert('leaves_at, returns_at', "'2026-11-20T10:00:00', '2026-11-20 12:00:00'"),
    /CHECK/,
  );
  assert.throws(
    () => insert('leaves_at, returns_at', "'2026-11-20 13:00:00', '2026-11-20 12:00:00'"),
    /CHECK/,
  );
  assert.throws(() => insert('leaves_at, returns_at, custom_values', `${window}, '{'`), /CHECK/);
  insert('leaves_at, returns_at', window);
  assert.equal((await office.pass('Z'))?.status, 'pending');
  assert.match(
    String(db.prepare("SELECT created_at FROM outpasses WHERE reference = 'Z'").pluck().get()),
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/,
  );
});
