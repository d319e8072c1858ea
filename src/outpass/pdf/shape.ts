/** Turns a word into the glyphs of one face, and says which characters each glyph stands for. */

import type { Face, Font, Glyph, GlyphPosition } from '../fonts.ts';
import { isRightToLeft, shapedScript } from './scripts.ts';

/** A glyph of a shaped word. Lengths are in thousandths of the font size. */
export interface ShapedGlyph {
  id: number;
  /** What a reader of the document gets who copies it. */
  codePoints: readonly number[];
  advanceWidth: number;
  xAdvance: number;
  xOffset: number;
  yOffset: number;
}

/** A word in one face. */
export interface Shaped {
  glyphs: readonly ShapedGlyph[];
  width: number;
}

/** Words kept for each face and thread: labels and rules recur in every document, and shaping is most of the work. */
const MOST_KEPT = 4000;

const kept = new WeakMap<Face, Map<string, Shaped>>();
const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Shapes a text of one script; the caller cuts it there. Results are shared: not to be changed. */
export function shape(face: Face, text: string): Shaped {
  const known = kept.get(face) ?? new Map<string, Shaped>();
  kept.set(face, known);
  const hit = known.get(text);
  if (hit !== undefined) return hit;
  if (known.size >= MOST_KEPT) known.clear();
  const made = layout(face, text);
  known.set(text, made);
  return made;
}

function layout({ font }: Face, text: string): Shaped {
  const rtl = isRightToLeft(shapedScript(text));
  const run = runOf(font, text, rtl ? 'rtl' : 'ltr');
  const scale = 1000 / font.unitsPerEm;
  const own = run.glyphs.map((glyph) => glyph.codePoints);
  // From right to left the glyphs stand in the order of the page, which readers turn round themselves.
  const meanings = rtl ? own : meaningOf(text, own);
  const glyphs = run.glyphs.map((glyph, index): ShapedGlyph => {
    const position = run.positions[index];
    return {
      id: glyph.id,
      codePoints: meanings[index] ?? [],
      advanceWidth: glyph.advanceWidth * scale,
      xAdvance: (position?.xAdvance ?? 0) * scale,
      xOffset: (position?.xOffset ?? 0) * scale,
      yOffset: (position?.yOffset ?? 0) * scale,
    };
  });
  return { glyphs, width: glyphs.reduce((sum, { xAdvance }) => sum + xAdvance, 0) };
}

/** A font's positions for marks and joins, without which a word is still read. */
const FINE_PLACING = { mark: false, mkmk: false, curs: false, kern: false, abvm: false, blwm: false };

/** What of a run is used here. */
interface Run {
  glyphs: readonly Pick<Glyph, 'id' | 'codePoints' | 'advanceWidth'>[];
  positions: readonly Pick<GlyphPosition, 'xAdvance' | 'xOffset' | 'yOffset'>[];
}

/** The direction is told, since the library turns Arabic digits round as well. */
function runOf(font: Font, text: string, direction: 'rtl' | 'ltr'): Run {
  try {
    return font.layout(text, undefined, undefined, undefined, direction);
  } catch {
    // The library trips over optional parts of some fonts; no letter is a reason for having no document.
  }
  try {
    return font.layout(text, FINE_PLACING, undefined, undefined, direction);
  } catch {
    const glyphs = font.glyphsForString(text);
    if (direction === 'rtl') glyphs.reverse();
    const positions = glyphs.map(({ advanceWidth }) => ({ xAdvance: advanceWidth, xOffset: 0, yOffset: 0 }));
    return { glyphs, positions };
  }
}

const codesOf = (text: string) => Array.from(text, (character) => character.codePointAt(0) ?? 0);
const decomposed = (codes: readonly number[]) => codesOf(String.fromCodePoint(...codes).normalize('NFD'));
const sorted = (codes: readonly number[]) => codes.toSorted((a, b) => a - b).join();

/**
 * The characters for each glyph, such that reading the glyphs in their order gives the text. A font puts the sign of
 * கெ before its letter, as it is written; copied as drawn, it would come behind the letter before. So glyphs are
 * matched with characters group by group, and each group's characters are dealt out in the order of the text.
 */
function meaningOf(text: string, own: readonly (readonly number[])[]): readonly (readonly number[])[] {
  if (own.flat().join() === codesOf(text).join()) return own;
  const meanings: number[][] = [];
  const clusters = Array.from(characters.segment(text), ({ segment }) => codesOf(segment));
  let wanted: number[] = [];
  let found: number[] = [];
  let count = 0;
  for (let taken = 0; taken < own.length || clusters.length > 0;) {
    if (decomposed(wanted).length <= found.length && clusters.length > 0) {
      wanted.push(...(clusters.shift() ?? []));
    } else if (taken < own.length) {
      found.push(...decomposed(own[taken] ?? []));
      taken += 1;
      count += 1;
    } else return own;
    if (count === 0 || sorted(decomposed(wanted)) !== sorted(found)) continue;
    meanings.push(...deal(wanted, count));
    wanted = [];
    found = [];
    count = 0;
  }
  return meanings.length === own.length ? meanings : own;
}

/** One character for each glyph, the rest for the last. */
function deal(codes: readonly number[], glyphs: number): number[][] {
  const enough = codes.length >= glyphs ? codes : decomposed(codes);
  return Array.from({ length: glyphs }, (_, index) =>
    index === glyphs - 1 ? enough.slice(index) : enough.slice(index, index + 1),
  );
}
