/** Cuts a text into pieces that one face can draw, and finds the characters that none can. */

import type { Face, Faces } from '../fonts.ts';
import { isRightToLeft, shapedScript } from './scripts.ts';
import { shape } from './shape.ts';

/** A text of one face and script. */
export interface Piece {
  text: string;
  face: Face;
  /** Read from right to left. */
  rtl: boolean;
  /** In thousandths of the font size. */
  width: number;
}

/** What is never parted unless it is too long for a line. */
export interface Word {
  pieces: readonly Piece[];
  /** Without the space at its end. */
  width: number;
  /** Of the space at its end. */
  space: number;
}

/** A character as people count them, with its marks. */
interface Cluster {
  text: string;
  face: Face;
  script: string;
}

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });
const words = new Intl.Segmenter('en', { granularity: 'word' });

/** Scripts that part words without a space. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]/u;

/** What all scripts share. */
const SIGN = /^[ \p{P}]$/u;

/** Fonts need not have these: they have no shape of their own. */
const SHAPELESS = /^\p{Default_Ignorable_Code_Point}$/u;

const shows = ({ font }: Face, text: string) =>
  Array.from(text).every(
    (character) => SHAPELESS.test(character) || font.hasGlyphForCodePoint(character.codePointAt(0) ?? 0),
  );

/** The characters that no face has, each once. */
export function missing(text: string, faces: Faces): string {
  const absent = Array.from(text).filter(
    (character) => character !== '\n' && !faces.some((face) => shows(face, character)),
  );
  return [...new Set(absent)].join('');
}

/** Words kept for each list of faces and thread: each is asked for at every size that is tried. */
const MOST_KEPT = 4000;
const kept = new WeakMap<Faces, Map<string, readonly Piece[]>>();

/** The pieces of a text without line breaks, in the order of reading. Shared: not to be changed. */
export function cut(text: string, faces: Faces): readonly Piece[] {
  const known = kept.get(faces) ?? new Map<string, readonly Piece[]>();
  kept.set(faces, known);
  const hit = known.get(text);
  if (hit !== undefined) return hit;
  if (known.size >= MOST_KEPT) known.clear();
  const made = cutAnew(text, faces);
  known.set(text, made);
  return made;
}

function cutAnew(text: string, faces: Faces): Piece[] {
  const pieces: Piece[] = [];
  let open: Cluster | undefined;
  for (const cluster of clusters(text, faces)) {
    const same = open !== undefined && open.face === cluster.face && open.script === cluster.script;
    if (open !== undefined && same) open.text += cluster.text;
    else {
      if (open !== undefined) pieces.push(toPiece(open));
      open = { ...cluster };
    }
  }
  if (open !== undefined) pieces.push(toPiece(open));
  return pieces;
}

function toPiece({ text, face, script }: Cluster): Piece {
  return { text, face, rtl: isRightToLeft(script), width: shape(face, text).width };
}

function* clusters(text: string, faces: Faces): Generator<Cluster> {
  let last: Cluster | undefined;
  for (const { segment } of characters.segment(text)) {
    // Signs and spaces belong to what stands before them: fewer pieces. Not where that runs from right to left.
    if (
      last !== undefined &&
      !isRightToLeft(last.script) &&
      SIGN.test(segment) &&
      shows(last.face, segment)
    ) {
      yield { ...last, text: segment };
      continue;
    }
    const whole = faces.find((one) => shows(one, segment));
    // Marks of another script on a letter: part by part, the missing ones as boxes of the first face.
    const parts = whole === undefined ? Array.from(segment) : [segment];
    for (const part of parts) {
      const face = whole ?? faces.find((one) => shows(one, part)) ?? faces[0];
      last = { text: part, face, script: shapedScript(part) };
      yield last;
    }
  }
}

/** The words of a paragraph. */
export function toWords(text: string, faces: Faces): Word[] {
  return parted(text).map((word) => {
    const bare = word.trimEnd();
    const pieces = cut(bare, faces);
    const width = pieces.reduce((sum, piece) => sum + piece.width, 0);
    if (bare === word) return { pieces, width, space: 0 };
    const spaced = cut(word, faces);
    return { pieces: spaced, width, space: spaced.reduce((sum, piece) => sum + piece.width, 0) - width };
  });
}

/** After a space, after a hyphen or slash before a letter, and where an unspaced script ends a word. */
function parted(text: string): string[] {
  return text.split(/(?<= )(?! )|(?<=\p{L}[-/])(?=\p{L})/u).flatMap((word) => {
    if (!UNSPACED.test(word)) return [word];
    return Array.from(words.segment(word), ({ segment }) => segment).reduce<string[]>((parts, segment) => {
      const last = parts.at(-1);
      if (last === undefined || /^[\s\p{P}]/u.test(segment) || !UNSPACED.test(last + segment)) {
        parts.splice(-1, last === undefined ? 0 : 1, (last ?? '') + segment);
      } else parts.push(segment);
      return parts;
    }, []);
  });
}

/** The characters of a word that is too long for a line. */
export function letters(word: Word): string[] {
  const text = word.pieces.map((piece) => piece.text).join('');
  return Array.from(characters.segment(text), ({ segment }) => segment);
}
