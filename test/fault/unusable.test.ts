/** A database that cannot be used, met by each main command (behaviour 50). The very words are in test/process/messages.snapshot. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import { MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';

const isRoot = process.getuid?.() === 0;

/** Read what is there, or write. */
const READ = [['jobs', 'list'], ['status'], ['health'], ['doctor', '--json']];
const WRITE = [
  ['supervisor'],
  ['worker', '--drain'],
  ['dispatch', 'Note'],
  ['migrate'],
  ['pause', '--queue', 'mail'],
];

interface Trouble {
  what: string;
  arrange: (here: Site) => void | Promise<void>;
  says: RegExp;
  /** As somebody who may read and not write: WAL needs its files beside the database also to read. */
  reader?: boolean;
}

const TROUBLES: Trouble[] = [
  {
    what: 'from the future',
    async arrange(here) {
      await here.ok('migrate');
      here.sql.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    },
    says: /is from a newer passito/,
  },
  {
    what: 'that was truncated',
    async arrange(here) {
      await here.ok('migrate');
      here.sql.pragma('wal_checkpoint(TRUNCATE)');
      truncateSync(here.db, 20_000);
    },
    says: /damaged|cannot be used/,
  },
  {
    what: 'that is a folder',
    arrange: (here) => mkdirSync(here.db),
    says: /it is a folder/,
  },
  {
    what: 'that is no database',
    arrange: (here) => void here.write('passito.db', 'x'.repeat(5000)),
    says: /it is not an SQLite database/,
  },
  {
    what: 'that may only be read',
    async arrange(here) {
      await here.ok('migrate');
      chmodSync(here.db, 0o444);
      chmodSync(here.folder, 0o555);
    },
    says: /cannot be written by|may not|cannot be opened by/,
    reader: true,
  },
];

describe('a database that cannot be used', { concurrency: 2 }, () => {
  for (const { what, arrange, says, reader = false } of TROUBLES) {
    it(`50: one ${what}: a clear line from each main command, 3, and nothing is changed`, async (t) => {
      const here = new Site((clean) => t.after(clean));
      const file = here.path('passito');
      chmodSync(here.folder, 0o755);
      if (reader) copyFileSync(executable, file, constants.COPYFILE_FICLONE);
      await arrange(here);
      const bytes = () => (statSync(here.db).isFile() ? readFileSync(here.db) : Buffer.alloc(0));
      const before = bytes();
      const uid = reader && isRoot ? { uid: 54_321, gid: 54_321 } : {};
      for (const args of [...READ, ...WRITE]) {
        const name = args.join(' ');
        const { code, stdout, stderr } = await here.run(args, { ...uid, ...(reader ? { file } : {}) });
        assert.doesNotMatch(stderr, /^\s+at .*:\d+/m, `${name}: no stack trace`);
        assert.doesNotMatch(stderr, /inside passito itself|undefined|\[object|NaN/, name);
        assert.equal(code, 3, `${name}: ${stdout}${stderr}`);
        assert.match(`${stdout}${stderr}`, says, name);
      }
      assert.ok(bytes().equals(before), 'nothing has changed');
      if (reader) chmodSync(here.folder, 0o755);
    });
  }

  it('what is proposed can be pasted, whatever the folder is called', async (t) => {
    const here = new Site((clean) => t.after(clean));
    const db = here.write("an odd; touch 'owned'/passito.db", '');
    const { code, stderr } = await here.run(['status', '--db', db]);
    assert.equal(code, 3);
    const typed = /^Type: (passito .+)$/m.exec(stderr)?.[1] ?? '';
    const { status } = spawnSync('sh', ['-c', `passito() { ${executable} "$@"; }; ${typed}`], {
      cwd: here.folder,
    });
    assert.equal(status, 0, typed);
    assert.deepEqual(readdirSync(here.folder).includes('owned'), false);
    assert.equal((await here.run(['status', '--db', db])).code, 0);
  });
});
