/** The mail that says: you have an account. */

import type { OfficeSettings } from '../office.ts';
import { writeLetter } from './letter.ts';
import type { MailText, Part } from './letter.ts';

/** Whose account, where to log in, and the first password, if the portal made one. */
export interface CreatedAccount {
  to: string;
  name: string;
  login_url?: string | undefined;
  default_password?: string | undefined;
}

export function accountCreatedMail(account: CreatedAccount, settings: OfficeSettings): MailText {
  const { to, name, login_url: link, default_password: password } = account;
  const news = `You now have an account with ${settings.appName}, the outpass system of ${settings.institutionName}. Log in with your mail address, ${to}.`;
  const parts: Part[] = [{ paragraph: `Hello ${name},` }, { paragraph: news }];
  if (password !== undefined) {
    parts.push(
      { code: password, label: 'Your first password' },
      { paragraph: 'Choose a password of your own when you log in, and then delete this mail.' },
    );
  }
  if (link !== undefined) parts.push({ link, label: 'Log in' });
  return writeLetter(
    {
      heading: `Your ${settings.appName} account is ready`,
      preview: news,
      parts,
      doubt: 'If you did not expect an account, tell your hostel’s office.',
    },
    settings,
  );
}
