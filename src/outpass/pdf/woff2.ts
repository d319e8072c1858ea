/** Mends the font library's subsets of WOFF2 files. */

import type { Font } from '../fonts.ts';

/** The parts of the library's TrueType subset that it keeps to itself. */
interface TrueTypeSubset {
  cff?: unknown;
  glyf: Uint8Array[];
  loca: { offsets: number[] };
  hmtx: { metrics: { advance: number; bearing: number }[] };
  offset: number;
  _addGlyph(id: number): number;
}

/** A point of an outline, in the font's units; curves bend towards those that are not on them. */
interface Point {
  x: number;
  y: number;
  on: boolean;
}

/** The flag of a point on the outline. */
const ON_CURVE = 1;
/** Contour count and bounding box, then the length of the (absent) hints. */
const HEAD = 10;
const HINTS = 2;

/**
 * The library copies each glyph from where the file's table of places says that it is. WOFF2 files have no such
 * table, and the subset came out with empty glyphs. So each is written anew from its outline, without hints,
 * which matter on screens of few dots only. Its own encoder for that does not run with the packages of today.
 */
export function drawAnew(part: object, font: Font): void {
  const subset = part as TrueTypeSubset;
  if (subset.cff !== undefined) return;
  subset._addGlyph = (id) => {
    const glyph = font.getGlyph(id);
    const outline = contours(glyph.path.commands);
    const bytes = encodeGlyph(outline);
    const left = Math.min(...outline.flat().map(({ x }) => x));
    subset.glyf.push(bytes);
    subset.loca.offsets.push(subset.offset);
    subset.hmtx.metrics.push({ advance: glyph.advanceWidth, bearing: outline.length === 0 ? 0 : left });
    subset.offset += bytes.length;
    return subset.glyf.length - 1;
  };
}

function contours(commands: readonly { command: string; args: readonly number[] }[]): Point[][] {
  const found: Point[][] = [];
  for (const { command, args } of commands) {
    if (command === 'moveTo') found.push([]);
    for (let at = 0; at + 1 < args.length; at += 2) {
      const on = command !== 'quadraticCurveTo' || at === 2;
      found.at(-1)?.push({ x: Math.round(args[at] ?? 0), y: Math.round(args[at + 1] ?? 0), on });
    }
  }
  return found.filter((contour) => contour.length > 0);
}

/** A simple glyph of a TrueType `glyf` table, its coordinates in two bytes each; nothing for an empty outline. */
function encodeGlyph(outline: readonly (readonly Point[])[]): Uint8Array {
  const points = outline.flat();
  if (points.length === 0) return new Uint8Array(0);
  const size = HEAD + 2 * outline.length + HINTS + 5 * points.length;
  // Glyphs begin at multiples of four.
  const bytes = Buffer.alloc(Math.ceil(size / 4) * 4);
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const head = [outline.length, Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  let at = 0;
  for (const value of head) at = bytes.writeInt16BE(value, at);
  let last = -1;
  for (const contour of outline) at = bytes.writeUInt16BE((last += contour.length), at);
  at = bytes.writeUInt16BE(0, at);
  for (const { on } of points) at = bytes.writeUInt8(on ? ON_CURVE : 0, at);
  for (const values of [xs, ys]) {
    for (const [index, value] of values.entries()) {
      at = bytes.writeInt16BE(value - (values[index - 1] ?? 0), at);
    }
  }
  return bytes;
}
