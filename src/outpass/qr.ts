/** Draws a token as a PNG that cheap readers and creased paper do not spoil. */

import { crc32, deflateSync } from 'node:zlib';

import QRCode from 'qrcode';

/** Of the light frame, in modules: the standard's quiet zone. */
const MARGIN = 4;
/** Of a module, in dots. */
const SCALE = 6;

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** PNG's row filters: as it is, and as the difference from the row above. */
const AS_IS = 0;
const LIKE_ABOVE = 2;

/**
 * The PNG of a QR code with error correction H (30 % of it may be lost). The same text gives the same bytes. The
 * library's own PNG writer took two thirds of the time, as it draws in colour and packs dot by dot.
 */
export async function drawQr(text: string): Promise<Buffer> {
  const { modules } = QRCode.create(text, { errorCorrectionLevel: 'H' });
  const { size } = modules;
  const width = (size + 2 * MARGIN) * SCALE;
  // Grey, a byte a dot, since the PDF takes that as it is; a row begins with its filter.
  const rows = Buffer.alloc(width * (width + 1), 0);
  const light = Buffer.alloc(width, 255);
  for (let y = 0; y < size + 2 * MARGIN; y += 1) {
    let at = y * SCALE * (width + 1);
    rows[at] = AS_IS;
    at += 1;
    light.copy(rows, at);
    const row = y - MARGIN;
    const inside = row >= 0 && row < size;
    for (let x = 0; x < (inside ? size : 0); x += 1) {
      const start = at + (x + MARGIN) * SCALE;
      if (modules.get(row, x) !== 0) rows.fill(0, start, start + SCALE);
    }
    for (let more = 1; more < SCALE; more += 1) rows[(y * SCALE + more) * (width + 1)] = LIKE_ABOVE;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(width, 4);
  // Eight bits a dot; colour type, packing, filters and interlacing are all 0.
  head[8] = 8;
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    // The best compression would take four times as long for a fifth of the bytes.
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(name, 4, 'latin1');
  data.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, data.length + 8)), data.length + 8);
  return bytes;
}
