/**
 * The secret part of a parent's link. It is derived and not drawn, so that a job that is tried again sends the same
 * link; only its hash is stored, so that the database alone opens no page.
 */

import { createHash, createHmac } from 'node:crypto';

/** What a token stands for. */
export interface TokenSource {
  /** The question's row, and the how-manieth question about its pass it is. */
  id: number;
  issue: number;
  /** UTC text. A database that was restored counts its rows anew: an old link must not open a new question. */
  createdAt: string;
}

/** 128 bits: out of reach for guessing, and short enough for an SMS. */
const BYTES = 16;

/** How a token looks: 22 characters that no program breaks or escapes. */
export const TOKEN_FORM = /^[\w-]{22}$/;

/** The same for the same source and secret. */
export function parentToken(secret: Buffer, { id, issue, createdAt }: TokenSource): string {
  const mac = createHmac('sha256', secret).update(`parent-link:${id}:${issue}:${createdAt}`);
  return mac.digest().subarray(0, BYTES).toString('base64url');
}

/** What is stored of a token: SHA-256 in hex. Looked up whole, so that no comparison tells how much of a guess was right. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
