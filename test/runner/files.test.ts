/** The files folder: whole or not at all, and nothing left beside. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { writeToOutbox } from '../../src/edge/mail-outbox.ts';
import { jobFiles } from '../../src/runner/files.ts';
import { temporaryFolder } from '../tools/store.ts';

test('what a killed attempt has left half written, the next attempt writes over', async (t) => {
  const root = temporaryFolder(t);
  const folder = path.join(root, 'qr');
  mkdirSync(folder);
  // A kill comes before the renaming: the name stands for it, since that kill would end this test as well.
  const killed = jobFiles(root, '12').write('qr/a.png', 'x'.repeat(1_000_000));
  const [left] = await firstName(folder);
  await killed;
  writeFileSync(path.join(folder, left ?? ''), 'half, and longer than what comes');
  await jobFiles(root, '12').write('qr/a.png', 'whole');
  assert.deepEqual(readdirSync(folder), ['a.png']);
  assert.equal(readFileSync(path.join(folder, 'a.png'), 'utf8'), 'whole');
});

test('jobs that write one file at once, and one job that does, are not in each other’s way', async (t) => {
  const root = temporaryFolder(t);
  const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(2_000_000));
  const [first, second] = [jobFiles(root, '1'), jobFiles(root, '2')];
  const [a = '', b = '', c = ''] = texts;
  await Promise.all([first.write('x', a), first.write('x', b), second.write('x', c)]);
  assert.deepEqual(readdirSync(root), ['x']);
  assert.ok(texts.includes(readFileSync(path.join(root, 'x'), 'utf8')), 'one of them, whole');
});

test('a link in the place of the half-written file is not followed', async (t) => {
  const root = temporaryFolder(t);
  const outside = path.join(temporaryFolder(t), 'precious');
  writeFileSync(outside, 'precious');
  symlinkSync(outside, path.join(root, 'x.1.part'));
  await jobFiles(root, '1').write('x', 'new');
  assert.equal(readFileSync(outside, 'utf8'), 'precious');
  assert.equal(readFileSync(path.join(root, 'x'), 'utf8'), 'new');
});

test('the outbox as well keeps nothing of a mail that was cut off', async (t) => {
  const outbox = temporaryFolder(t);
  const killed = writeToOutbox(outbox, '<a.1@b>', Buffer.alloc(1_000_000));
  const [left] = await firstName(outbox);
  await killed;
  writeFileSync(path.join(outbox, left ?? ''), 'half');
  await writeToOutbox(outbox, '<a.1@b>', Buffer.from('whole'));
  assert.deepEqual(readdirSync(outbox), ['a.1@b.eml']);
  assert.equal(readFileSync(path.join(outbox, 'a.1@b.eml'), 'utf8'), 'whole');
});

/** The names in a folder as soon as there are any. */
async function firstName(folder: string): Promise<string[]> {
  for (;;) {
    const names = readdirSync(folder);
    if (names.length > 0) return names;
    await new Promise(setImmediate);
  }
}
