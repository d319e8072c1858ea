/** New passes at the desk, and who may pass the gate. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newPass, type NewPass } from '../../src/outpass/new-pass.ts';
import { openOffice } from '../tools/office.ts';

const given = {
  rollNumber: '21CS001',
  kind: 'Home pass',
  purpose: 'Two\nlines',
  destination: 'Madurai',
  leavesAt: '2026-11-20 18:00',
  returnsAt: '2026-11-23 08:00',
};
const MORNING = Date.UTC(2026, 10, 20, 3);
const read = (changes: Partial<Record<keyof NewPass, string>>, now = MORNING) =>
  newPass({ ...given, ...changes }, 'Asia/Kolkata', now, (field) => field);
const wrong = (changes: Partial<Record<keyof NewPass, string>>, now?: number) => {
  const verdict = read(changes, now);
  return 'wrong' in verdict ? verdict.wrong.join('; ') : 'nothing';
};

test('a new pass is checked as a row of a file is', () => {
  assert.deepEqual(read({}), {
    pass: {
      ...given,
      reference: null,
      leavesAt: '2026-11-20 12:30:00.000',
      returnsAt: '2026-11-23 02:30:00.000',
    },
  });
  assert.equal(wrong({ kind: ' ' }), 'kind is missing');
  assert.equal(
    wrong({ destination: 'a\u2028b', kind: 'a\tb' }),
    'kind holds a line break or tab; destination holds a line break or tab',
  );
  assert.match(
    wrong({ reference: '12', leavesAt: 'noon' }),
    /^reference '12' has digits only .*; leavesAt 'noon' is not a time/,
  );
  assert.equal(wrong({ returnsAt: given.leavesAt }), 'returnsAt is not after leavesAt');
  assert.equal(
    wrong({ purpose: '', returnsAt: given.leavesAt }, Date.UTC(2027, 0, 1)),
    'purpose is missing; returnsAt is not after leavesAt; returnsAt lies in the past',
  );
  assert.equal(wrong({}, Date.UTC(2027, 0, 1)), 'returnsAt lies in the past');
});

test('a pass is made for a student who is there and active, under a reference that is free', async (t) => {
  const { office, db } = await openOffice(t);
  const verdict = read({});
  assert.ok('pass' in verdict);
  const { pass } = verdict;
  const made = await office.createPass(pass);
  assert.deepEqual([made.reference, made.status, made.purpose], ['OP-000002', 'pending', 'Two\nlines']);
  assert.equal(
    (await office.createPass({ ...pass, reference: 'HP-1', rollNumber: '21cs001' })).student.rollNumber,
    '21CS001',
  );
  await assert.rejects(office.createPass({ ...pass, reference: 'hp-1' }), { code: 'REFERENCE_TAKEN' });
  await assert.rejects(office.createPass({ ...pass, rollNumber: 'x' }), { code: 'UNKNOWN_STUDENT' });
  db.exec('UPDATE students SET active = 0');
  await assert.rejects(office.createPass(pass), { code: 'STUDENT_INACTIVE' });
});

test('a student goes out once on an approved pass within its window, and comes back once', async (t) => {
  const { office, write, db } = await openOffice(t);
  const [leaves, ends] = [Date.UTC(2026, 10, 20, 12, 30), Date.UTC(2026, 10, 23, 2, 30)];
  const now = ends + 86_400_000;
  const pass = (direction: 'out' | 'in', at: number, more: { force?: boolean; now?: number } = {}) =>
    office.recordMovement(1, direction, { by: 'gate', at, now, ...more });
  const refused = (message: RegExp) => ({ code: 'PASSAGE', exit: 1, message });

  await assert.rejects(pass('out', leaves), refused(/is pending; only an approved pass/));
  await write(() => office.approvePass(1, 'x'));
  await assert.rejects(pass('in', leaves), refused(/has not gone out/));
  await assert.rejects(
    pass('out', leaves - 1),
    refused(/begins only at Fri 20 Nov 2026, 6:00 PM \(Asia\/Kolkata\)/),
  );
  await assert.rejects(pass('out', ends + 1), refused(/ended at Mon 23 Nov 2026, 8:00 AM/));
  await assert.rejects(pass('out', leaves, { now: leaves - 120_000 }), refused(/in the future/));
  const out = await pass('out', leaves);
  assert.deepEqual(out, { id: 1, direction: 'out', at: '2026-11-20 12:30:00.000', recordedBy: 'gate' });
  await assert.rejects(pass('out', leaves + 1), refused(/went out already/));
  await assert.rejects(
    write(() => office.movePass(1, 'cancel', { at: now })),
    {
      code: 'PASS_USED',
      message:
        'Outpass #1 (OP-000001) cannot be cancelled: the student went out Fri 20 Nov 2026, 6:00 PM (Asia/Kolkata).',
    },
  );
  await assert.rejects(pass('in', leaves - 1), refused(/cannot come back before/));
  // The clean-up expires the pass while the student is late.
  await write(() => office.movePass(1, 'expire', { at: now }));
  await pass('in', ends + 3_600_000);
  await assert.rejects(pass('in', ends + 3_600_000), refused(/came back already/));
  const seen = await office.pass(1);
  assert.deepEqual(
    [seen?.wentOutAt, seen?.cameBackAt],
    ['2026-11-20 12:30:00.000', '2026-11-23 03:30:00.000'],
  );
  assert.equal(db.prepare('SELECT count(*) FROM movements').pluck().get(), 2);
});

test('what is proposed can be pasted, whatever a reference holds', async (t) => {
  const { office, write, db } = await openOffice(t);
  db.exec(`UPDATE outpasses SET reference = 'HP 9 a'`);
  const pass = (direction: 'out' | 'in') => office.recordMovement(1, direction, { by: 'gate' });
  await assert.rejects(pass('out'), { hint: "Type: passito outpass approve 'HP 9 a'" });
  await write(() => office.approvePass(1, 'x'));
  await assert.rejects(pass('in'), { hint: "Type: passito movements out 'HP 9 a'" });
});

test('force lets a student out before the window, and nothing else', async (t) => {
  const { office, write } = await openOffice(t);
  const now = Date.UTC(2026, 10, 20, 11);
  const out = () => office.recordMovement(1, 'out', { by: 'gate', now, force: true });
  await assert.rejects(out(), { code: 'PASSAGE' });
  await write(() => office.approvePass(1, 'x'));
  assert.equal((await out()).at, '2026-11-20 11:00:00.000');
});
