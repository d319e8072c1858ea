/** The pieces that the gate pass is drawn from. Each is told where it stands and says how high it became. */

import PdfKit from 'pdfkit';

import type { Face, FontStack, Weight } from '../fonts.ts';
import { forDocument } from './embed.ts';
import { setText } from './lines.ts';
import type { Line } from './lines.ts';
import type { Piece } from './pieces.ts';
import { printable } from './printable.ts';

/** A PDF being drawn, with the fonts for its texts. Only fonts that are used get into the file. */
export class Pdf extends PdfKit {
  readonly fonts: FontStack;
  readonly #registered = new Set<string>();

  constructor(fonts: FontStack, options: PDFKit.PDFDocumentOptions) {
    super(options);
    this.fonts = fonts;
  }

  /** Chooses a face for what is drawn next. */
  face(face: Face, size: number): this {
    if (!this.#registered.has(face.name)) {
      // The library takes a parsed font as well as bytes; its types know only the bytes.
      this.registerFont(face.name, forDocument(face) as unknown as Uint8Array);
      this.#registered.add(face.name);
    }
    return this.font(face.name, size);
  }
}

/** Where a block stands and how wide it may be, in points. */
export interface Place {
  x: number;
  y: number;
  width: number;
}

/** How a text looks. */
export interface TextStyle {
  weight: Weight;
  size: number;
  /** Down to which a text shrinks that would not fit otherwise; the size itself unless told. */
  smallest?: number;
  colour: string;
  /** Lines of that size; what does not fit into their height is cut off with an ellipsis. */
  maxLines: number;
  align?: 'left' | 'center' | 'right';
}

export const colours = {
  ink: '#1b2430',
  quiet: '#5b6573',
  brand: '#1d3a5f',
  line: '#c8d0da',
  good: '#1d6b3a',
};

const LABEL_SIZE = 8.5;
const VALUE_SIZE = 11.5;
const SMALLEST_VALUE = 7.5;

/** The distance of the lines, and of a line's top from its letters' feet, by the size of the letters. */
const LINE = 1.362;
const ASCENT = 1.069;

/** Draws a text that wraps, and returns its height. */
export function text(pdf: Pdf, value: string, place: Place, style: TextStyle): number {
  const { size: wanted, smallest = wanted, maxLines, weight, align } = style;
  const room = { width: place.width, size: wanted, smallest, maxLines };
  const { size, lines } = setText(printable(value), pdf.fonts[weight], room);
  pdf.fillColor(style.colour);
  for (const [index, line] of lines.entries()) {
    const free = place.width - (line.width * size) / 1000;
    const share = align === 'right' ? 1 : align === 'center' ? 0.5 : 0;
    // The feet of all scripts stand on one line, whatever their fonts' heights.
    drawLine(pdf, line, place.x + free * share, place.y + (index * LINE + ASCENT) * size, size);
  }
  return lines.length * LINE * size;
}

function drawLine(pdf: Pdf, line: Line, left: number, foot: number, size: number): void {
  let x = left;
  for (const { text: part, face, width } of joined(line.pieces)) {
    pdf.face(face, size).text(part, x, foot, { lineBreak: false, baseline: 'alphabetic' });
    x += (width * size) / 1000;
  }
}

/** Fewer and longer pieces: readers find a text whole. From right to left each word stays by itself. */
function joined(pieces: readonly Piece[]): Piece[] {
  const parts: Piece[] = [];
  for (const piece of pieces) {
    const last = parts.at(-1);
    if (last === undefined || last.face !== piece.face || last.rtl || piece.rtl) parts.push({ ...piece });
    else {
      last.text += piece.text;
      last.width += piece.width;
    }
  }
  return parts;
}

/** A small label above a value; returns the height of both. */
export function field(pdf: Pdf, label: string, value: string, place: Place, maxLines: number): number {
  const top = text(pdf, label, place, {
    weight: 'regular',
    size: LABEL_SIZE,
    colour: colours.quiet,
    maxLines: 1,
  });
  const below = { ...place, y: place.y + top };
  return (
    top +
    text(pdf, value, below, {
      weight: 'regular',
      size: VALUE_SIZE,
      smallest: SMALLEST_VALUE,
      colour: colours.ink,
      maxLines,
    })
  );
}

/** How many lines of a {@link field}'s value fit into a height; always one at least. */
export function linesIn(height: number): number {
  return Math.max(1, Math.floor((height - LABEL_SIZE * LINE) / (VALUE_SIZE * LINE)));
}

/** A thin line across a place. */
export function rule(pdf: Pdf, place: Place, colour = colours.line, weight = 0.75): void {
  pdf
    .moveTo(place.x, place.y)
    .lineTo(place.x + place.width, place.y)
    .lineWidth(weight)
    .strokeColor(colour)
    .stroke();
}

/** A frame with rounded corners. */
export function frame(
  pdf: Pdf,
  place: Place & { height: number },
  colour = colours.line,
  weight = 0.75,
): void {
  pdf
    .roundedRect(place.x, place.y, place.width, place.height, 4)
    .lineWidth(weight)
    .strokeColor(colour)
    .stroke();
}
