/** The office as a Node program uses it. */

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { JobDispatcher, PassitoError, PassOffice } from '../../src/library/passito.ts';
import { temporaryFolder } from '../tools/store.ts';

test('a pass from the import to the gate, and a report', async (t) => {
  const file = path.join(temporaryFolder(t), 'passito.db');
  const office = await PassOffice.open(file, { timeZone: 'Asia/Kolkata' });
  t.after(() => office.close());
  const students = [{ name: 'Asha', email: 'a@b.edu', roll_number: '1', hostel: 'Ganga', active: true }];
  assert.equal((await office.importStudents(students, { dryRun: true })).inserted, 1);
  assert.equal((await office.importStudents(students)).inserted, 1);
  assert.equal((await office.importHostels([{ name: 'Ganga', type: 'girls' }])).updated, 1);
  await office.importUsers([{ name: 'W', email: 'w@b.edu', role: 'warden' }]);
  await assert.rejects(office.importStudents([{ nam: 'A', email: 'a', roll_number: '2' }]), {
    code: 'BAD_ROWS',
    message:
      /^The list of students was not imported; nothing has changed\.\ncolumns: there is no column 'nam'/,
  });

  const request = { rollNumber: '1', kind: 'Home', purpose: 'Rest', destination: 'Madurai' };
  const window = { leavesAt: new Date(Date.now() - 60_000), returnsAt: '2099-01-01 10:00' };
  const pass = await office.create({ ...request, ...window });
  assert.deepEqual([pass.status, pass.returnsAt], ['pending', '2099-01-01 04:30:00.000']);
  await assert.rejects(office.create({ ...request, ...window, kind: '' }), (error) => {
    return error instanceof PassitoError && error.message === 'kind is missing.';
  });
  const { pass: approved, jobs } = await office.approve(pass.reference, 'Dr. Rao');
  assert.deepEqual([approved.approvedBy, jobs], ['Dr. Rao', [1, 2, 3]]);
  assert.equal((await office.move(pass.id, 'out', { by: 'gate' })).direction, 'out');
  await assert.rejects(office.cancel(pass.id, { by: 'x' }), { code: 'PASS_USED' });
  await office.move(pass.id, 'in', { by: 'gate', at: new Date() });
  assert.ok((await office.pass(pass.id))?.cameBackAt);

  const other = await office.create({ ...request, ...window, reference: 'HP-2' });
  assert.equal((await office.reject('HP-2', { by: 'x', reason: 'Exams' })).remarks, 'Exams');
  await assert.rejects(office.reject(other.id, { by: 'x', reason: 'again' }), { code: 'PASS_MOVE' });
  await assert.rejects(office.approve('HP-3', 'x'), { code: 'PASS_NOT_FOUND' });
  assert.deepEqual(
    (await office.passes({ limit: 1 })).map(({ reference }) => reference),
    ['HP-2'],
  );

  const [setting] = await office.setReport(
    'late_arrivals',
    { enabled: true, recipients: ['w@b.edu'] },
    'male',
  );
  assert.deepEqual([setting?.enabled, setting?.recipients[0]?.name], [true, 'W']);
  assert.equal((await office.reports()).length, 4);
  const row = { report: 'late_arrivals', gender: 'male', enabled: true, recipients: 'w@b.edu' };
  assert.equal((await office.importReports([row])).unchanged, 1);
  const out = new Date(Date.now() - 30_000).toISOString();
  const movement = { reference: pass.reference, out_at: out, recorded_by: 'gate 2' };
  assert.equal((await office.importMovements([movement])).updated, 1);

  const dispatcher = await JobDispatcher.open(file);
  assert.equal((await dispatcher.dispatch('Hello')).id, 5, 'after the chain and the mail of the rejection');
  await dispatcher.close();
});
