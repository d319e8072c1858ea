/** A face as the PDF library wants it: laid out by `shape`, and with a character meaning for each drawn glyph. */

import type { Face, Font } from '../fonts.ts';
import { shape } from './shape.ts';
import { drawAnew } from './woff2.ts';

/** What the library takes of a font's subset; `glyphs` holds the font's glyph for each glyph of the subset. */
interface Subset {
  glyphs: number[];
  includeGlyph: (glyph: number | { id: number }) => number;
}

/** Above every glyph id of a font, which has 16 bits: the library's own calls for parts of glyphs stay below. */
const FIRST = 0x1_00_00;

/**
 * A copy of the font for one document. In a PDF each glyph stands for one text, but in Tamil one sign may stand for
 * different texts in different places; so a glyph goes into the subset once for each text that it stands for.
 */
export function forDocument(face: Face): Font {
  const { name, font } = face;
  // The library counts in the font's own units.
  const unit = font.unitsPerEm / 1000;
  const numbers = new Map<string, number>();
  const sources: number[] = [];
  const numberOf = (id: number, codePoints: readonly number[]): number => {
    const key = `${id} ${codePoints.join()}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const fresh = FIRST + sources.push(id) - 1;
    numbers.set(key, fresh);
    return fresh;
  };
  return Object.create(font, {
    postscriptName: { value: name },
    layout: {
      value: (text: string) => {
        const { glyphs } = shape(face, text);
        return {
          glyphs: glyphs.map(({ id, codePoints, advanceWidth }) => ({
            id: numberOf(id, codePoints),
            codePoints,
            advanceWidth: advanceWidth * unit,
          })),
          // Made for each call, since the library changes them.
          positions: glyphs.map(({ xAdvance, xOffset, yOffset }) => ({
            xAdvance: xAdvance * unit,
            xOffset: xOffset * unit,
            yOffset: yOffset * unit,
          })),
          /** Asked for after the library has changed the positions into thousandths. */
          get advanceWidth() {
            return this.positions.reduce((sum, { xAdvance }) => sum + xAdvance, 0);
          },
        };
      },
    },
    createSubset: {
      value: () => {
        const subset = font.createSubset() as unknown as Subset;
        if (font.type === 'WOFF2') drawAnew(subset, font);
        const own = subset.includeGlyph.bind(subset);
        const places = new Map<number, number>();
        subset.includeGlyph = (glyph) => {
          const id = typeof glyph === 'number' ? glyph : glyph.id;
          if (id < FIRST) return own(id);
          const known = places.get(id);
          if (known !== undefined) return known;
          const place = subset.glyphs.push(sources[id - FIRST] ?? 0) - 1;
          places.set(id, place);
          return place;
        };
        return subset;
      },
    },
  }) as Font;
}
