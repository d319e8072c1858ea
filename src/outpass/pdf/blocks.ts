/** The pieces that the gate pass is drawn from. Each is told where it stands and says how high it became. */

import type PdfKit from 'pdfkit';

import type { FontName } from '../fonts.ts';

/** A PDF being drawn. */
export type Pdf = InstanceType<typeof PdfKit>;

/** Where a block stands and how wide it may be, in points. */
export interface Place {
  x: number;
  y: number;
  width: number;
}

/** How a text looks. */
export interface TextStyle {
  font: FontName;
  size: number;
  colour: string;
  /** Lines after which the rest is cut off with an ellipsis. */
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

/** Draws a text that wraps, and returns its height. */
export function text(pdf: Pdf, value: string, place: Place, style: TextStyle): number {
  pdf.font(style.font, style.size).fillColor(style.colour);
  const shown = printable(value);
  const lineHeight = pdf.currentLineHeight(true);
  const options = { width: place.width, align: style.align ?? 'left' } as const;
  const height = Math.min(pdf.heightOfString(shown, options), lineHeight * style.maxLines);
  // The library drops a line that touches the limit exactly, hence the hair's breadth.
  pdf.text(shown, place.x, place.y, { ...options, height: height + 0.01, ellipsis: true });
  return height;
}

/** A small label above a value; returns the height of both. */
export function field(pdf: Pdf, label: string, value: string, place: Place, maxLines: number): number {
  const top = text(pdf, label, place, {
    font: 'NotoSans-Regular',
    size: LABEL_SIZE,
    colour: colours.quiet,
    maxLines: 1,
  });
  const below = { ...place, y: place.y + top };
  return (
    top +
    text(pdf, value, below, { font: 'NotoSans-Regular', size: VALUE_SIZE, colour: colours.ink, maxLines })
  );
}

/** How many lines of a {@link field}'s value fit into a height; always one at least. */
export function linesIn(pdf: Pdf, height: number): number {
  const label = pdf.font('NotoSans-Regular', LABEL_SIZE).currentLineHeight(true);
  const line = pdf.font('NotoSans-Regular', VALUE_SIZE).currentLineHeight(true);
  return Math.max(1, Math.floor((height - label) / line));
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

/** Values come from forms: control characters have no shape, marks that turn the reading direction could mislead. */
function printable(value: string): string {
  return value
    .replaceAll(/\s*\n\s*/g, '\n')
    .replaceAll(/[[\p{Cc}\u202a-\u202e\u2066-\u2069]--[\n]]+/gv, ' ')
    .trim();
}
