/** Puts the pieces of a line where they stand on the page: Arabic and Hebrew run from right to left. */

import type { Piece } from './pieces.ts';

const MIRRORED = new Map(
  ['()', '[]', '{}', '<>', '«»', '‹›'].flatMap(([open = '', close = '']) => [
    [open, close],
    [close, open],
  ]),
);

/**
 * Each stretch that begins and ends with words read from right to left is turned round, with the signs and numbers
 * inside it. What stands around it keeps the order of the form, which is left to right. This is the part of
 * Unicode's rules that names and addresses need.
 */
export function inVisualOrder(pieces: readonly Piece[]): readonly Piece[] {
  if (!pieces.some(({ rtl }) => rtl)) return pieces;
  const ordered: Piece[] = [];
  for (let at = 0; at < pieces.length;) {
    const end = endOfStretch(pieces, at);
    const stretch = pieces.slice(at, Math.max(end, at + 1));
    ordered.push(...(end > at ? stretch.toReversed().map(turned) : stretch));
    at += stretch.length;
  }
  return ordered;
}

/** One past the last word from right to left that no letter of another script parts from here. */
function endOfStretch(pieces: readonly Piece[], at: number): number {
  if (pieces[at]?.rtl !== true) return at;
  let end = at;
  for (const [index, { rtl, text }] of pieces.entries()) {
    if (index < at) continue;
    if (rtl) end = index + 1;
    else if (/\p{L}/u.test(text)) break;
  }
  return end;
}

/** Signs look the other way; a number keeps its digits in order, and the space behind it comes before it. */
function turned(piece: Piece): Piece {
  if (piece.rtl) return piece;
  const parts = piece.text.match(/[\p{N}.,:/-]*\p{N}|./gsu) ?? [];
  return {
    ...piece,
    text: parts
      .toReversed()
      .map((part) => MIRRORED.get(part) ?? part)
      .join(''),
  };
}
