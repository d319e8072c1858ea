/** The archive's form, against the system's own tar. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { BadArchive, readArchive } from '../../src/care/archive.ts';
import { type Entry, writeArchive } from '../tools/backup.ts';
import { temporaryFolder } from '../tools/store.ts';

/** All files of an archive, read whole. */
async function readAll(path: string): Promise<Entry[]> {
  const file = await open(path, 'r');
  try {
    const found: Entry[] = [];
    for await (const { name, content } of readArchive(file)) {
      const parts: Buffer[] = [];
      for await (const chunk of content) parts.push(chunk);
      found.push({ name, content: Buffer.concat(parts) });
    }
    return found;
  } finally {
    await file.close();
  }
}

const entries: Entry[] = [
  { name: 'files/empty', content: Buffer.alloc(0) },
  { name: 'files/one', content: Buffer.from('x') },
  { name: 'files/block', content: Buffer.alloc(512, 'b') },
  { name: 'files/large', content: Buffer.alloc(3 * 1024 ** 2 + 17, 'l') },
  { name: 'files/a name – with “marks”, தமிழ்', content: Buffer.from('unicode') },
  // The length of a pax record counts its own digits: here it grows by one of them.
  ...[86, 87, 88, 100, 101, 984, 985, 986, 987].map((length) => ({
    name: `files/${'n'.repeat(120)}/`.padEnd(length + 127, 'm').slice(0, Math.max(length, 13)),
    content: Buffer.from(String(length)),
  })),
];

test('what is written is read back, and tar reads it too', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'a.tar');
  await writeArchive(path, entries);
  assert.deepEqual(await readAll(path), entries);
  const listed = execFileSync('tar', ['--quoting-style=literal', '-tf', path], { encoding: 'utf8' });
  assert.deepEqual(
    listed.trimEnd().split('\n'),
    entries.map(({ name }) => name),
  );
  const large = execFileSync('tar', ['-xOf', path, 'files/large'], { maxBuffer: 1e8 });
  assert.ok(large.equals(entries[3]!.content));
});

test('an archive that ends early, anywhere, is told from a whole one', async (t) => {
  const path = join(temporaryFolder(t), 'a.tar');
  await writeArchive(path, entries.slice(0, 3));
  const size = readFileSync(path).length;
  for (let cut = size - 1025; cut >= 0; cut -= 211) {
    truncateSync(path, cut);
    await assert.rejects(readAll(path), BadArchive, `cut at ${cut} of ${size}`);
  }
});

test('links, folders and what other programs wrote are refused', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'files'));
  writeFileSync(join(folder, 'files', 'a'), 'a');
  execFileSync('ln', ['-s', '/etc/passwd', join(folder, 'files', 'link')]);
  execFileSync('ln', [join(folder, 'files', 'a'), join(folder, 'files', 'same')]);
  const path = join(folder, 'b.tar');
  for (const [format, what] of [
    ['ustar', 'files'],
    ['ustar', 'files/link'],
    ['gnu', 'files/a'],
    ['pax', 'files/link'],
  ] as const) {
    execFileSync('tar', ['-C', folder, `--format=${format}`, '-cf', path, what]);
    await assert.rejects(readAll(path), BadArchive, `${format} ${what}`);
  }
  execFileSync('tar', ['-C', folder, '--format=ustar', '-cf', path, 'files/a', 'files/same']);
  await assert.rejects(readAll(path), /no plain file/);
  writeFileSync(path, Buffer.alloc(2048, 'no tar '));
  await assert.rejects(readAll(path), /no archive that passito wrote/);
});
