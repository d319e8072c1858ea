/** `upgrade` without a service: another executable in the place of this one. With one: npm run test:systemd. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { seal } from '../../src/care/seal.ts';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';

/** A folder with an executable of its own. */
function installed(t: TestContext): { here: Site; file: string } {
  const here = new Site((clean) => t.after(clean));
  const file = here.path('passito');
  copyFileSync(executable, file);
  return { here, file };
}

/** Seals a file as the build does. */
function sealed(file: string): void {
  appendFileSync(file, seal(createHash('sha256').update(readFileSync(file)).digest('hex')));
}

/** Another build: what stands behind the executable's end changes nothing. */
function another(here: Site): string {
  const file = here.path('downloaded');
  copyFileSync(executable, file);
  appendFileSync(file, 'x');
  sealed(file);
  // As a browser leaves it.
  chmodSync(file, 0o644);
  return file;
}

/** A program that says of itself that it is a passito, and does this otherwise. */
function pretender(here: Site, otherwise: string): string {
  const file = here.write(
    'pretender',
    `#!/bin/sh\n[ "$1" = --version ] && exec echo 'passito 9.9.9'\n${otherwise}\n`,
  );
  sealed(file);
  chmodSync(file, 0o755);
  return file;
}

/** What lies in the folder; SQLite's own files beside the database come and go. */
const names = (here: Site) =>
  readdirSync(here.folder)
    .filter((name) => !/-(wal|shm)$/.test(name))
    .toSorted();

describe('upgrade', { concurrency: 2 }, () => {
  it('replaces the executable after a backup, while a supervisor runs on, and keeps the former one', async (t) => {
    const { here, file } = installed(t);
    here.job('Good', 'return 1;');
    const daemon = await here.start();
    const fresh = another(here);
    const { code, stdout, stderr } = await here.run(['upgrade', fresh], { file });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Restart your supervisor/);
    assert.ok(readFileSync(file).equals(readFileSync(fresh)));
    assert.ok(readFileSync(here.path('.passito.former')).equals(readFileSync(executable)));
    const backup = /backup from before is (\S+);/.exec(stdout)![1]!;
    await here.ok('restore', backup, '--dry-run');
    await here.reaches(here.insert('Good'), 'completed');
    await daemon.stop();
    assert.equal((await here.run(['health'], { file })).code, 0);
  });

  for (const [what, otherwise, reason] of [
    ['refuses the settings', 'echo "no such zone" >&2; exit 2', /it refuses the settings: no such zone\.$/m],
    [
      'is older than the database',
      `[ "$1" = config ] && exec echo "[]"; { echo '{"error":{"code":"DATABASE_NEWER"}}'; exit 3; }`,
      /already from a newer passito/,
    ],
  ] as const) {
    it(`changes nothing where the new one ${what}`, async (t) => {
      const { here, file } = installed(t);
      await here.ok('migrate');
      const fresh = pretender(here, otherwise);
      const before = names(here);
      const { code, stdout, stderr } = await here.run(['upgrade', fresh], { file });
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, reason);
      assert.deepEqual(names(here), before);
      assert.ok(readFileSync(file).equals(readFileSync(executable)));
    });
  }

  it('changes nothing where the new one was cut short, or a bit of it is another', async (t) => {
    const { here, file } = installed(t);
    const fresh = another(here);
    const before = names(here);
    const whole = readFileSync(fresh);
    const changed = Buffer.from(whole);
    changed[whole.length - 50_000]! ^= 1;
    for (const bytes of [whole.subarray(0, -1), whole.subarray(0, -40_000), changed, Buffer.from('ELF')]) {
      writeFileSync(fresh, bytes);
      const { code, stdout, stderr } = await here.run(['upgrade', fresh], { file });
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(
        stderr,
        /it was cut short or changed on its way here; copy it once more\.\nNothing was changed\./,
      );
      assert.deepEqual(names(here), before);
    }
    assert.ok(readFileSync(file).equals(readFileSync(executable)));
  });

  it('changes nothing where the backup cannot be made, or only the steps are asked for', async (t) => {
    const { here, file } = installed(t);
    await here.ok('migrate');
    const fresh = another(here);
    const before = names(here);
    const dry = await here.run(['upgrade', fresh, '--dry-run'], { file });
    assert.equal(dry.code, 0, dry.stderr);
    assert.deepEqual(names(here), before);

    // Too damaged for a copy.
    here.sql.unsafeMode(true);
    here.sql.pragma('writable_schema = ON');
    here.sql.exec(`UPDATE sqlite_schema SET rootpage = 999999 WHERE name = 'attempts'`);
    const { code, stderr } = await here.run(['upgrade', fresh], { file });
    assert.notEqual(code, 0, stderr);
    assert.ok(readFileSync(file).equals(readFileSync(executable)));
    assert.deepEqual(
      readdirSync(here.folder).filter((name) => name.startsWith('.passito')),
      [],
    );
  });
});
