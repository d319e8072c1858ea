/** Root runs and obeys nothing that another user can change, put in its place, or redirect. */

import assert from 'node:assert/strict';
import { chmodSync, chownSync, lchownSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { Site } from '../tools/daemon.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can be fooled so';
const STRANGER = 54_321;

/** A jobs folder, a config file and an env file that all say that they were run. */
function site(t: TestContext): Site {
  const here = new Site((clean) => t.after(clean));
  chmodSync(here.folder, 0o755);
  here.write('etc/jobs/lib/help.ts', 'export const word = 1;\n');
  here.write('etc/jobs/Hello.ts', 'export default { handle() { console.log("RAN"); } };\n');
  here.write('etc/passito.config.mjs', 'console.log("CONFIG"); export default {};\n');
  here.write('etc/passito.env', `PASSITO_JOBS=${here.path('etc', 'jobs')}\n`);
  return here;
}

const run = (here: Site, args: string[], env = {}) =>
  here.run([...args, '--env-file', here.path('etc', 'passito.env')], { cwd: here.path('etc'), env });

describe('root', { skip, concurrency: 2 }, () => {
  it('runs what is its own', async (t) => {
    const { code, stdout } = await run(site(t), ['try', 'Hello']);
    assert.equal(code, 0);
    assert.match(stdout, /RAN/);
  });

  const own = (here: Site, ...parts: string[]) => chownSync(here.path(...parts), STRANGER, STRANGER);
  const cases: [string, RegExp, (here: Site) => void][] = [
    ["a stranger's job file", /The job file .*Hello\.ts can/, (here) => own(here, 'etc', 'jobs', 'Hello.ts')],
    ["a stranger's jobs folder", /The jobs folder .*jobs can/, (here) => own(here, 'etc', 'jobs')],
    [
      "a stranger's folder of helpers",
      /The jobs folder .*lib can/,
      (here) => own(here, 'etc', 'jobs', 'lib'),
    ],
    [
      "a stranger's helper",
      /The job file .*help\.ts can/,
      (here) => own(here, 'etc', 'jobs', 'lib', 'help.ts'),
    ],
    ["a folder in a stranger's", /The env file .* \(through \S+etc\)/, (here) => own(here, 'etc')],
    [
      "a stranger's config file",
      /The config file .*config\.mjs can/,
      (here) => own(here, 'etc', 'passito.config.mjs'),
    ],
    ["a stranger's env file", /The env file .*passito\.env can/, (here) => own(here, 'etc', 'passito.env')],
    [
      'a folder in one that everybody may write',
      /\(through \S+etc\)/,
      (here) => chmodSync(here.path('etc'), 0o777),
    ],
    [
      "a stranger's link to a folder of root's",
      /The jobs folder .* \(through \S+jobs\)|The jobs folder .*jobs can/,
      (here) => {
        renameSync(here.path('etc', 'jobs'), here.path('etc', 'real'));
        symlinkSync(here.path('etc', 'real'), here.path('etc', 'jobs'));
        lchownSync(here.path('etc', 'jobs'), STRANGER, STRANGER);
      },
    ],
    [
      "a link of root's into a stranger's folder",
      /\(through \S+theirs\)/,
      (here) => {
        mkdirSync(here.path('theirs'));
        renameSync(here.path('etc', 'jobs'), here.path('theirs', 'jobs'));
        symlinkSync(here.path('theirs', 'jobs'), here.path('etc', 'jobs'));
        own(here, 'theirs');
      },
    ],
    [
      "a link of root's to a stranger's link, though that leads to a folder of root's",
      /The jobs folder .* \(through \S+theirs\)/,
      (here) => {
        renameSync(here.path('etc', 'jobs'), here.path('etc', 'real'));
        mkdirSync(here.path('theirs'));
        symlinkSync(here.path('etc', 'real'), here.path('theirs', 'link'));
        symlinkSync(here.path('theirs', 'link'), here.path('etc', 'jobs'));
        own(here, 'theirs');
      },
    ],
  ];
  for (const [name, said, spoil] of cases) {
    it(`does not run ${name}`, async (t) => {
      const here = site(t);
      spoil(here);
      const { code, stdout, stderr } = await run(here, ['try', 'Hello']);
      assert.match(stderr, said);
      assert.match(
        stderr,
        /and passito runs as root\.\n(Type: (chown root \S+ && )?chmod go-w \S+|Put it where .*)\n$/,
      );
      assert.equal(code, 2);
      assert.doesNotMatch(stdout, /RAN/);
      if (name.includes('config')) assert.equal(stdout, '');
    });
  }

  it('lies below a folder such as /tmp, where nobody renames the files of others', async (t) => {
    const here = site(t);
    chmodSync(here.path('etc'), 0o1777);
    assert.equal((await run(here, ['try', 'Hello'])).code, 0);
  });

  it('runs the files of whoever typed sudo', async (t) => {
    const here = site(t);
    for (const parts of [['etc', 'jobs', 'Hello.ts'], ['etc', 'jobs'], ['etc']]) own(here, ...parts);
    assert.equal((await run(here, ['try', 'Hello'], { SUDO_UID: String(STRANGER) })).code, 0);
    assert.equal((await run(here, ['try', 'Hello'], { SUDO_UID: '1' })).code, 2);
  });
});
