import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';

import { keyIdOf } from '../../src/outpass/keys.ts';
import { passClaims, signToken, tokenIdOf, verifyToken } from '../../src/outpass/token.ts';
import { openOffice, settings } from '../tools/office.ts';

const keyPair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    key: {
      keyId: keyIdOf(publicKey),
      privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    },
    publicKey,
  };
};
const { key, publicKey } = keyPair();
const keys = new Map([[key.keyId, publicKey]]);
const claims = {
  pass: 7,
  ref: 'OP-000007',
  roll: '21CS001',
  kind: 'Home pass',
  nbf: 1000,
  exp: 2000,
  jti: 'abc',
};
const during = 1_500_000;
const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const faultOf = (token: string, now = during) => {
  const verdict = verifyToken(token, keys, now);
  return verdict.valid ? 'valid' : verdict.fault;
};

test('a signed token verifies with the public key and gives its claims back', () => {
  const verdict = verifyToken(signToken(claims, key), keys, during);
  assert.deepEqual(verdict, { valid: true, claims });
});

test('the same claims make the same token', () => {
  assert.equal(signToken(claims, key), signToken(claims, key));
});

test('the token id follows the pass and its window', async (t) => {
  const { office } = await openOffice(t);
  const pass = await office.pass(1);
  assert.ok(pass);
  const first = passClaims(pass, settings.lateGrace);
  assert.equal(first.jti, tokenIdOf(structuredClone(pass)));
  assert.notEqual(tokenIdOf({ ...pass, returnsAt: '2026-11-23 02:30:01.000' }), first.jti);
  assert.notEqual(tokenIdOf({ ...pass, id: 2 }), first.jti);
  assert.equal(first.nbf, Date.UTC(2026, 10, 20, 12, 30) / 1000);
  assert.equal(first.exp, Date.UTC(2026, 10, 23, 3) / 1000, 'the end and the grace');
});

test('the window includes its start and excludes its end', () => {
  const token = signToken(claims, key);
  assert.equal(faultOf(token, 999_999), 'too-early');
  assert.equal(faultOf(token, 1_000_000), 'valid');
  assert.equal(faultOf(token, 1_999_999), 'valid');
  assert.equal(faultOf(token, 2_000_000), 'too-late');
});

test('a token outside its window says when it holds, and still tells whose it is', () => {
  const verdict = verifyToken(signToken(claims, key), keys, 5_000_000);
  assert.ok(!verdict.valid);
  assert.equal(verdict.message, 'The pass is not valid after 1970-01-01 00:33:20.000 UTC.');
  assert.equal(verdict.claims?.ref, 'OP-000007');
});

test('an altered body, header or signature is refused', () => {
  const [head, body, signature] = signToken(claims, key).split('.') as [string, string, string];
  const altered = segment({ ...claims, exp: 9_999_999_999 });
  assert.equal(faultOf(`${head}.${altered}.${signature}`), 'signature');
  const otherHead = segment({ typ: 'JWT', alg: 'EdDSA', kid: key.keyId });
  assert.equal(faultOf(`${otherHead}.${body}.${signature}`), 'signature');
  const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
  assert.equal(faultOf(`${head}.${body}.${flipped}`), 'signature');
  assert.equal(faultOf(`${head}.${body}.`), 'signature');
});

test('other algorithms are refused, "none" and a key of another kind among them', () => {
  const body = segment(claims);
  assert.equal(faultOf(`${segment({ alg: 'none', kid: key.keyId })}.${body}.`), 'algorithm');
  assert.equal(faultOf(`${segment({ alg: 'HS256', kid: key.keyId })}.${body}.AAAA`), 'algorithm');
  assert.equal(faultOf(`${segment({ kid: key.keyId })}.${body}.AAAA`), 'algorithm');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const head = segment({ alg: 'EdDSA', kid: 'rsa' });
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), rsa.privateKey).toString('base64url');
  const verdict = verifyToken(`${head}.${body}.${signature}`, new Map([['rsa', rsa.publicKey]]), during);
  assert.ok(!verdict.valid && verdict.fault === 'unknown-key');
});

test('a token of another key is refused, also under our key’s name', () => {
  const stranger = keyPair().key;
  assert.equal(faultOf(signToken(claims, stranger)), 'unknown-key');
  assert.equal(faultOf(signToken(claims, { ...stranger, keyId: key.keyId })), 'signature');
});

test('what is no token is refused as such', () => {
  const token = signToken(claims, key);
  for (const text of [
    '',
    'x',
    'a.b',
    'a.b.c',
    '..',
    `${token}.x`,
    'x'.repeat(5000),
    '%%%.%%%.%%%',
    `${token}=`,
  ]) {
    assert.equal(faultOf(text), 'malformed', text.slice(0, 40));
  }
});

test('a signed text that is not of a pass is refused', () => {
  const signed = `${segment({ alg: 'EdDSA', kid: key.keyId, typ: 'JWT' })}.${segment({ sub: 'someone' })}`;
  const signature = sign(null, Buffer.from(signed), createPrivateKey(key.privateKeyPem)).toString(
    'base64url',
  );
  assert.equal(faultOf(`${signed}.${signature}`), 'malformed');
  assert.ok(createPublicKey(key.privateKeyPem).equals(publicKey));
});
