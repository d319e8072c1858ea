/** The lower half of the gate pass: the window, the guard's entries, the rules. */

import { tellClock, tellDate, tellZone } from '../local-time.ts';
import type { PassDetails } from '../office.ts';
import { colours, frame, rule, text } from './blocks.ts';
import type { Pdf, Place } from './blocks.ts';
import { gateRules } from './rules.ts';

const label = { weight: 'regular', size: 8.5, colour: colours.quiet, maxLines: 1 } as const;

/** Two boxes, out and back, with the zone of each: its offset may change while the student is away. */
export function windowBoxes(pdf: Pdf, pass: PassDetails, zone: string, place: Place): number {
  const gap = 14;
  const width = (place.width - gap) / 2;
  const height = 74;
  const boxes = [
    ['OUT, not before', pass.leavesAt, place.x],
    ['IN, not later than', pass.returnsAt, place.x + width + gap],
  ] as const;
  for (const [title, at, x] of boxes) {
    pdf.roundedRect(x, place.y, width, height, 4).fill('#f1f4f8');
    frame(pdf, { x, y: place.y, width, height });
    const inside = { x: x + 12, y: place.y + 7, width: width - 24 };
    text(pdf, title, inside, { ...label, colour: colours.brand });
    const bold = { weight: 'bold', colour: colours.ink, maxLines: 1 } as const;
    text(pdf, tellClock(at, zone), { ...inside, y: place.y + 18 }, { ...bold, size: 19 });
    text(pdf, tellDate(at, zone), { ...inside, y: place.y + 42 }, { ...bold, size: 11 });
    text(pdf, tellZone(at, zone), { ...inside, y: place.y + 57 }, label);
  }
  return place.y + height;
}

/** Lines that the guard fills in by hand where no reader is at hand. */
export function gateLog(pdf: Pdf, place: Place): number {
  const columns = ['At the gate', 'Date and time', 'Guard’s name', 'Signature'];
  const widths = [0.16, 0.28, 0.28, 0.28].map((share) => share * place.width);
  const headHeight = 18;
  const rowHeight = 26;
  const height = headHeight + 2 * rowHeight;
  const cell = { weight: 'regular', size: 8.5, colour: colours.quiet, maxLines: 1 } as const;
  frame(pdf, { ...place, height });
  let x = place.x;
  for (const [index, width] of widths.entries()) {
    text(pdf, columns[index] ?? '', { x: x + 8, y: place.y + 3, width: width - 12 }, cell);
    if (index > 0) {
      pdf
        .moveTo(x, place.y)
        .lineTo(x, place.y + height)
        .lineWidth(0.75)
        .strokeColor(colours.line)
        .stroke();
    }
    x += width;
  }
  for (const [index, name] of ['Out', 'In'].entries()) {
    const y = place.y + headHeight + index * rowHeight;
    rule(pdf, { ...place, y });
    const bold = { weight: 'bold', size: 10.5, colour: colours.ink, maxLines: 1 } as const;
    text(pdf, name, { x: place.x + 8, y: y + 6, width: (widths[0] ?? 0) - 12 }, bold);
  }
  return place.y + height;
}

/** The rules, numbered. */
export function rules(pdf: Pdf, place: Place): number {
  let y =
    place.y + text(pdf, 'Rules', place, { ...label, weight: 'bold', size: 9, colour: colours.brand }) + 2;
  for (const [index, line] of gateRules.entries()) {
    const style = { weight: 'regular', size: 8.5, colour: colours.ink, maxLines: 2 } as const;
    text(pdf, `${index + 1}.`, { x: place.x, y, width: 14 }, style);
    y += text(pdf, line, { x: place.x + 14, y, width: place.width - 14 }, style) + 2;
  }
  return y;
}
