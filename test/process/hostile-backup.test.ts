/** Archives that are no sound backups: each is refused with a reason, and not a file is written anywhere. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { type Entry, writeArchive } from '../tools/backup.ts';
import { Site } from '../tools/daemon.ts';

describe('a hostile or damaged backup', () => {
  const here = new Site(after);
  const sound = here.path('sound.tar');
  const file = here.path('bad.tar');
  let database: Entry;

  before(async () => {
    await here.ok('migrate');
    await here.ok('keys');
    await here.ok('backup', sound);
    database = { name: 'passito.db', content: readFileSync(here.db) };
  });

  /** What lies in the folder above all, where a name with '..' would lead. */
  const everything = () =>
    readdirSync(here.folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => !/-(wal|shm)$/.test(name))
      .toSorted();

  async function refused(reason: RegExp): Promise<void> {
    mkdirSync(here.path('deep', 'state'), { recursive: true });
    const found = everything();
    const db = here.path('deep', 'state', 'passito.db');
    const { code, stdout, stderr } = await here.run(['restore', file, '--db', db]);
    assert.match(stderr, reason);
    assert.match(stderr, /^passito: .*bad\.tar cannot be restored: it .*\nNothing was changed\.\n$/);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.deepEqual(everything(), found);
  }

  for (const name of [
    '../escaped',
    '/tmp/passito-escaped',
    'files/../../escaped',
    'files/..',
    'files/./a',
    'files//a',
    'files/',
    'files',
    'keys/../escaped',
    'jobs/Evil.js',
    'passito.db-wal',
    'passito.config.ts',
    '.env',
    '',
    'files/a\0b',
    `files/${'../'.repeat(60)}etc/passito-escaped`,
  ]) {
    it(`with the name ${JSON.stringify(name.slice(0, 40))}`, async () => {
      await writeArchive(file, [database, { name, content: Buffer.from('evil') }], {});
      // A zero ends a name in a plain header, so what is left of it may be harmless: then its list does not fit.
      await refused(name.includes('\0') ? /cannot be restored/ : /holds the name .*, which no backup has/);
      assert.equal(existsSync('/tmp/passito-escaped'), false);
    });
  }

  it('with a link instead of a folder, to write through', async () => {
    const folder = here.path('crafted');
    mkdirSync(join(folder, 'files'), { recursive: true });
    execFileSync('ln', ['-s', here.folder, join(folder, 'files', 'out')]);
    execFileSync('tar', ['-C', folder, '--format=ustar', '-cf', file, 'files/out']);
    await refused(/no plain file/);
  });

  it('with one name twice, or a file where it has a folder', async () => {
    const a = { name: 'files/a', content: Buffer.from('a') };
    await writeArchive(file, [database, a, a], {});
    await refused(/holds files\/a where no backup has it/);
    await writeArchive(file, [database, a, { name: 'files/a/b', content: Buffer.from('b') }], {});
    await refused(/a file and a folder of one name/);
  });

  it('whose list and files do not fit', async () => {
    const a = { name: 'files/a', content: Buffer.from('a') };
    const wrong = { name: 'files/a', size: 1, sha256: '0'.repeat(64) };
    await writeArchive(file, [database, a]);
    await refused(/lacks its list of files/);
    await writeArchive(file, [database, a], { files: [] });
    await refused(/holds files that its list does not name/);
    await writeArchive(file, [database, a], { files: [wrong, wrong] });
    await refused(/files\/a is not what was packed/);
    await writeArchive(file, [a], {});
    await refused(/holds no database/);
    for (const list of [
      { files: [{ size: 1 }] },
      { files: [null] },
      { made_at: '\u001b[31m2026-11-24 04:00:00' },
    ]) {
      await writeArchive(file, [database], list);
      await refused(/has a list of its files that is damaged/);
    }
    await writeArchive(file, [database], { files: 'all' });
    await refused(/has a list of its files that is damaged/);
    await writeArchive(file, [database, { name: 'manifest.json', content: Buffer.from('null') }]);
    await refused(/has a list of its files that is damaged/);
  });

  it('of a newer passito', async () => {
    await writeArchive(file, [database], { format: 2 });
    await refused(/is from a newer passito/);
    await writeArchive(file, [database], { schema: 999 });
    await refused(/is from a newer passito/);
  });

  it('whose database is none, is damaged, or is somebody else’s', async () => {
    await writeArchive(file, [{ name: 'passito.db', content: Buffer.alloc(5000, 'x') }], {});
    await refused(/holds a database that cannot be used \(DATABASE_UNUSABLE\)/);
    const guests = new Database(here.path('guests.db'));
    guests.exec('CREATE TABLE guests (name TEXT)');
    guests.close();
    await writeArchive(file, [{ name: 'passito.db', content: readFileSync(here.path('guests.db')) }], {});
    await refused(/\(DATABASE_FOREIGN\)/);
    const root = here.value(`SELECT rootpage FROM sqlite_schema WHERE name = 'students'`);
    const damaged = Buffer.from(database.content).fill(0xa5, (root - 1) * 4096, root * 4096);
    await writeArchive(file, [{ name: 'passito.db', content: damaged }], {});
    await refused(/holds a damaged database/);
  });

  it('cut short, or with one bit changed, anywhere', async () => {
    const bytes = readFileSync(sound);
    const step = Math.floor(bytes.length / 12);
    for (let at = 300; at < bytes.length - 1100; at += step) {
      writeFileSync(file, bytes);
      truncateSync(file, at);
      await refused(/ends in the middle|lacks its list|is no archive/);
      // Not in the blanks at a header's end, which mean nothing.
      const place = at - (at % 512) + 100;
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ 1;
      writeFileSync(file, changed);
      await refused(/is damaged|is no archive|its list|its files/);
    }
  });

  it('that is no archive at all', async () => {
    for (const text of ['', 'x', 'SQLite format 3\0'.repeat(100)]) {
      writeFileSync(file, text);
      await refused(/ends in the middle|is no archive that passito wrote/);
    }
    const folder = await here.run(['restore', here.folder, '--force']);
    assert.deepEqual([folder.code, /it is a folder/.test(folder.stderr)], [2, true], folder.stderr);
    const nothing = await here.run(['restore', here.path('nothing.tar'), '--force']);
    assert.deepEqual([nothing.code, /no such file/.test(nothing.stderr)], [2, true], nothing.stderr);
  });
});
