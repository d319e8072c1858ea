/** The ledger of mails: which were begun, which a server took, which wait, which were given up. */

import type { Database } from 'better-sqlite3';
import { formatTime, parseTime, type Random } from '../../engine/clock.ts';
import type { MailReceipt } from '../../engine/handler.ts';
import { messageIdOf } from '../../engine/wire.ts';
import type { KeptMail, LedgerEntry, MailFault, MailKey, MailVerdict } from '../../outpass/mail/ledger.ts';
import { type EarlierTries, nextTry, triedSince } from '../../outpass/mail/patience.ts';
import type { Delivery } from '../../outpass/reports/recipients.ts';

interface LedgerRow {
  state: 'queued' | 'sending' | 'sent' | 'failed';
  via: MailReceipt['via'] | null;
  response: string | null;
  created_at: string;
  updated_at: string;
}

/** Which mails to list. */
export interface MailFilter {
  id?: number;
  state?: string;
  /** How it left. */
  via?: 'smtp' | 'outbox';
  limit: number;
}

/** Prepares the ledger. All but `list` and `deliveries` must run inside a write transaction; the database's own id ends every Message-ID. */
export function prepareMailLedger(db: Database, random: Random) {
  const databaseId = db.prepare<[], string>(`SELECT value FROM settings WHERE key = 'database_id'`).pluck();
  const find = db.prepare<[string], LedgerRow>(
    'SELECT state, via, response, created_at, updated_at FROM mails WHERE message_id = ?',
  );
  const begin = db.prepare(
    `INSERT INTO mails (message_id, job_id, outpass_id, kind, sent_to, subject, state, attempts, created_at, updated_at)
     VALUES (@messageId, @jobId, @outpassId, @kind, @to, @subject, 'sending', 1, @since, @at)
     ON CONFLICT (message_id) DO UPDATE
       SET state = 'sending', attempts = attempts + 1, doubts = doubts + (state = 'sending'), sent_to = @to, created_at = @since, updated_at = @at`,
  );
  const taken = db.prepare(
    `UPDATE mails SET state = 'sent', via = ?, response = ?, sent_at = ?, updated_at = ? WHERE message_id = ?`,
  );
  const refused = db.prepare('UPDATE mails SET state = ?, response = ?, updated_at = ? WHERE message_id = ?');
  // A mail that failed before its job was given up is open again: only an admin brings such a job back.
  const ofJob = db.prepare<[number], { sent_to: string; state: LedgerRow['state'] }>(
    `SELECT sent_to, CASE WHEN state = 'failed' AND EXISTS
              (SELECT 1 FROM attempts a WHERE a.job_id = m.job_id AND a.outcome = 'discarded' AND a.ended_at >= m.updated_at)
            THEN 'queued' ELSE state END AS state
     FROM mails m WHERE job_id = ?`,
  );
  const list = db.prepare<[Record<'id' | 'state' | 'via' | 'limit', number | string | null>], KeptMail>(
    `SELECT * FROM mails
     WHERE (@id IS NULL OR id = @id) AND (@state IS NULL OR state = @state) AND (@via IS NULL OR via = @via)
     ORDER BY id DESC LIMIT @limit`,
  );
  const idOf = ({ jobId, key }: MailKey) => messageIdOf(jobId, key, databaseId.get() ?? '');
  return {
    begins(entry: LedgerEntry, now: number): { receipt: MailReceipt | null; inDoubt: boolean } {
      const messageId = idOf(entry);
      const before = find.get(messageId);
      if (before?.state === 'sent') {
        const receipt = { messageId, via: before.via ?? 'smtp', response: before.response ?? '' };
        return { receipt, inDoubt: false };
      }
      const since = triedSince(before && earlierTries(before), now);
      begin.run({ ...entry, messageId, since: formatTime(since), at: formatTime(now) });
      return { receipt: null, inDoubt: before?.state === 'sending' };
    },
    taken(key: MailKey, { via, response }: MailReceipt, now: number): void {
      taken.run(via, response, formatTime(now), formatTime(now), idOf(key));
    },
    refused(
      key: MailKey,
      { answer, final, patience, until = Infinity }: MailFault,
      now: number,
    ): MailVerdict {
      const messageId = idOf(key);
      const since = parseTime(find.get(messageId)?.created_at ?? formatTime(now));
      const wait = final ? null : nextTry(since, now, Math.min(patience, until - since), random);
      refused.run(wait === null ? 'failed' : 'queued', answer, formatTime(now), messageId);
      return { wait, tried: Math.max(now - since, 0) };
    },
    /** The newest first. */
    list: ({ id, state, via, limit }: MailFilter): KeptMail[] =>
      list.all({ id: id ?? null, state: state ?? null, via: via ?? null, limit }),
    /** What is known of the addresses that a job has mailed. */
    deliveries(jobId: number): [string, Delivery][] {
      const words = { sent: 'sent', failed: 'refused', queued: 'failed', sending: 'failed' } as const;
      return ofJob.all(jobId).map(({ sent_to, state }) => [sent_to, words[state]]);
    },
  };
}

function earlierTries({ state, created_at: since, updated_at: latest }: LedgerRow): EarlierTries {
  return { failed: state === 'failed', since: parseTime(since), latest: parseTime(latest) };
}
