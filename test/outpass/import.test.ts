import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readTable, TableError } from '../../src/edge/csv.ts';
import { outpassRows, studentRows, tellProblems } from '../../src/outpass/import.ts';

const students = async (text: string | Buffer) => studentRows(await readTable(Buffer.from(text)));
const passes = async (text: string, zone = 'Asia/Kolkata') =>
  outpassRows(await readTable(Buffer.from(text)), zone);
const tableFault = async (bytes: string | Buffer) => {
  try {
    await readTable(Buffer.from(bytes));
    return 'nothing';
  } catch (error) {
    return error instanceof TableError ? error.message : `another error: ${String(error)}`;
  }
};

test('students are read from CSV, whatever wrote it', async () => {
  const plain =
    'name,email,roll_number,year,room\n"Selvam, Arjun",a@b.edu,21CS001,3,A-1\nBea,b@b.edu,21CS002,,\n';
  const { rows, problems } = await students(plain);
  assert.deepEqual(problems, []);
  assert.deepEqual(rows[0], {
    place: 'line 2',
    name: 'Selvam, Arjun',
    email: 'a@b.edu',
    rollNumber: '21CS001',
    year: 3,
    programme: undefined,
    hostel: undefined,
    room: 'A-1',
    parentPhone: undefined,
    parentEmail: undefined,
    gender: undefined,
    academicYear: undefined,
    phone: undefined,
    active: undefined,
  });
  assert.equal(rows[1]?.year, null);
  const variants = [
    `\ufeff${plain}`,
    plain.replaceAll('\n', '\r\n'),
    plain.replaceAll(',', ';').replace('Selvam;', 'Selvam,'),
    plain.replaceAll(',', '\t').replace('Selvam\t', 'Selvam,'),
    `\n\n${plain}\n\n`.replaceAll('name,email', 'Name, E-mail').replaceAll('E-mail', 'EMAIL'),
  ];
  for (const variant of variants) {
    const same = await students(variant);
    assert.deepEqual(same.problems, [], variant);
    assert.deepEqual(
      same.rows.map(({ place: _, ...row }) => row),
      rows.map(({ place: _, ...row }) => row),
      variant,
    );
  }
});

test('outpasses are read from JSON, each object with its own fields', async () => {
  const pass = { roll_number: '21CS001', kind: 'Home', purpose: 'x', destination: 'y' };
  const { rows, problems } = await passes(
    JSON.stringify([
      { ...pass, leaves_at: '2026-11-20 18:00', returns_at: '2026-11-21 18:00' },
      {
        ...pass,
        reference: 'R-1',
        status: 'Approved',
        leaves_at: '2026-11-20T18:00Z',
        returns_at: '2026-11-21T18:00Z',
      },
    ]),
  );
  assert.deepEqual(problems, []);
  assert.equal(rows[0]?.leavesAt, '2026-11-20 12:30:00.000');
  assert.deepEqual([rows[0]?.reference, rows[0]?.status], [null, null]);
  assert.equal(rows[1]?.leavesAt, '2026-11-20 18:00:00.000');
  assert.deepEqual([rows[1]?.reference, rows[1]?.status, rows[1]?.place], ['R-1', 'approved', 'item 2']);
});

test('every bad row is named with its line and all its reasons', async () => {
  const text = [
    'name,email,roll_number,year,parent_phone',
    'Arjun,a@b.edu,1,3,',
    '',
    ',nobody,2,three,call me',
    '"Two',
    'lines",x@y.edu,3,11,',
    'Twice,t@b.edu,1,1,',
    'Short,s@b.edu',
    `${'x'.repeat(121)},l@b.edu,5,1,`,
  ].join('\r\n');
  const { rows, problems } = await students(text);
  assert.equal(rows.length, 1);
  assert.equal(
    tellProblems(problems),
    [
      "line 4: name is empty; email 'nobody' is not an e-mail address; year 'three' is not a year of study (1 to 10); parent_phone 'call me' is not a phone number",
      "line 5: name holds a line break or tab; year '11' is not a year of study (1 to 10)",
      "line 7: roll_number '1' already stands in line 2",
      'line 8: has 2 values, but the first line names 5 columns',
      'line 9: name is longer than 120 characters',
    ].join('\n'),
  );
});

test('bad outpasses are named with what would be right', async () => {
  const head = 'reference,roll_number,kind,purpose,destination,leaves_at,returns_at,status';
  const end = '2026-11-21 10:00';
  const { problems } = await passes(
    [
      head,
      `12,1,k,p,d,2026-11-20 10:00,${end},`,
      `A,1,k,p,d,20/11/2026,${end},`,
      `B,1,k,p,d,${end},${end},`,
      `C,1,k,p,d,2026-11-20 10:00,${end},aproved`,
      `c,1,k,p,d,2026-11-20 10:00,${end},gone`,
      `D,1,k,,d,2026-11-22 10:00,${end},gone`,
      `E,1,k,,d,noon,${end},`,
    ].join('\n'),
  );
  assert.equal(
    tellProblems(problems),
    [
      "line 2: reference '12' has digits only and would be taken for an id",
      "line 3: leaves_at '20/11/2026' is not a time (YYYY-MM-DD HH:MM, optionally with seconds and an offset such as +05:30)",
      'line 4: returns_at is not after leaves_at',
      "line 5: status 'aproved' is not a status (did you mean approved?)",
      "line 6: status 'gone' is not a status (one of pending, parent_pending, parent_approved, parent_denied, approved, rejected, expired, cancelled); reference 'c' already stands in line 5",
      "line 7: purpose is empty; status 'gone' is not a status (one of pending, parent_pending, parent_approved, parent_denied, approved, rejected, expired, cancelled); returns_at is not after leaves_at",
      "line 8: purpose is empty; leaves_at 'noon' is not a time (YYYY-MM-DD HH:MM, optionally with seconds and an offset such as +05:30)",
    ].join('\n'),
  );
});

test('unknown and missing columns are refused with the nearest name', async () => {
  const { rows, problems } = await students('name,email,Roll No,shoe_size\nA,a@b.edu,1,44\n');
  assert.deepEqual(rows, []);
  assert.equal(
    tellProblems(problems),
    [
      "columns: there is no column 'roll no' (did you mean roll_number?)",
      "columns: there is no column 'shoe_size' (the columns are name, email, roll_number, year, programme, hostel, room, parent_phone, gender, academic_year, phone, active, parent_email)",
      'columns: roll_number is missing',
    ].join('\n'),
  );
});

test('of a long list the first twenty problems are told, and how many more there are', async () => {
  const lines = Array.from({ length: 25 }, (_, index) => `,a@b.edu,${index}`);
  const { problems } = await students(['name,email,roll_number', ...lines].join('\n'));
  const told = tellProblems(problems).split('\n');
  assert.equal(told.length, 21);
  assert.equal(told[0], 'line 2: name is empty');
  assert.equal(told[20], 'and 5 more rows with problems');
});

test('a file that is none is refused in one line', async () => {
  assert.equal(await tableFault(''), 'The file is empty.');
  assert.equal(await tableFault(' \n'), 'The file is empty.');
  assert.equal(await tableFault('{"a":1}'), 'The file holds JSON, but not an array of objects.');
  assert.match(await tableFault('[1,'), /^The file is not valid JSON: /);
  assert.equal(await tableFault('a,a\n1,2'), "The column 'a' stands twice in the first line.");
  assert.equal(
    await tableFault('a,b\n1,"x\n2,3\n'),
    'A quote is opened in line 2 and never closed, so that the rest of the file looks like one value.',
  );
  for (const [text, line] of [
    ['\n\na,b\r\n"p\r\nq",""\r\n"x ""y""\nz","u\n""\n""', 7],
    ['a,"b', 1],
    ['a\n"""x\n', 2],
    [`\ufeffa,b\n${'1,"x"\n'.repeat(1000)}2, "y""\n`, 1002],
  ] as const) {
    assert.match(await tableFault(text), new RegExp(`^A quote is opened in line ${line} and never closed`));
  }
  for (const text of ['a,b\n1,"x"y\n', 'a,b\n1,x"y\n']) {
    assert.equal(
      await tableFault(text),
      'A quotation mark near line 2 stands inside a value: write it twice, and put the value in quotes.',
    );
  }
  assert.equal(
    await tableFault('a,b\n1,"x\n2,y\n3,"z"\n'),
    'A quotation mark near line 4 stands inside a value that begins in line 2: close that one, or write the mark twice.',
  );
  const latin1 = Buffer.from('name\nok\nJos\u00e9\n', 'latin1');
  assert.match(
    await tableFault(latin1),
    /^The file is not in UTF-8: line 3 holds other bytes\. Save it as UTF-8/,
  );
  assert.match(await tableFault(Buffer.from('\ufeffname\n', 'utf16le')), /^The file is in UTF-16/);
});

test('an item of a JSON array that is no record is named', async () => {
  const { problems } = await students('[{"name":"A","email":"a@b.edu","roll_number":1}, 7, {"name":["x"]}]');
  assert.equal(
    tellProblems(problems),
    'item 2: is not an object\nitem 3: name must be text; email is empty; roll_number is empty',
  );
});

test('a file with a head and no rows is fine and empty', async () => {
  assert.deepEqual(await students('name,email,roll_number\n'), { rows: [], problems: [] });
  assert.deepEqual(await students('[]'), { rows: [], problems: [] });
});
