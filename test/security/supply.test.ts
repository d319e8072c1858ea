/** What the executable is made of is pinned by hash, told with its licence, and can be checked by who copies it. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { executable, run } from '../tools/executable.ts';

const root = join(import.meta.dirname, '..', '..');

interface Locked {
  version: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
  dev?: boolean;
}

const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8')) as Record<string, unknown>;
const manifest = read('package.json') as Record<'dependencies' | 'devDependencies', Record<string, string>>;
const lock = read('package-lock.json')['packages'] as Record<string, Locked>;
const { '': own, ...packages } = lock;

/** Those that ask nothing but to be named with their words. */
const PERMISSIVE = new Set(['MIT', 'MIT-0', 'Apache-2.0', 'OFL-1.1', 'public domain', 'MIT and others']);

describe('the lock file', () => {
  it('has one version and the hash of every package, and no address beside the registry that npm asks', () => {
    assert.ok(Object.keys(packages).length > 300);
    const loose = Object.entries(packages).filter(
      ([, { version, integrity = '', resolved, link }]) =>
        !/^\d+\.\d+\.\d+/.test(version) ||
        !/^sha512-[\w+/]{86}==$/.test(integrity) ||
        resolved !== undefined ||
        link === true,
    );
    assert.deepEqual(loose, []);
  });

  it('is that of package.json, which names exact versions', () => {
    const { dependencies, devDependencies } = own as unknown as typeof manifest;
    assert.deepEqual([dependencies, devDependencies], [manifest.dependencies, manifest.devDependencies]);
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
      assert.equal(packages[`node_modules/${name}`]?.version, version, name);
    }
  });
});

describe('the executable', () => {
  it('tells what it is made of: packages of the lock file, under licences that allow it', async () => {
    const { stdout, code } = await run(executable, ['licences']);
    assert.doesNotMatch(stdout, /\\x0d/, 'line ends are no control characters');
    assert.equal(code, 0);
    const [list = '', ...texts] = stdout.split(/^={70}$/m);
    const told = list
      .trim()
      .split('\n')
      .map((line) => /^(?<name>.+?)(?: (?<version>\d+\.\d+\.\d+\S*))? {2}(?<licence>.+)$/.exec(line)?.groups);
    assert.equal(texts.length, told.length, 'each with its words');
    for (const text of texts) assert.ok(text.trim().split('\n').length > 1, text);
    for (const one of told) assert.ok(PERMISSIVE.has(one!['licence']!), JSON.stringify(one));
    const isLocked = (name: string, version: string) =>
      Object.entries(packages).some(
        ([path, { version: locked, dev = false }]) =>
          path.endsWith(`node_modules/${name}`) && locked === version && !dev,
      );
    const libraries = told.filter(
      (one) => one!['version'] !== undefined && !one!['name']!.startsWith('Node.js'),
    );
    for (const one of libraries) assert.ok(isLocked(one!['name']!, one!['version']!), JSON.stringify(one));
    const names = told.map((one) => one!['name']!);
    for (const name of Object.keys(manifest.dependencies)) assert.ok(names.includes(name), name);
    assert.ok(
      names.some((name) => name.startsWith('SQLite')) && names.some((name) => name.startsWith('Node.js')),
    );
  });

  it('has its hash beside it', () => {
    const { status, stderr } = spawnSync('sha256sum', ['-c', 'passito.sha256'], {
      cwd: dirname(executable),
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });
});
