/**
 * Sending a mail that must not be sent twice. The ledger is written before the server is asked and after it has
 * answered. So a retry, for whatever reason, does not send again what a server has taken. Only a kill between the
 * server's yes and the second write leaves doubt; then it is sent again, under the same Message-ID, and counted.
 */

import type { MailMessage, MailReceipt } from '../../engine/handler.ts';
import type { OfficeContext } from '../office.ts';
import { givenUp, LONGEST_PATIENCE } from './patience.ts';

/** What the ledger is told of a mail beside the mail itself. */
export interface MailPurpose {
  kind: string;
  outpassId?: number;
  key?: string;
  /** For how long the mail is of use, in milliseconds from its first try; a day, and no longer, unless told. */
  patience?: number;
  /** When it is of use no more, in milliseconds since 1970. */
  until?: number;
}

/** What became of a mail. */
export type Sending =
  | { state: 'sent'; receipt: MailReceipt }
  /** Not taken now, but it may be in `delay` milliseconds. */
  | { state: 'waits'; delay: number; reason: string }
  /** Refused for good, or not taken for as long as it is of use. */
  | { state: 'failed'; reason: string };

/**
 * Sends a mail to one person, at most once as far as anybody can know. Faults of the mail and of its server are
 * answers; what else goes wrong is thrown.
 */
export async function sendOnce(
  context: OfficeContext,
  { kind, outpassId, key = '1', patience = LONGEST_PATIENCE, until }: MailPurpose,
  message: MailMessage & { to: string },
): Promise<Sending> {
  const { office, id: jobId, attempt, maxAttempts } = context;
  const { to, subject } = message;
  const entry = { jobId, key, kind, outpassId: outpassId ?? null, to, subject };
  const { receipt: before, inDoubt } = await office.mailBegins(entry);
  if (before !== null) return { state: 'sent', receipt: before };
  if (inDoubt) {
    context.log.warn(
      'the mail server may have taken this mail before: it is sent again, under the same Message-ID',
    );
  }
  let receipt: MailReceipt;
  try {
    receipt = await context.mail({ ...message, key });
  } catch (error) {
    const answer = error instanceof Error ? error.message : String(error);
    const permanent = isPermanent(error);
    // A fault of the code is tried again as far as the job's attempts go.
    const final = permanent ?? attempt >= maxAttempts;
    const verdict = await office.mailRefused(entry, {
      answer,
      final,
      patience: Math.min(patience, LONGEST_PATIENCE),
      until,
    });
    if (permanent === undefined) throw error;
    if (permanent) return { state: 'failed', reason: answer };
    return verdict.wait === null
      ? { state: 'failed', reason: givenUp(verdict.tried, answer) }
      : { state: 'waits', delay: verdict.wait, reason: answer };
  }
  await office.mailTaken(entry, receipt);
  return { state: 'sent', receipt };
}

/** Whether the same mail would be refused again; undefined where neither the mail nor a server is at fault. */
function isPermanent(error: unknown): boolean | undefined {
  return error instanceof Error && 'permanent' in error && typeof error.permanent === 'boolean'
    ? error.permanent
    : undefined;
}
