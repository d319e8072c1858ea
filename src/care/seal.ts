/** The last line of an executable: the hash of all before it, so that one that was cut short or damaged is known. */

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const BEGIN = '\n# passito sha256 ';
const LENGTH = BEGIN.length + 64 + 1;

/** Read at once, in bytes. */
const PIECE = 1 << 20;

/** What is appended to a file with this hash (hex). */
export function seal(sha256: string): string {
  return `${BEGIN}${sha256}\n`;
}

/** Whether the file ends with the seal of all that stands before. Throws what the file system throws. */
export function isSealed(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const end = fstatSync(file).size - LENGTH;
    if (end < 0) return false;
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(PIECE);
    for (let at = 0; at < end;) {
      const read = readSync(file, piece, 0, Math.min(PIECE, end - at), at);
      if (read === 0) return false;
      hash.update(piece.subarray(0, read));
      at += read;
    }
    const read = readSync(file, piece, 0, LENGTH, end);
    return piece.toString('latin1', 0, read) === seal(hash.digest('hex'));
  } finally {
    closeSync(file);
  }
}
