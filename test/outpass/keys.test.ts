import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

import { loadOrCreateSigningKey, loadPublicKeys, rotateSigningKey } from '../../src/outpass/keys.ts';

const run = promisify(execFile);

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'passito-keys-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'keys');
}

const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

test('the key is made at first use, kept to the owner, and the same afterwards', (t) => {
  const folder = folderFor(t);
  const key = loadOrCreateSigningKey(folder);
  assert.equal(modeOf(folder), '700');
  assert.equal(modeOf(path.join(folder, 'signing.pem')), '600');
  assert.deepEqual(loadOrCreateSigningKey(folder), key);
  assert.deepEqual(readdirSync(folder).sort(), [`public-${key.keyId}.pem`, 'signing.pem']);
});

test('a folder that was open to others is closed before a key is put in', (t) => {
  const folder = folderFor(t);
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  loadOrCreateSigningKey(folder);
  assert.equal(modeOf(folder), '700');
});

test('processes that make the key at the same moment agree on one', async (t) => {
  const folder = folderFor(t);
  const module = new URL('../../src/outpass/keys.ts', import.meta.url).href;
  // All wait for one instant, so that they really meet.
  const start = Date.now() + 700;
  const script = `const { loadOrCreateSigningKey } = await import(${JSON.stringify(module)});
    while (Date.now() < ${start});
    console.log(loadOrCreateSigningKey(${JSON.stringify(folder)}).keyId);`;
  const one = () => run(process.execPath, ['--input-type=module', '--no-warnings', '-e', script]);
  const ids = (await Promise.all(Array.from({ length: 6 }, one))).map(({ stdout }) => stdout.trim());
  assert.equal(new Set(ids).size, 1);
  assert.deepEqual([...loadPublicKeys(folder).keys()], [ids[0]]);
});

test('public halves of retired keys still verify, and a lost one comes back', (t) => {
  const folder = folderFor(t);
  const old = loadOrCreateSigningKey(folder);
  rmSync(path.join(folder, 'signing.pem'));
  const current = loadOrCreateSigningKey(folder);
  assert.notEqual(current.keyId, old.keyId);
  assert.deepEqual([...loadPublicKeys(folder).keys()].sort(), [current.keyId, old.keyId].sort());
  rmSync(path.join(folder, `public-${current.keyId}.pem`));
  loadOrCreateSigningKey(folder);
  assert.ok(loadPublicKeys(folder).has(current.keyId));
});

test('another key signs after a rotation; the former one verifies on, unless it is revoked', (t) => {
  const folder = folderFor(t);
  const first = loadOrCreateSigningKey(folder);
  const { former, key: second } = rotateSigningKey(folder, false);
  assert.equal(former, first.keyId);
  assert.notEqual(second.keyId, first.keyId);
  assert.deepEqual(loadOrCreateSigningKey(folder), second);
  assert.deepEqual([...loadPublicKeys(folder).keys()].sort(), [first.keyId, second.keyId].sort());
  assert.equal(modeOf(path.join(folder, 'signing.pem')), '600');

  const { key: third } = rotateSigningKey(folder, true);
  assert.deepEqual([...loadPublicKeys(folder).keys()], [third.keyId]);
  assert.deepEqual(readdirSync(folder).sort(), [`public-${third.keyId}.pem`, 'signing.pem']);
});

test('what root makes is the folder owner’s, so that the service can read it', (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root gives files away');
  const folder = folderFor(t);
  loadOrCreateSigningKey(folder);
  chownSync(folder, 54_321, 54_321);
  rotateSigningKey(folder, false);
  assert.equal(statSync(path.join(folder, 'signing.pem')).uid, 54_321);
});

test('a file that holds no such key is named, its content is not', (t) => {
  const folder = folderFor(t);
  mkdirSync(folder, { mode: 0o700 });
  const file = path.join(folder, 'signing.pem');
  writeFileSync(file, 'SECRET');
  const expected = `The signing key in ${file} cannot be used: it is no Ed25519 key in PEM form.`;
  assert.throws(() => loadOrCreateSigningKey(folder), { code: 'SIGNING_KEY', message: expected });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  assert.throws(() => loadOrCreateSigningKey(folder), { message: expected });
  assert.match(readFileSync(file, 'utf8'), /PRIVATE KEY/);
});

test('a folder that cannot be made is an error in one line', (t) => {
  const folder = folderFor(t);
  writeFileSync(folder, 'a file');
  assert.throws(() => loadOrCreateSigningKey(folder), { code: 'SIGNING_KEY' });
  assert.throws(() => loadPublicKeys(`${folder}-absent`), { code: 'SIGNING_KEY' });
});
