/** Whom mails go to and come from, as an admin writes it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMailAddresses, readSender } from '../../src/config/read.ts';

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
