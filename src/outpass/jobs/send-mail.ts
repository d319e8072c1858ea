/** What all jobs that send a mail have in common: their patience, their share of the workers, and their result. */

import { discard, snooze } from '../../engine/handler.ts';
import type { JobOptions, MailMessage } from '../../engine/handler.ts';
import { type MailPurpose, sendOnce } from '../mail/send-once.ts';
import type { OfficeContext } from '../office.ts';

/**
 * A mail server may be down for hours: the job waits for it and spends no attempt, see `mail/patience.ts`. One try takes
 * four minutes at the worst, see the mailer's own limits.
 *
 * While a server hangs, each mail holds a worker for that long, and a morning's approvals are many mails. Four at once
 * leave more than half of the default ten workers to other jobs, and are fast enough: some 40 mails a second.
 */
export const mailOptions = { timeout: '5m', concurrency: 4 } as const satisfies JobOptions;

/** Account mails come one by one, and stand back behind the passes: one at once of each type. */
export const accountMailOptions = { ...mailOptions, concurrency: 1 } as const satisfies JobOptions;

/** How a mail left; `via` is `smtp` or `outbox`. */
export interface MailResult {
  message_id: string;
  via: string;
  response: string;
}

/** Sends the only mail of a job, or lets the job wait for its server. */
export async function sendMail(
  context: OfficeContext,
  purpose: MailPurpose,
  message: MailMessage & { to: string },
): Promise<MailResult> {
  const sending = await sendOnce(context, purpose, message);
  switch (sending.state) {
    case 'sent': {
      const { messageId, via, response } = sending.receipt;
      return { message_id: messageId, via, response };
    }
    case 'waits':
      return snooze(sending.delay, sending.reason);
    case 'failed':
      return discard(sending.reason);
  }
}
