/** Log lines where the one who reads them is slow. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { wholeLines } from '../../src/edge/log.ts';

test('a line of which only a part was taken is gone on with; the next begins on a line of its own', () => {
  let taken = '';
  let room = 0;
  const write = wholeLines((bytes, from) => {
    if (room === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
    const part = bytes.subarray(from, from + Math.min(room, 4));
    room -= part.length;
    taken += part.toString();
    return part.length;
  });
  room = 100;
  write('one line\n');
  assert.equal(taken, 'one line\n');
  room = 6;
  write('another line\n');
  write('lost\n');
  room = 100;
  write('third\n');
  assert.equal(taken, 'one line\nanothe\nthird\n');
});

test('what is no fault of the reader is thrown', () => {
  const write = wholeLines(() => {
    throw Object.assign(new Error('bad file descriptor'), { code: 'EBADF' });
  });
  assert.throws(() => write('line\n'), /bad file descriptor/);
});
