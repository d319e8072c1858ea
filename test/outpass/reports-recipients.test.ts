import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { reportRecipients, stillToTry } from '../../src/outpass/reports/recipients.ts';
import type { Delivery, ReportUser } from '../../src/outpass/reports/recipients.ts';

const user = (id: number, changes: Partial<ReportUser> = {}): ReportUser => ({
  id,
  email: `u${id}@example.edu`,
  role: 'warden',
  gender: 'male',
  status: 'active',
  ...changes,
});

const ids = (found: readonly ReportUser[]) => found.map(({ id }) => id);

test('listed wardens and every super admin of the gender', () => {
  const users = [
    user(1),
    user(2, { gender: 'female' }),
    user(3),
    user(9, { role: 'chief_warden' }),
    user(8, { role: 'chief_warden' }),
    user(7, { role: 'chief_warden', gender: 'female' }),
    user(6, { role: 'chief_warden', gender: null }),
  ];
  const to = (gender: 'male' | 'female', recipientIds: number[]) =>
    ids(reportRecipients({ gender, recipientIds }, users));
  assert.deepEqual(to('male', [3, 2]), [3, 2, 6, 8, 9]);
  assert.deepEqual(to('female', []), [6, 7]);
  assert.deepEqual(ids(reportRecipients({ gender: 'male', recipientIds: [1] }, [])), []);
});

test('nobody twice, whether listed twice, implied as well, or under another spelling', () => {
  const users = [
    user(1, { email: 'Kavitha@Example.edu' }),
    user(2, { email: ' kavitha@example.EDU ', role: 'chief_warden' }),
    user(3, { role: 'chief_warden' }),
  ];
  assert.deepEqual(ids(reportRecipients({ gender: 'male', recipientIds: [1, 1, 3] }, users)), [1, 3]);
});

test('who is no warden any more, inactive, unknown or without an address gets nothing', () => {
  const users = [
    user(1, { role: 'student' }),
    user(2, { role: 'verifier' }),
    user(3, { status: 'inactive' }),
    user(4, { email: ' ' }),
    user(5, { role: 'chief_warden', status: 'inactive' }),
    user(6, { role: 'chief_warden', gender: 'female' }),
  ];
  assert.deepEqual(reportRecipients({ gender: 'male', recipientIds: [1, 2, 3, 4, 6, 99] }, users), []);
});

test('an address without a twin that is able is not lost to one that is not', () => {
  const users = [user(1, { email: 'a@x', status: 'inactive' }), user(2, { email: 'A@x' })];
  assert.deepEqual(ids(reportRecipients({ gender: 'male', recipientIds: [1, 2] }, users)), [2]);
});

test('who has it or was refused is not tried again; who was never tried comes first', () => {
  const users = [1, 2, 3, 4].map((id) => user(id));
  assert.deepEqual(ids(stillToTry(users, [])), [1, 2, 3, 4]);
  const known: [string, Delivery][] = [
    ['u1@example.edu', 'failed'],
    ['U2@EXAMPLE.edu', 'sent'],
    ['u3@example.edu', 'refused'],
    ['gone@example.edu', 'failed'],
  ];
  assert.deepEqual(ids(stillToTry(users, known)), [4, 1]);
  assert.deepEqual(ids(stillToTry(users, [...known, ['u1@example.edu', 'sent']])), [4]);
  assert.deepEqual(
    ids(
      stillToTry(users, [
        ['u4@example.edu', 'sent'],
        ['u4@example.edu', 'failed'],
      ]),
    ),
    [1, 2, 3],
  );
});

test('whatever fails on the way, each recipient ends with the mail exactly once', () => {
  const addresses = fc.array(fc.constantFrom('a@x', 'A@x', 'b@x', 'c@x', 'C@X ', 'd@x'), { maxLength: 10 });
  const attempts = fc.array(fc.array(fc.constantFrom<Delivery>('sent', 'failed'), { maxLength: 4 }));
  fc.assert(
    fc.property(addresses, attempts, (emails, outcomes) => {
      const recipients = emails.map((email) => ({ email }));
      const known: [string, Delivery][] = [];
      // An attempt ends early where its outcomes do; a last one has no faults.
      for (const outcome of [...outcomes, emails.map(() => 'sent' as const)]) {
        for (const [index, { email }] of stillToTry(recipients, known).entries()) {
          const delivery = outcome[index];
          if (delivery !== undefined) known.push([email, delivery]);
        }
      }
      const sent = known
        .filter(([, delivery]) => delivery === 'sent')
        .map(([email]) => email.trim().toLowerCase());
      assert.deepEqual(
        sent.toSorted(),
        [...new Set(emails.map((one) => one.trim().toLowerCase()))].toSorted(),
      );
      assert.deepEqual(stillToTry(recipients, known), []);
    }),
  );
});
