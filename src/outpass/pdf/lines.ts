/** Sets a text in lines: at words, inside a word that is too long, smaller where it would not fit otherwise. */

import type { Faces } from '../fonts.ts';
import { cut, letters, toWords } from './pieces.ts';
import type { Piece, Word } from './pieces.ts';
import { inVisualOrder } from './visual-order.ts';

/** A line, its pieces in the order in which they stand on the page. */
export interface Line {
  pieces: readonly Piece[];
  /** In thousandths of the font size. */
  width: number;
}

/** A text in lines, and the size at which they fit. */
export interface SetText {
  size: number;
  lines: readonly Line[];
}

/** The room for a text. Lengths are in points. */
export interface Room {
  width: number;
  /** The wanted size of the letters. */
  size: number;
  /** Down to which they may shrink. */
  smallest: number;
  /** At the wanted size; more of them where the letters are smaller. */
  maxLines: number;
}

/** By which the letters shrink, in points. */
const STEP = 0.5;
const ELLIPSIS = '…';

/** A line of text being filled: its words' texts and their width with the last space. */
interface Filling {
  text: string;
  width: number;
}

/** Sets the text at the largest size at which it fits into the room; at the smallest it ends in an ellipsis. */
export function setText(text: string, faces: Faces, room: Room): SetText {
  const paragraphs = text.split('\n').map((paragraph) => toWords(paragraph, faces));
  for (let { size } = room; ; size -= STEP) {
    const width = (room.width * 1000) / size;
    const most = Math.max(1, Math.floor((room.maxLines * room.size) / size + 0.001));
    const last = size - STEP < room.smallest;
    const texts = wrap(paragraphs, faces, width, most + 1);
    if (texts.length > most && !last) continue;
    const kept =
      texts.length > most ? [...texts.slice(0, most - 1), shorten(texts, most, faces, width)] : texts;
    return { size, lines: kept.map((line) => toLine(line, faces)) };
  }
}

/** The texts of the lines; no more of them than asked for. */
function wrap(paragraphs: readonly (readonly Word[])[], faces: Faces, width: number, most: number): string[] {
  const lines: string[] = [];
  for (const paragraph of paragraphs) {
    let line: Filling = { text: '', width: 0 };
    const next = () => {
      lines.push(line.text.trimEnd());
      line = { text: '', width: 0 };
    };
    for (const word of paragraph) {
      if (lines.length >= most) return lines;
      if (line.width > 0 && line.width + word.width > width) next();
      if (word.width <= width) {
        line.text += word.pieces.map((piece) => piece.text).join('');
        line.width += word.width + word.space;
        continue;
      }
      for (const letter of letters(word).flatMap((one) => parts(one, faces, width))) {
        // Measured together: marks that join across a cut take another room than each by itself.
        let joined = widthOf(line.text + letter, faces);
        if (line.width > 0 && joined > width && letter !== ' ') {
          next();
          joined = widthOf(letter, faces);
        }
        if (lines.length >= most) return lines;
        line.text += letter;
        line.width = joined;
      }
    }
    next();
  }
  return lines.slice(0, most);
}

/** A letter with its marks; where a heap of marks is wider than any line, the marks one by one. */
const parts = (letter: string, faces: Faces, width: number) =>
  widthOf(letter, faces) > width ? Array.from(letter) : [letter];

const widthOf = (text: string, faces: Faces) => cut(text, faces).reduce((sum, piece) => sum + piece.width, 0);

/** The last line that is kept, with as much of its end gone as the ellipsis needs. */
function shorten(texts: readonly string[], most: number, faces: Faces, width: number): string {
  const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });
  const kept = Array.from(characters.segment(texts[most - 1] ?? ''), ({ segment }) => segment);
  while (kept.length > 0 && widthOf(`${kept.join('')}${ELLIPSIS}`, faces) > width) kept.pop();
  return `${kept.join('').trimEnd()}${ELLIPSIS}`;
}

function toLine(text: string, faces: Faces): Line {
  const pieces = toWords(text, faces).flatMap((word) => word.pieces);
  return { pieces: inVisualOrder(pieces), width: pieces.reduce((sum, piece) => sum + piece.width, 0) };
}
