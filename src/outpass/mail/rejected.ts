/** The mail that says: your outpass is rejected, and why, where the warden gave a reason. */

import type { OfficeSettings, PassDetails } from '../office.ts';
import { writeLetter } from './letter.ts';
import type { MailText } from './letter.ts';
import { PASS_DOUBT, passFacts, passSubject } from './pass-facts.ts';

export function rejectedMail(pass: PassDetails, settings: OfficeSettings): MailText {
  const heading = `Outpass ${pass.reference} is rejected`;
  const news = `Your outpass (${pass.kind}) has been rejected.`;
  return writeLetter(
    {
      heading,
      subject: passSubject(heading, pass, settings),
      preview: pass.remarks ?? news,
      parts: [
        { paragraph: `Hello ${pass.student.name},` },
        { paragraph: news },
        { facts: passFacts(pass, settings, [['Reason', pass.remarks]]) },
        { paragraph: 'Please do not leave on this pass. If you have questions, talk to your warden.' },
      ],
      doubt: PASS_DOUBT,
    },
    settings,
  );
}
