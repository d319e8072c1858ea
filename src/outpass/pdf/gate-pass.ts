/** The gate pass: one A4 page that a guard can judge at arm's length. */

import { parseTime } from '../../engine/clock.ts';
import { fontStack } from '../font-folder.ts';
import { tellOffset } from '../../engine/zone.ts';
import { tellTime } from '../local-time.ts';
import type { OfficeSettings, PassDetails } from '../office.ts';
import { colours, field, frame, linesIn, Pdf, rule, text } from './blocks.ts';
import type { Place } from './blocks.ts';
import { gateLog, rules, windowBoxes } from './sections.ts';

/** All that the page shows. */
export interface GatePass {
  pass: PassDetails;
  settings: OfficeSettings;
  /** The QR code as PNG. */
  qr: Buffer;
  /** The logo as PNG or JPEG. */
  logo: Buffer | null;
}

const MARGIN = 42;
const WIDTH = 595.28 - 2 * MARGIN;
const QR_SIZE = 176;
/** The approval, the guard's entries and the rules begin no lower than here, so that they end above the footer. */
const LOWER_HALF = 596;
const FOOTER_Y = 806;

/** Draws the pass. The same input gives the same bytes: the document's date is that of the approval. */
export async function drawGatePass(input: GatePass): Promise<Buffer> {
  const { pass, settings } = input;
  const created = new Date(parseTime(pass.approvedAt ?? pass.leavesAt));
  const pdf = new Pdf(fontStack(settings.fontsFolder), {
    size: 'A4',
    // Blocks are placed by hand; a bottom margin would let the library start a second page.
    margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: 0 },
    // Its default font would need data files.
    font: null as unknown as string,
    lang: 'en',
    displayTitle: true,
    info: {
      Title: `Outpass ${pass.reference}`,
      Author: settings.institutionName,
      Creator: settings.appName,
      CreationDate: created,
      ModDate: created,
    },
  });
  const done = collected(pdf);
  drawPage(pdf, input);
  pdf.end();
  return done;
}

function drawPage(pdf: Pdf, { pass, settings, qr, logo }: GatePass): void {
  const across = (at: number): Place => ({ x: MARGIN, y: at, width: WIDTH });
  let y = header(pdf, settings, logo) + 12;
  y = title(pdf, pass, y) + 12;
  const studentEnd = student(pdf, pass, { x: MARGIN, y, width: WIDTH - QR_SIZE - 28 });
  y = Math.max(studentEnd, qrCode(pdf, qr, y)) + 12;
  y = windowBoxes(pdf, pass, settings.timeZone, across(y)) + 10;
  // What students write may be long; it gets what is left above the lower half.
  y += field(pdf, 'Destination', pass.destination, across(y), Math.min(2, linesIn(LOWER_HALF - 36 - y))) + 8;
  y += field(pdf, 'Purpose', pass.purpose, across(y), Math.min(6, linesIn(LOWER_HALF - 8 - y))) + 8;
  y += approval(pdf, pass, settings.timeZone, across(y)) + 12;
  y = gateLog(pdf, across(y)) + 12;
  rules(pdf, across(y));
  footer(pdf, pass, settings);
}

/** Logo, institution and address above a heavy line; returns where it ends. */
function header(pdf: Pdf, settings: OfficeSettings, logo: Buffer | null): number {
  const indent = logo === null ? 0 : 68;
  if (logo !== null) pdf.image(logo, MARGIN, MARGIN - 6, { fit: [56, 56], valign: 'center' });
  const place = { x: MARGIN + indent, y: MARGIN - 4, width: WIDTH - indent };
  const bold = { weight: 'bold', size: 16, smallest: 10, colour: colours.brand, maxLines: 2 } as const;
  let y = place.y + text(pdf, settings.institutionName, place, bold);
  const small = { weight: 'regular', size: 9, smallest: 7, colour: colours.quiet, maxLines: 2 } as const;
  if (settings.institutionAddress !== '') y += text(pdf, settings.institutionAddress, { ...place, y }, small);
  const end = Math.max(y, logo === null ? 0 : MARGIN + 50) + 8;
  rule(pdf, { x: MARGIN, y: end, width: WIDTH }, colours.brand, 2);
  return end;
}

/** The pass number as large as its length allows, its kind, and the stamp. */
function title(pdf: Pdf, pass: PassDetails, y: number): number {
  const stamp = 104;
  const place = { x: MARGIN, y, width: WIDTH - stamp - 16 };
  const quiet = { weight: 'regular', size: 10, colour: colours.quiet, maxLines: 1 } as const;
  let below = y + text(pdf, 'Hostel outpass', place, quiet);
  const size = pass.reference.length <= 18 ? 26 : 15;
  const number = { weight: 'bold', size, smallest: 9, colour: colours.ink, maxLines: 1 } as const;
  below += text(pdf, pass.reference, { ...place, y: below - size / 7 }, number) - size / 5;
  const kind = { weight: 'bold', size: 13, smallest: 8, colour: colours.brand, maxLines: 1 } as const;
  below += text(pdf, pass.kind, { ...place, y: below }, kind);
  const box = { x: MARGIN + WIDTH - stamp, y: y + 12, width: stamp, height: 28 };
  frame(pdf, box, colours.good, 1.5);
  const word = {
    weight: 'bold',
    size: 13,
    colour: colours.good,
    maxLines: 1,
    align: 'center',
  } as const;
  text(pdf, 'APPROVED', { ...box, y: box.y + 4.5 }, word);
  return below;
}

function student(pdf: Pdf, pass: PassDetails, place: Place): number {
  const { name, rollNumber, year, programme, hostel, room } = pass.student;
  const label = { weight: 'regular', size: 8.5, colour: colours.quiet, maxLines: 1 } as const;
  const large = { weight: 'bold', size: 15, smallest: 9, colour: colours.ink, maxLines: 2 } as const;
  let y = place.y + text(pdf, 'Student', place, label);
  y += text(pdf, name, { ...place, y }, large) + 8;
  const right = { x: place.x + place.width * 0.58, width: place.width * 0.42 };
  const left = { x: place.x, width: place.width * 0.58 - 14 };
  const pair = (a: readonly [string, string], b: readonly [string, string]): void => {
    const one = field(pdf, a[0], a[1], { ...left, y }, 2);
    y += Math.max(one, field(pdf, b[0], b[1], { ...right, y }, 2)) + 8;
  };
  pair(['Roll number', rollNumber], ['Year', year === null ? '–' : String(year)]);
  y += field(pdf, 'Programme', programme ?? '–', { ...place, y }, 2) + 8;
  pair(['Hostel', hostel ?? '–'], ['Room', room ?? '–']);
  return y - 8;
}

function qrCode(pdf: Pdf, qr: Buffer, y: number): number {
  const x = MARGIN + WIDTH - QR_SIZE;
  pdf.image(qr, x + 1, y + 1, { width: QR_SIZE - 2, height: QR_SIZE - 2 });
  frame(pdf, { x, y, width: QR_SIZE, height: QR_SIZE });
  const style = {
    weight: 'regular',
    size: 9,
    colour: colours.quiet,
    maxLines: 1,
    align: 'center',
  } as const;
  return (
    y +
    QR_SIZE +
    4 +
    text(pdf, 'Scan at the gate, out and in', { x, y: y + QR_SIZE + 4, width: QR_SIZE }, style)
  );
}

function approval(pdf: Pdf, pass: PassDetails, zone: string, place: Place): number {
  const split = place.width * 0.5 + 7;
  const who = pass.approvedBy ?? 'the hostel office';
  const left = field(pdf, 'Approved by', who, { ...place, width: split - 14 }, 1);
  if (pass.approvedAt === null) return left;
  const when = `${tellTime(pass.approvedAt, zone)} (${tellOffset(parseTime(pass.approvedAt), zone)})`;
  field(pdf, 'Approved at', when, { ...place, x: place.x + split, width: place.width - split }, 1);
  return left;
}

function footer(pdf: Pdf, pass: PassDetails, settings: OfficeSettings): void {
  rule(pdf, { x: MARGIN, y: FOOTER_Y, width: WIDTH });
  const style = { weight: 'regular', size: 7.5, colour: colours.quiet, maxLines: 1 } as const;
  const half = WIDTH / 2;
  text(
    pdf,
    `${pass.reference} · token ${pass.files.tokenId ?? ''}`,
    { x: MARGIN, y: FOOTER_Y + 4, width: half },
    style,
  );
  const right = { x: MARGIN + half, y: FOOTER_Y + 4, width: half };
  text(pdf, `Issued by ${settings.appName}`, right, { ...style, align: 'right' });
}

function collected(pdf: Pdf): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    pdf.on('data', (part: Buffer) => parts.push(part));
    pdf.on('end', () => resolve(Buffer.concat(parts)));
    pdf.on('error', reject);
  });
}
