/** The QR code in a mail, and what to do with it. */

import type { Part } from './letter.ts';
import { QR_CID } from './pass-facts.ts';

/** The attached code, shown. */
export function qrPicture(reference: string): Part {
  return {
    picture: QR_CID,
    alt: `QR code of outpass ${reference}; it is also in the attached document`,
  };
}

/** Said in words too: some mail programs show no pictures. */
export const qrAdvice: Part = {
  paragraph:
    'Show the QR code at the gate when you leave and when you come back, on your phone or on the attached document.',
};
