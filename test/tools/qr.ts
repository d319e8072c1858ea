/** Reads QR codes with a library that had no part in making them. */

import jsqr from 'jsqr';
import { PNG } from 'pngjs';

import type { Picture } from './pdf.ts';

// The package is CommonJS whose default export its types place one level too high.
const decode = jsqr as unknown as typeof jsqr.default;

/** The text in a picture's QR code. */
export function readQr(picture: Picture): string | undefined {
  return decode(picture.rgba, picture.width, picture.height)?.data;
}

/** The text in a PNG's QR code. */
export function readQrPng(bytes: Buffer): string | undefined {
  const { width, height, data } = PNG.sync.read(bytes);
  return readQr({ width, height, rgba: new Uint8ClampedArray(data) });
}
