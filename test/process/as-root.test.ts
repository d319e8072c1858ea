/** What root makes in somebody else's state folder, the service that owns the folder can use. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';

const skip = process.getuid?.() === 0 ? false : 'only root makes files for others';
const SERVICE = 65_534;

const WITHOUT_CHOWN = ['--bounding-set', '-chown', '--inh-caps', '-chown'];
const cannotBind =
  spawnSync('setpriv', [...WITHOUT_CHOWN, 'true']).status === 0 ? false : 'rights cannot be given up here';

/** An empty state folder of the service, and one that is not there yet below it. */
function site(t: TestContext, ...below: string[]): { here: Site; state: string } {
  const here = new Site((clean) => t.after(clean), { ADMIN_EMAIL: 'admin@example.edu' });
  chmodSync(here.folder, 0o755);
  const state = here.path('state');
  mkdirSync(state, { mode: 0o700 });
  chownSync(state, SERVICE, SERVICE);
  here.env['PASSITO_DB'] = join(state, ...below, 'passito.db');
  return { here, state };
}

/** What below a folder is not the service's. */
function foreign(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const { uid, gid } = lstatSync(join(folder, name));
    return uid !== SERVICE || gid !== SERVICE;
  });
}

describe('root in the state folder of the service', { skip, concurrency: 2 }, () => {
  for (const [made, args] of [
    ['passito.db', ['migrate']],
    ['passito.db', ['dispatch', 'Any']],
    ['keys/signing.pem', ['keys']],
    ['outbox', ['mail-test', 'somebody@example.edu']],
  ] as const) {
    it(`makes ${made} for it by ${args[0]}`, async (t) => {
      const { here, state } = site(t, 'deeper', 'still');
      await here.ok(...args);
      assert.ok(lstatSync(join(state, 'deeper', 'still', made)));
      assert.deepEqual(foreign(state), []);
    });
  }

  it('gives away no file in a folder that a link leads to, and leaves its mode', async (t) => {
    const { here, state } = site(t);
    await here.ok('migrate');
    const roots = here.path('roots');
    mkdirSync(roots, { mode: 0o755 });
    symlinkSync(roots, join(state, 'outbox'));
    await here.run(['mail-test', 'somebody@example.edu']);
    assert.equal(lstatSync(roots).mode & 0o777, 0o755);
    for (const name of readdirSync(roots)) assert.equal(lstatSync(join(roots, name)).uid, 0, name);
  });

  it('works where root has no right to give anything away', { skip: cannotBind }, async (t) => {
    const { here, state } = site(t);
    const file = here.write(
      'bound',
      `#!/bin/sh\nexec setpriv ${WITHOUT_CHOWN.join(' ')} '${executable}' "$@"\n`,
    );
    chmodSync(file, 0o755);
    for (const args of [['migrate'], ['keys'], ['mail-test', 'somebody@example.edu']]) {
      const { code, stderr } = await here.run(args, { file });
      assert.equal(code, 0, `${args[0]}: ${stderr}`);
    }
    assert.equal(lstatSync(join(state, 'passito.db')).uid, 0);
  });

  it('runs jobs that write files which it can replace', async (t) => {
    const { here, state } = site(t);
    here.job('Write', `await context.files.write('a/b/c.txt', 'x'); return 'ok';`);
    await here.ok('dispatch', 'Write');
    await here.ok('worker', '--drain');
    assert.ok(lstatSync(join(state, 'files', 'a', 'b', 'c.txt')));
    assert.deepEqual(foreign(state), []);
  });

  it('leaves a database with its log that the service goes on with', async (t) => {
    const { here, state } = site(t);
    await here.ok('migrate');
    const daemon = here.launch([], 'supervisor', { uid: SERVICE });
    await daemon.line(/ ready /);
    await here.ok('jobs', 'list');
    assert.deepEqual(foreign(state), []);
    await daemon.stop();
  });
});
