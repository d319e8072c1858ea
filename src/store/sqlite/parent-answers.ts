/** Questions to parents and their answers. A token is known by its hash alone. Writes run inside one transaction. */

import type { Database } from 'better-sqlite3';

import { formatTime, parseTime, type Random } from '../../engine/clock.ts';
import { nextTry } from '../../outpass/mail/patience.ts';
import {
  type Decision,
  LEAST_TO_ANSWER,
  type LinkState,
  linkState,
  type Question,
} from '../../outpass/parent/link.ts';
import type { Channel, NewQuestion } from '../../outpass/parent/question.ts';
import { parentToken, tokenHash } from '../../outpass/parent/token.ts';
import { movePass } from '../../outpass/pass-states.ts';
import type { ApplyMove, Movable } from './pass-moves.ts';

/** A question that was asked, as `passito outpass show` tells it. Times are UTC text. */
export interface AskedBefore {
  channel: Channel;
  sentTo: string;
  sentAt: string | null;
  expiresAt: string;
  decision: Decision | null;
  decidedAt: string | null;
  /** Why it could not be sent: its job was given up. */
  unsent: string | null;
}

interface QuestionRow {
  id: number;
  issue: number;
  createdAt: string;
  expiresAt: string;
  messageId: string | null;
}

interface LinkRow extends Question {
  id: number;
  passId: number;
  reference: string;
}

/** A question with what its link is made of, or why the pass asks nobody. */
type Asked = { ok: true; token: string; question: QuestionRow } | { ok: false; reason: string };

const ROW = 'id, issue, created_at AS createdAt, expires_at AS expiresAt, message_id AS messageId';

export function prepareParentAnswers(db: Database, move: ApplyMove, random: Random) {
  const ofJob = db.prepare<[Record<string, string | number>], QuestionRow>(
    `SELECT ${ROW} FROM parent_verifications
     WHERE outpass_id = @pass AND job_id = @job
       AND (message_id IS NOT NULL
            OR (method = @method AND sent_to = @sentTo AND decision IS NULL AND expires_at > @at))
     ORDER BY issue DESC LIMIT 1`,
  );
  // A job that was given up since, and runs again, was brought back by an admin, who means to ask anew.
  const ranOut = db.prepare<[Record<string, string | number>], { lastError: string | null }>(
    `SELECT j.last_error AS lastError
     FROM parent_verifications v LEFT JOIN jobs j ON j.id = v.job_id
     WHERE v.outpass_id = @pass AND v.job_id = @job AND v.method = @method AND v.sent_to = @sentTo
       AND v.decision IS NULL AND v.expires_at <= @at
       AND NOT EXISTS (SELECT 1 FROM attempts a
                       WHERE a.job_id = v.job_id AND a.outcome IN ('discarded', 'cancelled') AND a.ended_at >= v.created_at)
     ORDER BY v.issue DESC LIMIT 1`,
  );
  const byId = db.prepare<[number], QuestionRow>(`SELECT ${ROW} FROM parent_verifications WHERE id = ?`);
  const insert = db.prepare<[Record<string, string | number>], QuestionRow>(
    `INSERT INTO parent_verifications (outpass_id, issue, method, sent_to, expires_at, job_id, created_at)
     VALUES (@pass, 1 + (SELECT coalesce(max(issue), 0) FROM parent_verifications WHERE outpass_id = @pass),
             @method, @sentTo, @expiresAt, @job, @at)
     RETURNING ${ROW}`,
  );
  const keepHash = db.prepare('UPDATE parent_verifications SET token_hash = ? WHERE id = ?');
  const sent = db.prepare('UPDATE parent_verifications SET message_id = ?, sent_at = ? WHERE id = ?');
  const byHash = db.prepare<[string], LinkRow>(
    `SELECT v.id, v.expires_at AS expiresAt, v.decision, o.id AS passId, o.reference, o.status
     FROM parent_verifications v JOIN outpasses o ON o.id = v.outpass_id WHERE v.token_hash = ?`,
  );
  const decided = db.prepare('UPDATE parent_verifications SET decision = ?, decided_at = ? WHERE id = ?');
  const list = db.prepare<[number], AskedBefore>(
    `SELECT v.method AS channel, v.sent_to AS sentTo, v.sent_at AS sentAt, v.expires_at AS expiresAt, v.decision,
            v.decided_at AS decidedAt,
            CASE WHEN v.sent_at IS NULL AND j.status = 'failed' THEN coalesce(j.last_error, '')
                 WHEN v.sent_at IS NULL AND j.status = 'cancelled' THEN 'its job was cancelled' END AS unsent
     FROM parent_verifications v LEFT JOIN jobs j ON j.id = v.job_id
     WHERE v.outpass_id = ? ORDER BY v.issue`,
  );
  return {
    /** Notes a question and the hash of its token. A job that is tried again gets the question it had. */
    ask(
      pass: Movable & { returns_at: string },
      { jobId, channel, to }: NewQuestion,
      { at, lifetime, secret }: { at: number; lifetime: number; secret: Buffer },
    ): Asked {
      const now = formatTime(at);
      const values = { pass: pass.id, job: jobId, method: channel, sentTo: to, at: now };
      const before = ofJob.get(values);
      if (before === undefined || before.messageId === null) {
        const waits = pass.status === 'parent_pending';
        const verdict = movePass('askParent', pass.status);
        if (!waits && !verdict.ok) return { ok: false, reason: `the pass ${verdict.reason}` };
        if (pass.returns_at <= now) return { ok: false, reason: 'the pass is over' };
        const late = before === undefined ? ranOut.get(values) : undefined;
        if (late !== undefined) return { ok: false, reason: expired(late.lastError) };
        if (!waits) move(pass, 'askParent', { at });
      }
      // Nobody needs an answer once the student should be back.
      const expiresAt = [formatTime(at + lifetime), pass.returns_at].toSorted()[0] as string;
      const question = before ?? insert.get({ ...values, expiresAt });
      if (question === undefined) throw new Error('the question to the parent was not written');
      const token = parentToken(secret, question);
      // Before it is sent: a link must work as soon as somebody can have it.
      if (question.messageId === null) keepHash.run(tokenHash(token), question.id);
      return { ok: true, token, question };
    },

    /** Milliseconds until another try to send it; null where the link would be of no use by then. */
    unreached(id: number, at: number): number | null {
      const question = byId.get(id);
      if (question === undefined) return null;
      const since = parseTime(question.createdAt);
      return nextTry(since, at, parseTime(question.expiresAt) - LEAST_TO_ANSWER - since, random);
    },

    /** The message left. */
    sent(id: number, messageId: string, at: number): void {
      sent.run(messageId, formatTime(at), id);
    },

    /** Which pass a link is about, and where the link stands. */
    find(hash: string, at: number): { passId: number; state: LinkState; link: LinkRow } | undefined {
      const link = byHash.get(hash);
      return link && { passId: link.passId, state: linkState(link, formatTime(at)), link };
    },

    /** Counts once, in time, and only while the pass waits for the parent; gives what stood before. */
    decide(hash: string, decision: Decision, at: number): { passId: number; state: LinkState } | undefined {
      const found = this.find(hash, at);
      if (found?.state !== 'open') return found;
      const { id, passId, reference, status } = found.link;
      const answer = decision === 'parent_approved' ? 'parentApproves' : 'parentDenies';
      move({ id: passId, reference, status }, answer, { at });
      decided.run(decision, formatTime(at), id);
      return found;
    },

    /** The questions about a pass, in the order in which they were asked. */
    list: (passId: number): AskedBefore[] => list.all(passId),
  };
}

function expired(lastError: string | null): string {
  const why = lastError === null ? '' : ` (${lastError.replace(/\.$/, '')})`;
  return `the link expired before it could be sent${why}`;
}
