/** SendOutpassEmail: tells the student how an outpass was decided, or brings its document. */

import { discard } from '../../engine/handler.ts';
import type { JobDefinition, MailAttachment } from '../../engine/handler.ts';
import { downloadName } from '../files.ts';
import type { MailText } from '../mail/letter.ts';
import type { OfficeContext, OfficeSettings, PassDetails } from '../office.ts';
import { approvedPass, passThatIs } from './approved-pass.ts';
import { currentQr } from './pass-file.ts';
import { outpassMailPayload } from './payload.ts';
import type { OutpassMailPayload } from './payload.ts';
import { mailOptions, sendMail } from './send-mail.ts';

/** A mail about a pass as it stands now: one that was decided otherwise meanwhile is given up. */
export const sendOutpassEmail: JobDefinition<OutpassMailPayload, OfficeContext> = {
  type: 'SendOutpassEmail',
  ...mailOptions,
  schema: outpassMailPayload,
  async handle({ outpass_id: id, kind = 'accepted' }, context) {
    const pass =
      kind === 'rejected' ? await passThatIs('rejected', id, context) : await approvedPass(id, context);
    const attachments = kind === 'rejected' ? [] : await passFiles(pass);
    const text = (await writers[kind]())(pass, await context.office.settings());
    return sendMail(context, { kind, outpassId: id }, { to: pass.student.email, ...text, attachments });
  },
};

type Writer = (pass: PassDetails, settings: OfficeSettings) => MailText;

/** Loaded at the first mail of a kind. */
const writers: Record<NonNullable<OutpassMailPayload['kind']>, () => Promise<Writer>> = {
  accepted: async () => (await import('../mail/accepted.ts')).acceptedMail,
  rejected: async () => (await import('../mail/rejected.ts')).rejectedMail,
  document: async () => (await import('../mail/document.ts')).documentMail,
};

/** The document and the QR code; without them the mail would be of no use at the gate. */
async function passFiles(pass: PassDetails): Promise<MailAttachment[]> {
  const { QR_CID } = await import('../mail/pass-facts.ts');
  const qr = currentQr(pass);
  const { document } = pass.files;
  if (document === null) {
    discard(`Outpass #${pass.id} has no document yet: GenerateOutpassPdf must complete first.`);
  }
  return [
    { filename: downloadName(pass.reference, 'pdf'), path: document, contentType: 'application/pdf' },
    { filename: downloadName(pass.reference, 'png'), path: qr, contentType: 'image/png', cid: QR_CID },
  ];
}
