/** What all jobs that send a mail have in common: their patience, their share of the workers, and their result. */

import { discard } from '../../engine/handler.ts';
import type { JobOptions, MailMessage } from '../../engine/handler.ts';
import { isPermanent, type MailPurpose, sendOnce } from '../mail/send-once.ts';
import type { OfficeContext } from '../office.ts';

/**
 * A mail server may be down for hours: with these waits the attempts last about a day. One attempt takes a minute or so
 * at the worst, see the mailer's own limits.
 *
 * While a server hangs, each mail holds a worker for that long, and a morning's approvals are many mails. Four at once
 * leave more than half of the default ten workers to other jobs, and are fast enough: some 40 mails a second.
 */
export const mailOptions = {
  timeout: '5m',
  maxAttempts: 40,
  backoff: { base: '30s', factor: 2, max: '1h' },
  concurrency: 4,
} as const satisfies JobOptions;

/** Account mails come one by one, and stand back behind the passes: one at once of each type. */
export const accountMailOptions = { ...mailOptions, concurrency: 1 } as const satisfies JobOptions;

/** How a mail left; `via` is `smtp` or `outbox`. */
export interface MailResult {
  message_id: string;
  via: string;
  response: string;
}

/** Sends the only mail of a job. What is refused for good is given up at once; anything else is thrown, and so tried again. */
export async function sendMail(
  context: OfficeContext,
  purpose: MailPurpose,
  message: MailMessage & { to: string },
): Promise<MailResult> {
  try {
    const { messageId, via, response } = await sendOnce(context, purpose, message);
    return { message_id: messageId, via, response };
  } catch (error) {
    if (isPermanent(error)) discard((error as Error).message);
    throw error;
  }
}
