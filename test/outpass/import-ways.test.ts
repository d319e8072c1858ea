/** Imports that are partial or dry, and the file of rejected rows. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readTable } from '../../src/edge/csv.ts';
import { rejectedPath, rejectedRows } from '../../src/edge/rejected.ts';
import {
  hostelRows,
  outpassRows,
  PROBLEM_COLUMN,
  type RowProblem,
  studentRows,
  tellProblems,
  userRows,
} from '../../src/outpass/import.ts';
import { one, openOffice, passRecord } from '../tools/office.ts';

const rejected = async (text: string, problems: readonly RowProblem[]) => {
  const reasons = new Map(problems.map(({ place, reason }) => [place, reason]));
  return rejectedRows(await readTable(Buffer.from(text)), PROBLEM_COLUMN, reasons);
};

test('users and hostels are inserted, updated by their key, or left as they are', async (t) => {
  const { office, db } = await openOffice(t);
  const warden = {
    name: 'Meera',
    email: 'm@b.edu',
    role: 'Chief Warden',
    gender: 'F',
    hostel: 'ganga',
    phone: '044-221133',
  };
  const { rows, problems } = userRows(
    one(warden, { name: 'Gate', email: 'g@b.edu', role: 'verifier', active: 'no' }),
  );
  assert.deepEqual(problems, []);
  const counts = { inserted: 0, updated: 0, unchanged: 0, problems: [] };
  assert.deepEqual(await office.importUsers(rows), { ...counts, inserted: 2 });
  assert.deepEqual(await office.importUsers(rows), { ...counts, unchanged: 2 });
  const stored = db.prepare('SELECT role, gender, active FROM users ORDER BY id').raw();
  assert.deepEqual(stored.all(), [
    ['chief_warden', 'female', 1],
    ['verifier', null, 0],
  ]);
  // An absent column keeps what is stored, and a switch that is empty stays where it is.
  const again = userRows(one({ name: 'Gate 2', email: 'G@b.edu', role: 'verifier', active: '' })).rows;
  assert.deepEqual(await office.importUsers(again), { ...counts, updated: 1 });
  assert.deepEqual(stored.all()[1], ['verifier', null, 0]);

  const hostels = hostelRows(
    one({ name: 'Ganga', type: 'girls', category: 'senior' }, { name: 'Yamuna' }),
  ).rows;
  assert.deepEqual(await office.importHostels(hostels), { ...counts, inserted: 1, updated: 1 });
  assert.deepEqual(db.prepare('SELECT name, type FROM hostels ORDER BY id').raw().all(), [
    ['Kaveri', null],
    ['Ganga', 'girls'],
    ['Yamuna', null],
  ]);
});

test('a partial import writes the sound rows and names the others in the order of the file', async (t) => {
  const { office } = await openOffice(t);
  const { rows, problems } = outpassRows(
    one(
      { ...passRecord, roll_number: 'nobody' },
      { ...passRecord, roll_number: 'noone', kind: 'a\nb' },
      { ...passRecord, reference: 'HP-1' },
      { ...passRecord, leaves_at: 'noon' },
      { ...passRecord, roll_number: 'nil', status: 'gone', leaves_at: passRecord.returns_at },
    ),
    'Asia/Kolkata',
  );
  await assert.rejects(office.importOutpasses(rows, { problems }), (error: Error) => {
    assert.equal(
      error.message,
      [
        "item 1: there is no student with roll_number 'nobody'",
        "item 2: kind holds a line break or tab; there is no student with roll_number 'noone'",
        "item 4: leaves_at 'noon' is not a time (YYYY-MM-DD HH:MM, optionally with seconds and an offset such as +05:30)",
        "item 5: status 'gone' is not a status (one of pending, parent_pending, parent_approved, parent_denied, approved, rejected, expired, cancelled); returns_at is not after leaves_at; there is no student with roll_number 'nil'",
      ].join('\n'),
    );
    return true;
  });
  assert.equal((await office.listPasses()).length, 1);
  const dry = await office.importOutpasses(rows, { problems, partial: true, dryRun: true });
  assert.equal((await office.listPasses()).length, 1);
  const result = await office.importOutpasses(rows, { problems, partial: true });
  assert.deepEqual(dry, result);
  assert.deepEqual([result.inserted, result.problems.length], [1, 4]);
  assert.ok(await office.pass('HP-1'));
});

test('an import may change a status as the table of moves allows', async (t) => {
  const { office, db } = await openOffice(t);
  const rows = (status: string) =>
    outpassRows(one({ ...passRecord, reference: 'OP-000001', status }), 'UTC').rows;
  await office.importOutpasses(rows('approved'));
  await office.recordMovement(1, 'out', { by: 'gate', now: Date.UTC(2026, 10, 20, 19) });
  const used = await office.importOutpasses(rows('cancelled'), { partial: true });
  assert.equal(
    tellProblems(used.problems),
    "item 1: outpass 'OP-000001' cannot be cancelled: the student went out",
  );
  db.exec('DELETE FROM movements');
  await office.importOutpasses(rows('cancelled'));
  const { problems } = await office.importOutpasses(rows('approved'), { partial: true });
  const illegal = "outpass 'OP-000001' is cancelled and cannot become approved";
  assert.equal(tellProblems(problems), `item 1: ${illegal}`);
  await office.importStudents(studentRows(one({ name: 'Bea', email: 'b@b.edu', roll_number: 'other' })).rows);
  const slip = { ...passRecord, reference: 'OP-000001', roll_number: 'other', status: 'approved' };
  const others = "outpass 'OP-000001' is of another student";
  for (const [record, told] of [
    [slip, `item 1: ${others}; ${illegal}`],
    [{ ...slip, purpose: '' }, `item 1: purpose is empty; ${others}; ${illegal}`],
  ] as const) {
    const bad = outpassRows(one(record), 'UTC');
    const result = await office.importOutpasses(bad.rows, { problems: bad.problems, partial: true });
    assert.equal(tellProblems(result.problems), told);
  }
});

test('a student who is no longer active gets no new pass, and keeps the old ones', async (t) => {
  const { office, db } = await openOffice(t);
  db.exec('UPDATE students SET active = 0');
  const old = { ...passRecord, reference: 'op-000001' };
  const { rows, problems } = outpassRows(
    one(
      passRecord,
      { ...passRecord, reference: 'HP-1', status: 'approved' },
      { ...passRecord, reference: 'HP-2', kind: 'a\nb' },
      { ...old, purpose: 'Home' },
      { ...old, reference: 'OP-000001 ', kind: 'a\nb' },
      { ...passRecord, reference: '1', kind: 'Home' },
    ),
    'UTC',
  );
  const result = await office.importOutpasses(rows, { problems, partial: true });
  assert.deepEqual([result.inserted, result.updated], [0, 1]);
  const why = "student '21CS001' is not active and gets no new pass";
  assert.equal(
    tellProblems(result.problems),
    [
      `item 1: ${why}`,
      `item 2: ${why}`,
      `item 3: kind holds a line break or tab; ${why}`,
      "item 5: kind holds a line break or tab; reference 'OP-000001' already stands in item 4",
      "item 6: reference '1' has digits only and would be taken for an id",
    ].join('\n'),
  );
  assert.equal((await office.pass(1))?.purpose, 'Home');
});

test('rejected rows are kept as they were, with what is wrong, and can be imported once mended', async () => {
  const text = 'name,email,roll_number\nAsha,a@b.edu,1\n"B; C",nobody,2\n"D ""d""",d@b.edu,3,4,5\n';
  const { problems } = studentRows(await readTable(Buffer.from(text)));
  const file = await rejected(text, problems);
  assert.equal(
    file,
    'problem,name,email,roll_number\n' +
      `email 'nobody' is not an e-mail address,"B; C",nobody,2\n` +
      '"has 5 values, but the first line names 3 columns","D ""d""",d@b.edu,3,4,5\n',
  );
  const again = studentRows(await readTable(Buffer.from(file)));
  assert.equal(again.rows.length, 0);
  const twice = await rejected(file, again.problems);
  assert.equal(twice.split('\n')[0], 'problem,name,email,roll_number', 'the column is not added twice');
  const mended = file.replace(',nobody,', ',n@b.edu,').replace(',4,5\n', '\n');
  assert.deepEqual(studentRows(await readTable(Buffer.from(mended))).problems, []);
  const json = '[{"name":"A","email":"x","roll_number":1},7]';
  const wrong = studentRows(await readTable(Buffer.from(json))).problems;
  assert.deepEqual(JSON.parse(await rejected(json, wrong)), [
    { problem: "email 'x' is not an e-mail address", name: 'A', email: 'x', roll_number: 1 },
    { problem: 'is not an object', value: 7 },
  ]);
});

test('rejected rows lie beside their file', () => {
  assert.equal(rejectedPath('/a/s.csv', 'students', 'csv'), '/a/s.rejected.csv');
  assert.equal(rejectedPath('s', 'students', 'json'), 's.rejected.json');
  assert.equal(rejectedPath('-', 'students', 'csv'), 'students.rejected.csv');
});

test('progress is told while rows are written', async (t) => {
  const { office } = await openOffice(t);
  const records = Array.from({ length: 1200 }, (_, i) => ({
    name: 'A',
    email: 'a@b.edu',
    roll_number: `R${i}`,
  }));
  const told: number[] = [];
  await office.importStudents(studentRows(one(...records)).rows, { progress: (done) => told.push(done) });
  assert.deepEqual(told, [500, 1000]);
});
