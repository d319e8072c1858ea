/** GenerateQrCode: a signed token for the pass, as PNG. */

import type { JobDefinition } from '../../engine/handler.ts';
import { qrFile } from '../files.ts';
import type { OfficeContext } from '../office.ts';
import { approvedPass } from './approved-pass.ts';
import { outpassPayload } from './payload.ts';
import type { OutpassPayload } from './payload.ts';

/** Run twice, it writes the same bytes to the same file. */
export const generateQrCode: JobDefinition<OutpassPayload, OfficeContext> = {
  type: 'GenerateQrCode',
  timeout: '1m',
  schema: outpassPayload,
  async handle({ outpass_id: id }, context) {
    const pass = await approvedPass(id, context);
    const [{ lateGrace }, { passClaims, signToken }, { drawQr }] = await Promise.all([
      context.office.settings(),
      import('../token.ts'),
      import('../qr.ts'),
    ]);
    const claims = passClaims(pass, lateGrace);
    const png = await drawQr(signToken(claims, await context.office.signingKey()));
    const path = qrFile(id);
    await context.files.write(path, png);
    await context.office.saveFiles(id, { qr: path, tokenId: claims.jti });
    return { path, token_id: claims.jti };
  },
};
