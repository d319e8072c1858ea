/** Whom mails go to and come from, as an admin writes it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMailAddresses, readSender } from '../../src/config/read.ts';
import { parseAddress } from '../../src/edge/mail-check.ts';
import { createdPayload } from '../../src/outpass/jobs/account-payload.ts';
import { checkCell } from '../../src/outpass/import/cells.ts';
import { userColumns } from '../../src/outpass/import/columns.ts';

test('one address or several, with names, and with what editors leave behind', () => {
  for (const [text, read] of [
    ['a@b.c', 'a@b.c'],
    [' a@b.c , d@e.f,', 'a@b.c, d@e.f'],
    ['a@b.c; d@e.f', 'a@b.c, d@e.f'],
    ['"Rao, Dr." <r@b.c>, Warden <w@b.c>', 'r@b.c, w@b.c'],
    ['root@localhost', 'root@localhost'],
    ['rao', undefined],
    ['a@b.c, rao', undefined],
    ['a@b@c', undefined],
    ['a b@c.d', undefined],
    ['a@b.c\nBcc: x@y.z', undefined],
    ['"a@b.c', undefined],
    [',', undefined],
  ] as const) {
    assert.equal(readMailAddresses(text), read, text);
  }
});

test('a sender is one address, with its name', () => {
  for (const text of ['gate@b.c', 'Gate Office <gate@b.c>', '"Gate, Office" <gate@b.c>']) {
    assert.equal(readSender(text), text);
  }
  for (const text of ['', 'Gate Office', 'a@b.c, d@e.f', 'Gate <gate@b.c>\r\nBcc: x@y.z']) {
    assert.equal(readSender(text), undefined, text);
  }
});

test('all who read an address take what the mailer takes, and nothing else', () => {
  const mailer = (text: string) => {
    try {
      return parseAddress(text, 'it').address;
    } catch {
      return undefined;
    }
  };
  const payload = (to: string) => createdPayload.safeParse({ to, name: 'Asha' }).success;
  for (const [text, sound] of [
    ['gate@example.edu', true],
    ["o'neil+gate/1@sub-domain.example.edu", true],
    ['müller@schüler.example', true],
    ['gate@1.example', true],
    ['gate@example.edu.', false],
    ['gate@.example.edu', false],
    ['gate@example..edu', false],
    ['gate@-example.edu', false],
    ['gate@example-', false],
    ['gate@my_host.example', false],
    ['gate@[127.0.0.1]', false],
    ['gate(office)@example.edu', false],
    ['gate:office@example.edu', false],
    ['ga\\te@example.edu', false],
    [`${'g'.repeat(250)}@example.edu`, false],
  ] as const) {
    assert.equal(mailer(text), sound ? text : undefined, text);
    assert.equal(readSender(text), sound ? text : undefined, text);
    assert.equal(readSender(`Gate Office < ${text} >`) !== undefined, sound, text);
    assert.equal(readMailAddresses(text), sound ? text : undefined, text);
    assert.equal(payload(text), sound, text);
    assert.equal('value' in checkCell(text, userColumns.email, 'UTC'), sound, text);
  }
  // A file of people is where slips are made: there a name without a dot is one.
  assert.ok(payload('root@localhost') && 'wrong' in checkCell('asha@gmail', userColumns.email, 'UTC'));
});
