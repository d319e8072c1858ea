/**
 * What stands in deployment/, and install-service where it may only be looked at: as another user, on a machine
 * without systemd. `npm run test:systemd` does it all for good. Needs systemd-analyze (package systemd): without it
 * three tests are left out, and say so; the build server must have it.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseEnv } from 'node:util';
import { type Key, KEYS } from '../../src/config/keys.ts';
import { Site } from '../tools/daemon.ts';
import { executable, run } from '../tools/executable.ts';

const folder = join(import.meta.dirname, '..', '..', 'deployment');
const text = (name: string) => readFileSync(join(folder, name), 'utf8');
const units = readdirSync(folder).filter((name) => /\.(service|timer)$/.test(name));

const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;
const skip =
  analyze || process.env['CI'] ? false : 'systemd-analyze is missing; type: apt-get install systemd';
const path = { env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' } };

describe('deployment/', () => {
  it('systemd finds no fault in the units', { skip }, async (t) => {
    const here = new Site((clean) => t.after(clean));
    const copies = units.map((name) =>
      here.write(name, text(name).replaceAll('/usr/local/bin/passito', executable)),
    );
    const { code, stderr } = await run('systemd-analyze', ['verify', ...copies], path);
    // It also complains of what is wrong with units of the machine.
    assert.deepEqual(
      stderr.split('\n').filter((line) => line.includes('passito')),
      [],
    );
    assert.equal(code, 0, stderr);
  });

  for (const unit of ['passito-supervisor.service', 'passito-health.service']) {
    it(`${unit} is exposed to at most 1.5`, { skip }, async () => {
      const args = ['security', '--offline=true', '--no-pager', '--threshold=15', join(folder, unit)];
      const { code, stdout } = await run('systemd-analyze', args, path);
      assert.equal(code, 0, stdout);
      const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
      assert.ok(exposure <= 1.5, stdout);
    });
  }

  it('the unit is what the supervisor needs', () => {
    const unit = text('passito-supervisor.service');
    const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];
    assert.equal(value('Type'), 'notify');
    assert.equal(value('NotifyAccess'), 'all');
    assert.equal(value('Restart'), 'always');
    assert.equal(value('RestartPreventExitStatus'), '2');
    assert.equal(value('StartLimitIntervalSec'), '0');
    assert.equal(value('KillMode'), 'mixed');
    assert.ok(Number(value('TimeoutStopSec')) * 1000 > KEYS.drainTimeout.fallback());
    // V8 compiles while it runs.
    assert.equal(value('MemoryDenyWriteExecute'), undefined);
    for (const name of ['StateDirectory', 'CacheDirectory', 'RuntimeDirectory']) {
      assert.equal(value(name), 'passito');
    }
  });

  it('the env example has every key, once, with its default where there is one', () => {
    const lines = text('passito.env.example').split('\n');
    const settings = lines
      .filter((line) => /^(# )?[A-Z_]+=/.test(line))
      .map((line) => line.replace('# ', ''));
    const keys = Object.values(KEYS) as Key<unknown>[];
    assert.deepEqual(
      settings.map((line) => line.slice(0, line.indexOf('='))).toSorted(),
      keys.map(({ env }) => env).toSorted(),
    );
    const values = parseEnv(settings.join('\n'));
    const differ = new Set(['PASSITO_DB', 'PASSITO_JOBS', 'TIME_ZONE']);
    for (const { env, read, fallback } of keys) {
      const value = read(values[env] ?? '');
      assert.notEqual(value, undefined, env);
      const usual = fallback();
      if (usual !== '' && usual !== null && !differ.has(env)) assert.deepEqual(value, usual, env);
    }
    const set = lines.filter((line) => /^[A-Z]/.test(line));
    assert.deepEqual(set, ['PASSITO_DB=/var/lib/passito/passito.db', 'PASSITO_JOBS=/etc/passito/jobs']);
  });

  it('the lines of the crontab work, and say nothing where all is well', async (t) => {
    const here = new Site((clean) => t.after(clean));
    await here.ok('migrate');
    const lines = text('passito.crontab')
      .split('\n')
      .map((line) => /^(?:# )?(?:[\d*/]+\s+){5}passito\s+(.*)$/.exec(line)?.[1])
      .filter((line) => line !== undefined);
    assert.equal(lines.length, 3);
    for (const line of lines) {
      const script = line.replace(/(^|\()passito /, `$1${executable} `);
      const { code, stdout, stderr } = await here.run(['-c', script], { file: '/bin/sh' });
      assert.deepEqual({ code, said: stdout + stderr }, { code: 0, said: '' }, line);
    }
    assert.equal(here.value(`SELECT count(*) FROM jobs WHERE type = 'CleanupExpiredFiles'`), 1);
  });
});

describe('install-service', () => {
  // Nothing of systemd's can be reached, as on a machine that has none.
  const env = { PATH: '/nowhere' };

  it('--dry-run prints every step and changes nothing', async (t) => {
    const made = () =>
      ['/etc/passito', '/var/lib/passito', '/usr/local/bin/passito'].map((one) => existsSync(one));
    const before = made();
    const here = new Site((clean) => t.after(clean), env);
    const { code, stdout, stderr } = await here.run(['install-service', '--dry-run']);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const steps = stdout.split('\n').filter((line) => line.startsWith('  '));
    for (const step of [
      `install -m 0755 ${executable} /usr/local/bin/.passito.new`,
      'write /etc/passito/passito.env (mode 0640, ',
      'install -d -m 0700 -o passito -g passito /var/lib/passito',
      ...units.map((name) => `write /etc/systemd/system/${name} (mode 0644, `),
      'systemctl daemon-reload',
      'systemctl enable --now passito-supervisor.service passito-health.timer',
    ]) {
      assert.equal(steps.filter((line) => line.includes(step)).length, 1, `${step}:\n${stdout}`);
    }
    assert.deepEqual(made(), before);
  });

  it('without --dry-run it changes nothing on a machine that systemd has not started', async (t) => {
    if (existsSync('/run/systemd/system') && process.getuid?.() === 0) {
      t.skip('systemd has started this machine, and this is root');
      return;
    }
    const here = new Site((clean) => t.after(clean), env);
    for (const command of ['install-service', 'uninstall-service']) {
      const { code, stdout, stderr } = await here.run([command]);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
      assert.match(stderr, /^passito: '\S+' (needs systemd|changes the system)/);
    }
  });
});
