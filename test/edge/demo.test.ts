/** The demo's plan holds at every hour and in every zone, and its people are nobody. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { studentTable, userTable } from '../../src/edge/cli/demo/campus.ts';
import { planPassages } from '../../src/edge/cli/demo/gate.ts';
import { planPasses, reportedAt } from '../../src/edge/cli/demo/passes.ts';
import { dayAround } from '../../src/outpass/reports/calendar.ts';

const GRACE = 30 * 60_000;

/** The first and the last minute of a day, a noon, and days on which the clock was changed. */
const MOMENTS = [
  ['Asia/Kolkata', '2026-11-24T00:00:30+05:30'],
  ['Asia/Kolkata', '2026-11-24T23:59:30+05:30'],
  ['Pacific/Kiritimati', '2027-01-01T00:00:30+14:00'],
  ['Pacific/Pago_Pago', '2026-12-31T23:59:30-11:00'],
  ['America/New_York', '2026-03-09T00:00:30-04:00'],
  ['Europe/Berlin', '2026-10-26T12:00:00+01:00'],
] as const;

for (const [zone, text] of MOMENTS) {
  test(`at ${text} in ${zone} what is over is over, and what is to come lies ahead`, () => {
    const now = Date.parse(text);
    const plan = planPasses(now, zone);
    const yesterday = dayAround(reportedAt(now, zone), zone);
    assert.equal(yesterday.to, dayAround(now, zone).from);
    for (const { fate, reference, leavesAt, returnsAt } of plan) {
      const when = returnsAt + GRACE < now ? 'over' : leavesAt <= now ? 'now' : 'ahead';
      const meant = ['back', 'late', 'unused'].includes(fate) ? 'over' : fate === 'out' ? 'now' : 'ahead';
      assert.equal(when, meant, `${reference}, ${fate}`);
    }
    const passages = planPassages(plan);
    assert.ok(passages.every(({ at }) => at < now));
    for (const { planned, direction, at } of passages) {
      if (direction === 'out') assert.ok(at >= planned.leavesAt && at < planned.returnsAt);
      else {
        assert.ok(at >= yesterday.from && at < yesterday.to, 'the reports are of yesterday');
        assert.equal(at > planned.returnsAt + GRACE, planned.fate === 'late', planned.reference);
      }
    }
  });
}

test('two hundred students have names, rooms and addresses of their own, which belong to nobody', () => {
  const [head = [], ...students] = studentTable();
  const of = (name: string) => students.map((row) => row[head.indexOf(name)] ?? '');
  for (const name of ['name', 'email', 'roll_number']) assert.equal(new Set(of(name)).size, 200, name);
  const places = students.map((row) => `${row[head.indexOf('hostel')]} ${row[head.indexOf('room')]}`);
  const crowd = Math.max(...places.map((place) => places.filter((one) => one === place).length));
  assert.ok(crowd <= 2, `${crowd} in a room`);
  const addresses = [
    ...of('email'),
    ...userTable()
      .slice(1)
      .map((row) => row[1] ?? ''),
  ];
  assert.deepEqual(
    addresses.filter((address) => !address.endsWith('@example.edu')),
    [],
  );
});
