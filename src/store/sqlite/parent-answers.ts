/** Questions to parents and their answers. A token is known by its hash alone. Every function runs inside one write. */

import type { Database } from 'better-sqlite3';

import { formatTime } from '../../engine/clock.ts';
import { officeErrors } from '../../outpass/errors.ts';
import type { PassStatus } from '../../outpass/office.ts';
import type { ApplyMove, Movable } from './pass-moves.ts';

/** A question to a parent, to be sent. */
export interface ParentQuestion {
  method: 'sms' | 'mail';
  /** The number or address. */
  sentTo: string;
  /** Wall time in milliseconds after which no answer counts. */
  expiresAt: number;
}

/** What a token is derived from: the same for each attempt of the job that sends it. */
export interface AskedParent {
  id: number;
  issue: number;
}

interface OpenQuestion {
  id: number;
  outpass_id: number;
  reference: string;
  status: PassStatus;
  expires_at: string;
  decision: string | null;
}

export function prepareParentAnswers(db: Database, move: ApplyMove) {
  const open = db.prepare<[Record<string, string | number>], AskedParent>(
    `SELECT id, issue FROM parent_verifications
     WHERE outpass_id = @pass AND method = @method AND sent_to = @sentTo AND decision IS NULL AND expires_at > @at
     ORDER BY issue DESC LIMIT 1`,
  );
  const insert = db.prepare<[Record<string, string | number>], AskedParent>(
    `INSERT INTO parent_verifications (outpass_id, issue, method, sent_to, expires_at)
     VALUES (@pass, 1 + (SELECT coalesce(max(issue), 0) FROM parent_verifications WHERE outpass_id = @pass),
             @method, @sentTo, @expiresAt)
     RETURNING id, issue`,
  );
  const sent = db.prepare('UPDATE parent_verifications SET token_hash = @hash, sent_at = @at WHERE id = @id');
  const byHash = db.prepare<[string], OpenQuestion>(
    `SELECT v.id, v.outpass_id, v.expires_at, v.decision, o.reference, o.status
     FROM parent_verifications v JOIN outpasses o ON o.id = v.outpass_id WHERE v.token_hash = ?`,
  );
  const decided = db.prepare(
    'UPDATE parent_verifications SET decision = @decision, decided_at = @at WHERE id = @id AND decision IS NULL',
  );
  return {
    /** Asked again while the last question is open, gives that one: a job that is retried sends the same link. */
    ask(pass: Movable, { method, sentTo, expiresAt }: ParentQuestion, at: number): AskedParent {
      if (pass.status !== 'parent_pending') move(pass, 'askParent', { at });
      const values = { pass: pass.id, method, sentTo, expiresAt: formatTime(expiresAt), at: formatTime(at) };
      const asked = open.get(values) ?? insert.get(values);
      if (asked === undefined) throw new Error('the question to the parent was not written');
      return asked;
    },

    /** Notes the hash of the token that was sent. */
    saveHash(id: number, hash: string, at: number): void {
      sent.run({ id, hash, at: formatTime(at) });
    },

    /** Counts once, in time, and only while the pass still waits for the parent. Gives the pass's id. */
    decide(hash: string, decision: 'parent_approved' | 'parent_denied', at: number): number {
      const row = byHash.get(hash);
      if (row === undefined) throw officeErrors.parentLink('it is not known');
      if (row.decision !== null) throw officeErrors.parentLink('it was used already');
      if (row.expires_at <= formatTime(at)) throw officeErrors.parentLink('it has expired');
      const pass = { id: row.outpass_id, reference: row.reference, status: row.status };
      move(pass, decision === 'parent_approved' ? 'parentApproves' : 'parentDenies', { at });
      decided.run({ id: row.id, decision, at: formatTime(at) });
      return row.outpass_id;
    },
  };
}
