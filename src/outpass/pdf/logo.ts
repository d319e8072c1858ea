/** Reads the institution's logo, or says why it cannot be printed. */

import { open } from 'node:fs/promises';

const LARGEST = 2 * 1024 * 1024;
const MOST_PIXELS = 4_000_000;
const PNG_SIGNATURE = '89504e470d0a1a0a';

/** The bytes of a PNG or JPEG of reasonable size; throws with the reason otherwise. */
export async function loadLogo(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size > LARGEST) throw new Error(`it has ${size} bytes; at most ${LARGEST} are printed`);
    const bytes = await handle.readFile();
    checkKind(bytes);
    return bytes;
  } finally {
    await handle.close();
  }
}

function checkKind(bytes: Buffer): void {
  if (bytes.subarray(0, 8).toString('hex') === PNG_SIGNATURE && bytes.length > 24) {
    // A small file may hold a vast picture, which would be unpacked in memory.
    const pixels = bytes.readUInt32BE(16) * bytes.readUInt32BE(20);
    if (pixels > MOST_PIXELS) throw new Error(`it has ${pixels} pixels; at most ${MOST_PIXELS} are printed`);
    return;
  }
  const jpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (!jpeg) throw new Error('it is neither PNG nor JPEG');
}
