/** Reads a file that an earlier job of the chain made. */

import { discard } from '../../engine/handler.ts';
import { tokenIdOf } from '../token.ts';
import type { OfficeContext, PassDetails } from '../office.ts';

/**
 * The path of the pass's QR code. The record decides, not a parent's result: a chain put together by hand may hang
 * on another pass's job. A code made before the pass changed is refused, since a guard would read the old window.
 */
export function currentQr(pass: PassDetails): string {
  const { qr, tokenId } = pass.files;
  if (qr === null) discard(`Outpass #${pass.id} has no QR code yet: GenerateQrCode must complete first.`);
  if (tokenId !== tokenIdOf(pass)) {
    discard(
      `The QR code of outpass #${pass.id} is older than its last change: dispatch GenerateQrCode again.`,
    );
  }
  return qr;
}

/** The bytes of a pass's file. A missing file does not come back by waiting, so the job is given up. */
export async function readPassFile(name: string, maker: string, context: OfficeContext): Promise<Buffer> {
  try {
    return await context.files.read(name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      discard(`The file ${name} is missing: dispatch ${maker} again.`);
    }
    throw error;
  }
}
