/** The fonts that the documents embed. Their files lie in `assets/` beside this module, and beside its bundle. */

import { readFileSync } from 'node:fs';

import { create } from 'fontkit';
import type { Font } from 'fontkit';

export type { Font, Glyph, GlyphPosition } from 'fontkit';

/** How strong a text is. */
export type Weight = 'regular' | 'bold';

/** One cut of a font. */
export interface Face {
  /** Its PostScript name, unique among those in use. */
  name: string;
  weight: Weight;
  font: Font;
}

/** The fonts for a text, the preferred one first. The first one also draws what none of them can show. */
export type Faces = readonly [Face, ...Face[]];

/** The faces for each weight. */
export type FontStack = Readonly<Record<Weight, Faces>>;

/** Below this a cut counts as regular, in the units of OpenType's `usWeightClass` (400 regular, 700 bold). */
const BOLD_FROM = 600;

/** The first four bytes of TrueType and OpenType files: 1.0, `true` and `OTTO`. */
const SFNT = new Set([0x00_01_00_00, 0x74_72_75_65, 0x4f_54_54_4f]);

/** Parses a font; throws, with the reason alone, where the bytes are none. */
export function parseFace(bytes: Buffer): Face {
  if (isCutShort(bytes)) throw new Error('the file is cut short');
  const font = create(bytes);
  if (!('layout' in font)) throw new Error('it holds a collection, not one font');
  keepGlyphsApart(font);
  // Read here, since the library parses each table when it is first asked for.
  // Absent from old fonts, whatever the types say.
  const metrics = font['OS/2'] as Font['OS/2'] | null;
  const bold = (metrics?.usWeightClass ?? 400) >= BOLD_FROM;
  if (!(font.unitsPerEm > 0) || font.characterSet.length === 0) throw new Error('it shows no characters');
  if (!canBeEmbedded(font)) throw new Error('it is of a kind that cannot be embedded in a PDF');
  return { name: font.postscriptName, weight: bold ? 'bold' : 'regular', font };
}

/**
 * The library keeps one glyph for each number, with the characters for which it was first asked for; none where it was
 * a part of another. So the e of one document's é made every later e of the thread mean nothing to who copies it. Here
 * each list of characters has glyphs of its own.
 */
function keepGlyphsApart(font: Font): void {
  const library = font as unknown as { _glyphs: object };
  const ask = font.getGlyph.bind(font);
  const kept = new Map<string, object>();
  font.getGlyph = (id, characters = []) => {
    const key = characters.join();
    const glyphs = kept.get(key) ?? {};
    kept.set(key, glyphs);
    library._glyphs = glyphs;
    return ask(id, characters);
  };
}

/** The library reads tables as they are needed: without this a damaged file would fail at some later name. */
function isCutShort(bytes: Buffer): boolean {
  if (bytes.length < 12) return true;
  // WOFF and WOFF2 say how long they are; the others have a list of tables, each with its place and length.
  if (bytes.toString('latin1', 0, 3) === 'wOF') return bytes.readUInt32BE(8) > bytes.length;
  if (!SFNT.has(bytes.readUInt32BE(0))) return false;
  const end = 12 + 16 * bytes.readUInt16BE(4);
  if (end > bytes.length) return true;
  for (let at = 12; at < end; at += 16) {
    if (bytes.readUInt32BE(at + 8) + bytes.readUInt32BE(at + 12) > bytes.length) return true;
  }
  return false;
}

/** Tried, with one glyph: variable fonts with PostScript outlines, for one, fail only here. */
function canBeEmbedded(font: Font): boolean {
  try {
    const subset = font.createSubset() as unknown as { encode(): Uint8Array };
    return subset.encode().length > 0;
  } catch {
    return false;
  }
}

/** Latin, Greek, Cyrillic and Devanagari, with the rupee sign; and Tamil. */
const builtInNames = {
  regular: ['NotoSans-Regular', 'NotoSansTamil-Regular'],
  bold: ['NotoSans-Bold', 'NotoSansTamil-Bold'],
} as const;

let builtIn: FontStack | undefined;

/** The built-in fonts, read and parsed once a thread: parsing them for each document took most of its time. */
export function builtInFonts(): FontStack {
  const load = (name: string): Face =>
    parseFace(readFileSync(new URL(`./assets/${name}.ttf`, import.meta.url)));
  const faces = ([base, tamil]: readonly [string, string]): Faces => [load(base), load(tamil)];
  builtIn ??= { regular: faces(builtInNames.regular), bold: faces(builtInNames.bold) };
  return builtIn;
}
