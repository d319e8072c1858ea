/** The three mails about an account. The portal says whom and what: the account may be gone by the time it is read. */

import type { JobDefinition } from '../../engine/handler.ts';
import type { CreatedAccount } from '../mail/account-created.ts';
import type { RemovedAccount } from '../mail/account-removed.ts';
import type { PasswordReset } from '../mail/password-reset.ts';
import type { OfficeContext } from '../office.ts';
import { createdPayload, removedPayload, resetPayload } from './account-payload.ts';
import { accountMailOptions, sendMail } from './send-mail.ts';

export const sendAccountCreationEmail: JobDefinition<CreatedAccount, OfficeContext> = {
  type: 'SendAccountCreationEmail',
  ...accountMailOptions,
  schema: createdPayload,
  redact: ['default_password'],
  async handle(account, context) {
    const { accountCreatedMail } = await import('../mail/account-created.ts');
    const text = accountCreatedMail(account, await context.office.settings());
    return sendMail(context, { kind: 'account_created' }, { to: account.to, ...text });
  },
};

export const sendAccountDeletionEmail: JobDefinition<RemovedAccount, OfficeContext> = {
  type: 'SendAccountDeletionEmail',
  ...accountMailOptions,
  schema: removedPayload,
  async handle(account, context) {
    const { accountRemovedMail } = await import('../mail/account-removed.ts');
    const text = accountRemovedMail(account, await context.office.settings());
    return sendMail(context, { kind: 'account_removed' }, { to: account.to, ...text });
  },
};

/** As patient as the link works: one that has expired on its way only confuses. */
export const sendPasswordResetEmail: JobDefinition<PasswordReset, OfficeContext> = {
  type: 'SendPasswordResetEmail',
  ...accountMailOptions,
  schema: resetPayload,
  redact: ['reset_link'],
  async handle(reset, context) {
    const { LINK_MINUTES, passwordResetMail } = await import('../mail/password-reset.ts');
    const text = passwordResetMail(reset, await context.office.settings());
    const patience = (reset.expires_minutes ?? LINK_MINUTES) * 60_000;
    return sendMail(context, { kind: 'password_reset', patience }, { to: reset.to, ...text });
  },
};
