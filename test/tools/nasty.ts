/** Texts that programs stumble over, and what a terminal obeys. */

import fc from 'fast-check';

/** Control characters of both sets, but line ends and tabs, and marks that turn the direction of a text. */
export const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** What breaks programs, between pieces that do not. */
const PIECES = [
  '..', '.', '/', '\\', '\0', 'a', 'b.txt', 'secret', '~', '%2e%2e', '%00', '\u2025', '\uff0f', '\n', '\r\n', ' ', "'", '"', ';',
  '--', '%', '_', '$(touch x)', '`', '\u202e', '\u001b[2J', '\ud800', '😀', '__proto__', '=cmd',
]; // prettier-ignore
export const piece: fc.Arbitrary<string> = fc.constantFrom(...PIECES);
/** A text of such pieces, or of any characters. */
export const nasty: fc.Arbitrary<string> = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
