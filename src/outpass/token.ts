/** What a pass's QR code holds: a compact JWS that a guard's reader checks with the public key alone. */

import { createHash, createPrivateKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { formatTime, parseTime } from '../engine/clock.ts';
import type { SigningKey } from './keys.ts';
import { graceEnds, type LateGrace } from './late-grace.ts';
import type { PassDetails } from './office.ts';

/** What a token says of its pass; short names, since each byte makes the picture finer. */
export interface PassClaims {
  /** The pass's id. */
  pass: number;
  /** Its reference, such as `OP-000123`. */
  ref: string;
  /** The student's roll number. */
  roll: string;
  kind: string;
  /** Seconds since 1970: valid from, and valid before. */
  nbf: number;
  exp: number;
  /** The token's id. */
  jti: string;
}

/** Why a token is refused. */
type TokenFault = 'malformed' | 'algorithm' | 'unknown-key' | 'signature' | 'too-early' | 'too-late';

/** What {@link verifyToken} found. Where the signature holds, the claims can be shown even with a fault. */
export type TokenVerdict =
  | { valid: true; claims: PassClaims }
  | { valid: false; fault: TokenFault; message: string; claims?: PassClaims };

const ALGORITHM = 'EdDSA';
/** Far above any token of ours; a reader need not parse a novel. */
const LONGEST = 4096;

/** The claims of a pass: it holds until its student's grace ends. */
export function passClaims(pass: PassDetails, grace: LateGrace): PassClaims {
  const exp = Math.ceil(graceEnds(pass.returnsAt, pass.student.gender, grace) / 1000);
  return { ...windowClaims(pass), exp, jti: tokenIdOf(pass) };
}

/**
 * The id of a pass's token: the same as long as the pass and its window are. It knows no grace, or a setting that
 * changes would make every code that is printed already an old one.
 */
export function tokenIdOf(pass: PassDetails): string {
  return createHash('sha256')
    .update(JSON.stringify(windowClaims(pass)))
    .digest('base64url')
    .slice(0, 16);
}

function windowClaims(pass: PassDetails): Omit<PassClaims, 'jti'> {
  return {
    pass: pass.id,
    ref: pass.reference,
    roll: pass.student.rollNumber,
    kind: pass.kind,
    nbf: Math.floor(parseTime(pass.leavesAt) / 1000),
    exp: Math.ceil(parseTime(pass.returnsAt) / 1000),
  };
}

/** Signs claims. Ed25519 signatures are deterministic, so the same claims make the same token. */
export function signToken(claims: PassClaims, key: SigningKey): string {
  const signed = `${encoded({ alg: ALGORITHM, kid: key.keyId, typ: 'JWT' })}.${encoded(claims)}`;
  return `${signed}.${sign(null, Buffer.from(signed), createPrivateKey(key.privateKeyPem)).toString('base64url')}`;
}

/** Checks a token at an instant (milliseconds since 1970). Nothing in it is believed before its signature holds. */
export function verifyToken(token: string, keys: ReadonlyMap<string, KeyObject>, now: number): TokenVerdict {
  const text = token.trim();
  const [head, body, signature, ...rest] = text.split('.');
  if (
    text.length > LONGEST ||
    head === undefined ||
    body === undefined ||
    signature === undefined ||
    rest.length > 0
  ) {
    return refused('malformed', 'This is not a gate-pass token.');
  }
  const header = decoded(head);
  const signatureBytes = bytesOf(signature);
  if (header === undefined || signatureBytes === undefined) {
    return refused('malformed', 'This is not a gate-pass token.');
  }
  if (header['alg'] !== ALGORITHM) {
    return refused(
      'algorithm',
      `The token is signed with ${JSON.stringify(header['alg'] ?? null)}, not ${ALGORITHM}.`,
    );
  }
  const keyId = header['kid'];
  const key = typeof keyId === 'string' ? keys.get(keyId) : undefined;
  if (key === undefined || key.asymmetricKeyType !== 'ed25519') {
    return refused(
      'unknown-key',
      `The token names the key ${JSON.stringify(keyId ?? null)}, which is not known here.`,
    );
  }
  if (!verify(null, Buffer.from(`${head}.${body}`), key, signatureBytes)) {
    return refused('signature', 'The signature does not match: the token was altered or forged.');
  }
  const claims = decoded(body);
  if (!isPassClaims(claims)) {
    return refused('malformed', 'The token is signed, but it is not of a gate pass.');
  }
  return inWindow(claims, now / 1000);
}

function inWindow(claims: PassClaims, seconds: number): TokenVerdict {
  if (seconds < claims.nbf) {
    return {
      ...refused('too-early', `The pass is not valid before ${formatTime(claims.nbf * 1000)} UTC.`),
      claims,
    };
  }
  if (seconds >= claims.exp) {
    return {
      ...refused('too-late', `The pass is not valid after ${formatTime(claims.exp * 1000)} UTC.`),
      claims,
    };
  }
  return { valid: true, claims };
}

function refused(fault: TokenFault, message: string): { valid: false; fault: TokenFault; message: string } {
  return { valid: false, fault, message };
}

function isPassClaims(
  value: Record<string, unknown> | undefined,
): value is Record<string, unknown> & PassClaims {
  if (value === undefined) return false;
  const texts = [value['ref'], value['roll'], value['kind'], value['jti']];
  const numbers = [value['pass'], value['nbf'], value['exp']];
  return (
    texts.every((text) => typeof text === 'string') && numbers.every((number) => Number.isSafeInteger(number))
  );
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Node's decoder skips what it does not know; a token has one spelling only. */
function bytesOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

function decoded(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytesOf(text)?.toString('utf8') ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
