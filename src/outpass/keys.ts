/** The keys that sign passes: made once, kept in a folder that only the service can read. */

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

import { messageOf, PassitoError } from '../errors.ts';
import { makeFolder, type Place, placeIn, shut } from '../make-folder.ts';
import { firstShut, typeAsOwner } from '../owner.ts';
import { officeErrors } from './errors.ts';

/** The key in use: what signs, and the name under which verifiers find its public half. */
export interface SigningKey {
  keyId: string;
  privateKeyPem: string;
}

const PRIVATE_FILE = 'signing.pem';
/** Derives parents' links; 256 bits in hex. */
const LINK_FILE = 'parent-links.key';
const LINK_BYTES = 32;
const PUBLIC_FILE = /^public-.+\.pem$/;

/** Reads the signing key of a folder, or makes the folder and the key. Two processes that do it at once agree. */
export function loadOrCreateSigningKey(folder: string): SigningKey {
  const file = path.join(folder, PRIVATE_FILE);
  return told(file, () => {
    const privateKeyPem = readIfThere(file) ?? createPrivateFile(folder, file);
    const publicKey = publicHalf(file, privateKeyPem);
    const keyId = keyIdOf(publicKey);
    keepPublicHalf(folder, keyId, publicKey);
    return { keyId, privateKeyPem };
  });
}

/**
 * Makes another key, which signs from now on. What former keys have signed verifies on, unless they are revoked; their
 * private halves are gone. A kill leaves the former key or the new one.
 */
export function rotateSigningKey(folder: string, revoke: boolean): { former: string; key: SigningKey } {
  const file = path.join(folder, PRIVATE_FILE);
  return told(file, () => {
    const { keyId: former } = loadOrCreateSigningKey(folder);
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const keyId = keyIdOf(publicKey);
    const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    keepPublicHalf(folder, keyId, publicKey);
    const place = placeIn(folder);
    try {
      const draft = path.join(place.path, `.${PRIVATE_FILE}-${keyId}`);
      writeDraft(place, draft, privateKeyPem);
      renameSync(draft, path.join(place.path, PRIVATE_FILE));
    } finally {
      place.close();
    }
    if (revoke) {
      for (const name of namesIn(folder)) {
        const isOther = PUBLIC_FILE.test(name) && name !== publicFile(keyId);
        if (isOther) rmSync(path.join(folder, name), { force: true });
      }
    }
    // Another rotation at the same moment may have taken this one's away, or have come last.
    return { former, key: loadOrCreateSigningKey(folder) };
  });
}

/** Reads the secret from which parents' links are derived, or makes it. */
export function loadOrCreateLinkSecret(folder: string): Buffer {
  const file = path.join(folder, LINK_FILE);
  return told(file, () => {
    const text =
      readIfThere(file) ?? createOnce(folder, file, `${randomBytes(LINK_BYTES).toString('hex')}\n`);
    const secret = Buffer.from(text.trim(), 'hex');
    if (secret.length !== LINK_BYTES) throw officeErrors.linkSecret(file);
    return secret;
  });
}

/** Every public key of a folder by its id, also of keys that sign no more: their passes must still verify. */
export function loadPublicKeys(folder: string): Map<string, KeyObject> {
  return told(folder, () => {
    const keys = new Map<string, KeyObject>();
    for (const name of namesIn(folder)) {
      if (!PUBLIC_FILE.test(name)) continue;
      const file = path.join(folder, name);
      const key = parsed(file, () => createPublicKey(readFileSync(file, 'utf8')));
      keys.set(keyIdOf(key), key);
    }
    return keys;
  });
}

/** A short name for a public key, the same wherever it is computed. */
export function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64url').slice(0, 11);
}

function publicFile(keyId: string): string {
  return `public-${keyId}.pem`;
}

function createPrivateFile(folder: string, file: string): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return createOnce(folder, file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

/** Done at every load, so that a crash between the two files mends itself. */
function keepPublicHalf(folder: string, keyId: string, key: KeyObject): void {
  const file = path.join(folder, publicFile(keyId));
  if (readIfThere(file) !== undefined) return;
  createOnce(folder, file, key.export({ type: 'spki', format: 'pem' }).toString());
}

/**
 * Writes a file of its own, then links it to its name: the link fails where another process was first, and nobody
 * ever reads half a key. What is read back afterwards is the winner's.
 */
function createOnce(folder: string, file: string, content: string): string {
  makeFolder(folder, 0o700);
  // mkdir's mode passes through the umask, which may only take rights away; an older folder may have more.
  shut(folder);
  const name = path.basename(file);
  const place = placeIn(folder);
  const draft = path.join(place.path, `.${name}-${randomBytes(6).toString('hex')}`);
  try {
    writeDraft(place, draft, content);
    linkSync(draft, path.join(place.path, name));
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(draft, { force: true });
    place.close();
  }
  return readFileSync(file, 'utf8');
}

/** On the disk when this returns. */
function writeDraft(place: Place, draft: string, content: string): void {
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeFileSync(file, content);
    place.give(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function publicHalf(file: string, privateKeyPem: string): KeyObject {
  return parsed(file, () => {
    const key = createPrivateKey(privateKeyPem);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('another kind of key');
    return createPublicKey(key);
  });
}

function parsed(file: string, parse: () => KeyObject): KeyObject {
  try {
    return parse();
  } catch {
    // The parser's own words could quote the key.
    throw officeErrors.signingKey(file, 'it is no Ed25519 key in PEM form');
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      throw officeErrors.signingKey(folder, "there is none yet; 'passito keys' makes one");
    }
    throw error;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** File-system errors name the call and not what it was for. */
function told<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof PassitoError) throw error;
    const closed = hasCode(error, 'EACCES') ? firstShut(path.resolve(what)) : undefined;
    if (closed === undefined) throw officeErrors.signingKey(what, messageOf(error));
    throw officeErrors.signingKey(what, 'this user may not read it', typeAsOwner(closed.path));
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
