/** The ledger of mails, as jobs ask for it. */

import type { MailReceipt } from '../../engine/handler.ts';

/** A mail as the ledger knows it: one of a job, by its key. */
export interface LedgerEntry {
  jobId: number;
  /** Tells this mail from the job's others; letters, digits and hyphens. */
  key: string;
  kind: string;
  outpassId: number | null;
  to: string;
  subject: string;
}

/** Names a mail of the ledger. */
export type MailKey = Pick<LedgerEntry, 'jobId' | 'key'>;

/** Why a mail was not taken. */
export interface MailFault {
  answer: string;
  /** It will never be taken. */
  final: boolean;
  /** For how long, in milliseconds from its first try, it is worth waiting. */
  patience: number;
  /** When it is of use no more, however patient: milliseconds since 1970. */
  until?: number | undefined;
}

/** What is to become of a mail that was not taken. */
export interface MailVerdict {
  /** Milliseconds until its next try; null: it is given up. */
  wait: number | null;
  /** Milliseconds since its first try. */
  tried: number;
}

/** The ledger of mails; each call is one transaction. */
export interface MailLedger {
  /** A mail is about to be sent. Gives the receipt where a server has taken it already. */
  mailBegins(entry: LedgerEntry): Promise<{ receipt: MailReceipt | null; inDoubt: boolean }>;
  mailTaken(mail: MailKey, receipt: MailReceipt): Promise<void>;
  mailRefused(mail: MailKey, fault: MailFault): Promise<MailVerdict>;
}

/** Waiting for another try; being sent, or cut off while it was; taken by a server; refused for good, or given up. */
export const MAIL_STATES = ['queued', 'sending', 'sent', 'failed'] as const;

/** A mail of the ledger, under its columns' names. Times are UTC text. */
export interface KeptMail {
  id: number;
  message_id: string;
  job_id: number | null;
  outpass_id: number | null;
  kind: string;
  sent_to: string;
  subject: string;
  state: (typeof MAIL_STATES)[number];
  attempts: number;
  via: 'smtp' | 'outbox' | null;
  response: string | null;
  created_at: string;
  sent_at: string | null;
  updated_at: string;
  /** Attempts that began without the answer to the one before: it may have arrived as often more. */
  doubts: number;
}
