/** The mail that asks a parent. Opening the link decides nothing: mail programs open links on their own. */

import { tellTime, tellZone } from '../local-time.ts';
import type { OfficeSettings, PassDetails } from '../office.ts';
import { writeLetter } from './letter.ts';
import type { MailText } from './letter.ts';
import { passFacts, passPreview, passSubject } from './pass-facts.ts';

/** `link` can be used until `expiresAt`, UTC text. */
export function parentMail(
  pass: PassDetails,
  settings: OfficeSettings,
  { link, expiresAt }: { link: string; expiresAt: string },
): MailText {
  const { student } = pass;
  const zone = settings.timeZone;
  const until = `${tellTime(expiresAt, zone)} (${tellZone(expiresAt, zone)})`;
  const heading = `May ${student.name} leave the hostel?`;
  return writeLetter(
    {
      heading,
      subject: passSubject(heading, pass, settings),
      preview: passPreview(pass, settings),
      parts: [
        { paragraph: `Dear parent of ${student.name},` },
        {
          paragraph: `${student.name} (${student.rollNumber}) asks for an outpass (${pass.kind}). We need your yes or no:`,
        },
        { facts: passFacts(pass, settings, [['Hostel', student.hostel]]) },
        { link, label: 'Answer on this page' },
        {
          paragraph: `The link is yours alone and can be answered once, until ${until}. Please do not pass it on.`,
        },
      ],
      doubt: 'If you are not this student’s parent, please ignore this mail.',
    },
    settings,
  );
}
