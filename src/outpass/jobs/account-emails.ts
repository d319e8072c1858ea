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

/**
 * Patient for an hour at most: a link that has expired on its way only confuses, and the sooner the job ends, the
 * sooner its secret leaves the queue.
 */
export const sendPasswordResetEmail: JobDefinition<PasswordReset, OfficeContext> = {
  type: 'SendPasswordResetEmail',
  ...accountMailOptions,
  maxAttempts: 12,
  backoff: { base: '10s', factor: 2, max: '10m' },
  schema: resetPayload,
  redact: ['reset_link'],
  async handle(reset, context) {
    const { passwordResetMail } = await import('../mail/password-reset.ts');
    const text = passwordResetMail(reset, await context.office.settings());
    return sendMail(context, { kind: 'password_reset' }, { to: reset.to, ...text });
  },
};
