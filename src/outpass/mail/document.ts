/** The mail that brings the document of an approved outpass, once more or after a change. */

import type { OfficeSettings, PassDetails } from '../office.ts';
import { writeLetter } from './letter.ts';
import type { MailText } from './letter.ts';
import { PASS_DOUBT, passFacts, passPreview, passSubject } from './pass-facts.ts';
import { qrAdvice, qrPicture } from './qr-part.ts';

export function documentMail(pass: PassDetails, settings: OfficeSettings): MailText {
  const heading = `Document of outpass ${pass.reference}`;
  return writeLetter(
    {
      heading,
      subject: passSubject(heading, pass, settings),
      preview: passPreview(pass, settings),
      parts: [
        { paragraph: `Hello ${pass.student.name},` },
        {
          paragraph: `Here is the document of your outpass (${pass.kind}). If you have an older one, use this one instead.`,
        },
        { facts: passFacts(pass, settings, [['Approved by', pass.approvedBy]]) },
        qrPicture(pass.reference),
        qrAdvice,
      ],
      doubt: PASS_DOUBT,
    },
    settings,
  );
}
