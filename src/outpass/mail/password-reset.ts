/** The mail that brings the link to choose a new password. */

import type { OfficeSettings } from '../office.ts';
import { writeLetter } from './letter.ts';
import type { MailText } from './letter.ts';
import { counted } from '../../engine/units.ts';

/** How long a link works where the portal does not say. */
export const LINK_MINUTES = 60;

/** Who asked, the portal's link, and how long it works. */
export interface PasswordReset {
  to: string;
  name?: string | undefined;
  reset_link: string;
  /** {@link LINK_MINUTES} where the portal does not say. */
  expires_minutes?: number | undefined;
}

/** The preview says nothing of the link: lock screens show it. */
export function passwordResetMail(reset: PasswordReset, settings: OfficeSettings): MailText {
  const { name, reset_link: link, expires_minutes: minutes = LINK_MINUTES } = reset;
  const lasts = counted(minutes, 'minute');
  return writeLetter(
    {
      heading: 'Choose a new password',
      subject: `Reset your ${settings.appName} password`,
      preview: `Somebody, probably you, asked for a new ${settings.appName} password.`,
      parts: [
        { paragraph: name === undefined ? 'Hello,' : `Hello ${name},` },
        { paragraph: `You asked for a new ${settings.appName} password. Choose it on this page:` },
        { link, label: 'Choose a new password' },
        { paragraph: `The link works once, for ${lasts} from when you asked. Give it to nobody.` },
      ],
      doubt: 'If you did not ask for this, ignore this mail: your password stays as it is.',
    },
    settings,
  );
}
