/** The mail that says: your outpass is approved. */

import type { OfficeSettings, PassDetails } from '../office.ts';
import { writeLetter } from './letter.ts';
import type { MailText } from './letter.ts';
import { PASS_DOUBT, passFacts, passPreview, passSubject } from './pass-facts.ts';
import { qrAdvice, qrPicture } from './qr-part.ts';

export function acceptedMail(pass: PassDetails, settings: OfficeSettings): MailText {
  const heading = `Outpass ${pass.reference} is approved`;
  return writeLetter(
    {
      heading,
      subject: passSubject(heading, pass, settings),
      preview: passPreview(pass, settings),
      parts: [
        { paragraph: `Hello ${pass.student.name},` },
        { paragraph: `Your outpass (${pass.kind}) has been approved.` },
        {
          facts: passFacts(pass, settings, [
            ['Approved by', pass.approvedBy],
            ['Remarks', pass.remarks],
          ]),
        },
        qrPicture(pass.reference),
        qrAdvice,
      ],
      doubt: PASS_DOUBT,
    },
    settings,
  );
}
