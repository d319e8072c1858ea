/** SendOutpassEmail: tells the student that the pass is approved, with the document and the QR code attached. */

import { discard } from '../../engine/handler.ts';
import type { JobDefinition, MailMessage, MailReceipt } from '../../engine/handler.ts';
import { downloadName } from '../files.ts';
import type { OfficeContext } from '../office.ts';
import { approvedPass } from './approved-pass.ts';
import { currentQr } from './pass-file.ts';
import { outpassPayload } from './payload.ts';
import type { OutpassPayload } from './payload.ts';

/**
 * Patient, because a mail server may be down for hours: with these waits the attempts last about a day.
 * What the server refuses for good fails at once.
 */
export const sendOutpassEmail: JobDefinition<OutpassPayload, OfficeContext> = {
  type: 'SendOutpassEmail',
  timeout: '5m',
  maxAttempts: 40,
  backoff: { base: '30s', factor: 2, max: '1h' },
  schema: outpassPayload,
  async handle({ outpass_id: id }, context) {
    const pass = await approvedPass(id, context);
    const qr = currentQr(pass);
    const { document } = pass.files;
    if (document === null) {
      discard(`Outpass #${id} has no document yet: GenerateOutpassPdf must complete first.`);
    }
    const { approvedMail, QR_CID } = await import('../mail/approved.ts');
    const { messageId, via, response } = await send(context, {
      to: pass.student.email,
      ...approvedMail(pass, await context.office.settings()),
      attachments: [
        { filename: downloadName(pass.reference, 'pdf'), path: document, contentType: 'application/pdf' },
        { filename: downloadName(pass.reference, 'png'), path: qr, contentType: 'image/png', cid: QR_CID },
      ],
    });
    return { message_id: messageId, via, response };
  },
};

async function send(context: OfficeContext, message: MailMessage): Promise<MailReceipt> {
  try {
    return await context.mail(message);
  } catch (error) {
    if (error instanceof Error && 'permanent' in error && error.permanent === true) discard(error.message);
    throw error;
  }
}
