/** The fonts that the documents embed. Their files lie in `assets/` beside this module, and beside its bundle. */

import { readFileSync } from 'node:fs';

import { create } from 'fontkit';
import type { Font } from 'fontkit';

/** The cuts in use: Latin, Greek, Cyrillic and Devanagari, with the rupee sign. */
export const fontNames = ['NotoSans-Regular', 'NotoSans-Bold'] as const;

/** One of the cuts. */
export type FontName = (typeof fontNames)[number];

const loaded = new Map<FontName, Font>();

/** A font, read and parsed once a thread: parsing it for each document took most of the document's time. */
export function font(name: FontName): Font {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const parsed = create(readFileSync(new URL(`./assets/${name}.ttf`, import.meta.url)));
  if (!('layout' in parsed)) throw new Error(`The font file ${name}.ttf holds a collection, not one font.`);
  loaded.set(name, parsed);
  return parsed;
}
