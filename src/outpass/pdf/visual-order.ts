/** Puts the pieces of a line where they stand on the page: Arabic and Hebrew run from right to left. */

import type { Piece } from './pieces.ts';
import { shape } from './shape.ts';

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
export function inVisualOrder(line: readonly Piece[]): readonly Piece[] {
  if (!line.some(({ rtl }) => rtl)) return line;
  const pieces = line.flatMap(withoutSpaces);
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
  // A bracket that was opened inside is closed inside.
  const inside = pieces
    .slice(at, end)
    .map(({ text }) => text)
    .join('');
  const open = (inside.match(/\p{Ps}/gu)?.length ?? 0) - (inside.match(/\p{Pe}/gu)?.length ?? 0);
  return open > 0 && /^\p{Pe}$/u.test(pieces[end]?.text ?? '') ? end + 1 : end;
}

/** Signs apart from the spaces beside them, which may come to stand elsewhere. */
function withoutSpaces(piece: Piece): Piece[] {
  if (piece.rtl || /\p{L}/u.test(piece.text)) return [piece];
  const parts = piece.text.split(/(?<= )|(?= )/u);
  return parts.map((text) => ({ ...piece, text, width: shape(piece.face, text).width }));
}

/** Signs look the other way; a number keeps its digits in order. */
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
