/** The mail that says: your account is gone. */

import type { OfficeSettings } from '../office.ts';
import { writeLetter } from './letter.ts';
import type { MailText } from './letter.ts';

/** Whose account it was, and whom to write to. */
export interface RemovedAccount {
  to: string;
  name: string;
  support_email?: string | undefined;
}

export function accountRemovedMail(account: RemovedAccount, settings: OfficeSettings): MailText {
  const { to, name, support_email: support } = account;
  const news = `Your account with ${settings.appName} (${to}) has been removed. You can no longer log in.`;
  const whom = support === undefined ? 'ask your hostel’s office' : `write to ${support}`;
  return writeLetter(
    {
      heading: `Your ${settings.appName} account has been removed`,
      preview: news,
      parts: [
        { paragraph: `Hello ${name},` },
        { paragraph: news },
        { paragraph: `If you think that this is a mistake, ${whom}.` },
      ],
      doubt: 'This is the last mail to this account.',
    },
    settings,
  );
}
