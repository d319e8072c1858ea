/**
 * Sending a mail that must not be sent twice. The ledger is written before the server is asked and after it has
 * answered. So a retry, for whatever reason, does not send again what a server has taken. Only a kill between the
 * server's yes and the second write leaves doubt; then it is sent again, under the same Message-ID, and counted.
 */

import type { MailMessage, MailReceipt } from '../../engine/handler.ts';
import type { OfficeContext } from '../office.ts';

/** What the ledger is told of a mail beside the mail itself. */
export interface MailPurpose {
  kind: string;
  outpassId?: number;
  key?: string;
}

/**
 * Sends a mail to one person, at most once as far as anybody can know.
 * Throws what the mailer throws; `permanent` on the error says that trying again is in vain.
 */
export async function sendOnce(
  context: OfficeContext,
  { kind, outpassId, key = '1' }: MailPurpose,
  message: MailMessage & { to: string },
): Promise<MailReceipt> {
  const { office, id: jobId } = context;
  const { to, subject } = message;
  const entry = { jobId, key, kind, outpassId: outpassId ?? null, to, subject };
  const { receipt: before, inDoubt } = await office.mailBegins(entry);
  if (before !== null) return before;
  if (inDoubt) {
    context.log.warn(
      'the mail server may have taken this mail before: it is sent again, under the same Message-ID',
    );
  }
  let receipt: MailReceipt;
  try {
    receipt = await context.mail({ ...message, key });
  } catch (error) {
    await office.mailRefused(
      entry,
      error instanceof Error ? error.message : String(error),
      isPermanent(error),
    );
    throw error;
  }
  await office.mailTaken(entry, receipt);
  return receipt;
}

/** Whether the same mail would be refused again. */
export function isPermanent(error: unknown): boolean {
  return error instanceof Error && 'permanent' in error && error.permanent === true;
}
