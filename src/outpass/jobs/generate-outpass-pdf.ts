/** GenerateOutpassPdf: the gate pass on one A4 page. */

import type { HandlerContext, JobDefinition } from '../../engine/handler.ts';
import { documentFile } from '../files.ts';
import type { OfficeContext } from '../office.ts';
import type { Unshown } from '../pdf/unshown.ts';
import { approvedPass } from './approved-pass.ts';
import { currentQr, readPassFile } from './pass-file.ts';
import { outpassPayload } from './payload.ts';
import type { OutpassPayload } from './payload.ts';

/** Run twice, it writes the same bytes to the same file. */
export const generateOutpassPdf: JobDefinition<OutpassPayload, OfficeContext> = {
  type: 'GenerateOutpassPdf',
  timeout: '2m',
  schema: outpassPayload,
  async handle({ outpass_id: id }, context) {
    const pass = await approvedPass(id, context);
    const [qr, settings, { drawGatePass }, { findUnshown }] = await Promise.all([
      readPassFile(currentQr(pass), 'GenerateQrCode', context),
      context.office.settings(),
      import('../pdf/gate-pass.ts'),
      import('../pdf/unshown.ts'),
    ]);
    const logo = settings.brandLogo === null ? null : await readLogo(settings.brandLogo, context);
    const path = documentFile(id);
    await context.files.write(path, await drawGatePass({ pass, settings, qr, logo }));
    await context.office.saveFiles(id, { document: path });
    const unshown = findUnshown(pass, settings);
    report(unshown, pass.reference, context);
    return unshown.length === 0 ? { path } : { path, unshown };
  },
};

/** A box in a name is no reason to keep a student in either, but somebody must hear of it. */
function report(unshown: readonly Unshown[], pass: string, { log }: HandlerContext): void {
  for (const { field, characters } of unshown) {
    log.warn('No font can show these characters: they are boxes in the gate pass.', {
      pass,
      field,
      characters,
      hint: 'PASSITO_FONTS names a folder of fonts for other scripts',
    });
  }
}

/** A logo that cannot be read is no reason to keep a student in. */
async function readLogo(file: string, { log }: HandlerContext): Promise<Buffer | null> {
  const { loadLogo } = await import('../pdf/logo.ts');
  try {
    return await loadLogo(file);
  } catch (error) {
    log.warn('The logo is left out of the gate pass.', { logo: file, reason: String(error) });
    return null;
  }
}
