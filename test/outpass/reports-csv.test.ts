import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parse } from 'csv-parse/sync';
import * as fc from 'fast-check';

import { formatTime } from '../../src/engine/clock.ts';
import { dailyMovementCsv, lateArrivalsCsv, reportColumns } from '../../src/outpass/reports/csv.ts';
import type { LateArrival, Movement } from '../../src/outpass/reports/csv.ts';

const movement: Movement = {
  name: 'Arjun Selvam',
  rollNumber: '21CS001',
  email: 'arjun@students.example.edu',
  outAt: '2026-11-20 12:30:05.000',
  inAt: null,
};

const late: LateArrival = {
  ...movement,
  gender: null,
  leavesAt: '2026-11-20 12:30:00.000',
  returnsAt: '2026-11-23 02:30:00.000',
  inAt: '2026-11-23 04:05:59.999',
};

/** What another program reads: the lines below the first. */
function read(csv: string): string[][] {
  return parse(csv, { bom: true }).slice(1);
}

/** How one name comes out. */
const nameAs = (name: string) => read(dailyMovementCsv([{ ...movement, name }], 'UTC'))[0]?.[0];

test('movements: columns, formats, order; out while there is no in time', () => {
  const back = { ...movement, name: 'Bea', rollNumber: '21CS002', inAt: '2026-11-20 18:30:00.000' };
  const first = { ...movement, name: 'Zoe', outAt: '2026-11-20 06:29:59.000' };
  assert.equal(
    dailyMovementCsv([back, movement, first], 'Asia/Kolkata'),
    '\uFEFFName,Roll No,Email,Date,Time,Action\r\n' +
      'Zoe,21CS001,arjun@students.example.edu,20-11-2026,11:59:59 AM,CHECKED_OUT\r\n' +
      'Arjun Selvam,21CS001,arjun@students.example.edu,20-11-2026,06:00:05 PM,CHECKED_OUT\r\n' +
      'Bea,21CS002,arjun@students.example.edu,21-11-2026,12:00:00 AM,CHECKED_IN\r\n',
  );
});

test('late arrivals: columns, formats, how late after the pass’s end', () => {
  assert.equal(
    lateArrivalsCsv([late], 'Asia/Kolkata'),
    '\uFEFFStudent Name,Roll No,Email,From Duration,To Duration,Check-In,Check-Out,Late Duration\r\n' +
      'Arjun Selvam,21CS001,arjun@students.example.edu,20-11-2026 06:00:00 PM,23-11-2026 08:00:00 AM,' +
      '23-11-2026 09:35:59 AM,20-11-2026 06:00:05 PM,1h 35m\r\n',
  );
  const lateness = (inAt: string) => read(lateArrivalsCsv([{ ...late, inAt }], 'UTC'))[0]?.[7];
  assert.equal(lateness('2026-11-23 02:30:59.000'), '59s');
  assert.equal(lateness('2026-11-23 02:31:00.000'), '1m');
  assert.equal(lateness('2026-11-23 04:30:00.000'), '2h');
  assert.equal(lateness('2026-11-25 02:31:00.000'), '2d 1m');
});

test('lateness is real time: the hour that a clock skips is none', () => {
  const inBerlin = { ...late, returnsAt: '2026-03-29 00:30:00.000', inAt: '2026-03-29 01:15:00.000' };
  const [row] = read(lateArrivalsCsv([inBerlin], 'Europe/Berlin'));
  assert.deepEqual(
    [row?.[4], row?.[5], row?.[7]],
    ['29-03-2026 01:30:00 AM', '29-03-2026 03:15:00 AM', '45m'],
  );
});

test('an empty report is its first line', () => {
  assert.equal(dailyMovementCsv([], 'UTC'), `\uFEFF${reportColumns.daily_movement.join(',')}\r\n`);
  assert.equal(lateArrivalsCsv([], 'UTC'), `\uFEFF${reportColumns.late_arrivals.join(',')}\r\n`);
});

test('a spreadsheet takes no value for a formula; phone numbers stay', () => {
  const formulas = ['=1+1', '+1+1', '@SUM(A1)', '\tx', '\rx', ' =1', '＝1', '-cmd|x', '+91-98765-43210'];
  for (const value of formulas) assert.equal(nameAs(value), `'${value}`);
  for (const value of [
    '-2',
    '+919876543210',
    '+91 98765 43210',
    '+1.5',
    'a=b',
    'Smith-Jones',
    "O'Neil",
    '',
  ]) {
    assert.equal(nameAs(value), value);
  }
});

test('values stand in quotes where a reader might split or trim them', () => {
  const line = (name: string) => dailyMovementCsv([{ ...movement, name }], 'UTC').split('Action\r\n')[1];
  for (const name of ['a,b', 'a\nb', 'a\rb', ' a', 'a ']) {
    assert.ok(line(name)?.startsWith(`"${name}",21CS`), name);
  }
  assert.ok(line('say "a"')?.startsWith('"say ""a""",21CS'));
});

test('whatever a value holds, other programs read it whole, and none begins a formula', () => {
  const rough = fc.array(
    fc.constantFrom('"', ',', ';', '\r', '\n', '\t', ' ', '=', '+', '-', '@', '1', 'a', 'த'),
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    rough.map((parts) => parts.join('')),
  );
  const rows = fc.array(fc.record({ name: value, rollNumber: value, email: value }), { maxLength: 5 });
  fc.assert(
    fc.property(rows, (values) => {
      const given = values.map((one) => ({ ...movement, ...one }));
      const found = read(dailyMovementCsv(given, 'UTC'));
      const expected = given
        .toSorted((a, b) => (a.rollNumber < b.rollNumber ? -1 : Number(a.rollNumber > b.rollNumber)))
        .map(({ name, rollNumber, email }) => [name, rollNumber, email]);
      assert.equal(found.length, expected.length);
      for (const [index, cells] of expected.entries()) {
        for (const [place, cell] of cells.entries()) {
          const shown = found[index]?.[place] ?? '';
          assert.ok(shown === cell || shown === `'${cell}`, JSON.stringify([shown, cell]));
          if (/^[=+\-@\t\r]/.test(shown)) assert.match(shown, /^[+-]\d[\d .]*$/);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('times are those of the zone’s clock, any zone and time', () => {
  const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
  const seconds = fc.integer({ min: Date.UTC(1980, 0) / 1000, max: Date.UTC(2037, 11) / 1000 });
  fc.assert(
    fc.property(zones, seconds, (zone, second) => {
      const [row] = read(dailyMovementCsv([{ ...movement, outAt: formatTime(second * 1000) }], zone));
      const options = { timeZone: zone, hourCycle: 'h12' } as const;
      const parts = new Intl.DateTimeFormat('en-US', {
        ...options,
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
      }).formatToParts(second * 1000);
      const part = (type: string) => parts.find((one) => one.type === type)?.value;
      assert.deepEqual(row?.slice(3, 5), [
        `${part('day')}-${part('month')}-${part('year')}`,
        `${part('hour')}:${part('minute')}:${part('second')} ${part('dayPeriod')}`,
      ]);
    }),
    { numRuns: 300 },
  );
});
