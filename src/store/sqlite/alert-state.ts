/** The one row that says what the admin was told. */

import type { Database } from 'better-sqlite3';
import type { AlertKind, AlertState } from '../../engine/alert.ts';
import { formatTime, parseTime } from '../../engine/clock.ts';

interface AlertRow {
  seen: string;
  seen_checks: number;
  checked_at: string | null;
  since: string | null;
  mailed: string | null;
  mailed_at: string | null;
  mailed_to: string | null;
  mailed_threshold: number | null;
  sending: AlertKind | null;
  sending_at: string | null;
  last_error: string | null;
  failed_tries: number;
}

/** Prepares reading and writing; what reads in order to write does both inside one write transaction. */
export function prepareAlertState(db: Database): {
  read: () => AlertState;
  write: (state: AlertState) => void;
} {
  const read = db.prepare<[], AlertRow>('SELECT * FROM alert_state WHERE id = 1');
  const write = db.prepare<[AlertRow]>(
    `INSERT INTO alert_state (id, seen, seen_checks, checked_at, since, mailed, mailed_at, mailed_to, mailed_threshold, sending, sending_at, last_error, failed_tries)
     VALUES (1, @seen, @seen_checks, @checked_at, @since, @mailed, @mailed_at, @mailed_to, @mailed_threshold, @sending, @sending_at, @last_error, @failed_tries)
     ON CONFLICT (id) DO UPDATE SET seen = @seen, seen_checks = @seen_checks, checked_at = @checked_at, since = @since,
       mailed = @mailed, mailed_at = @mailed_at, mailed_to = @mailed_to, mailed_threshold = @mailed_threshold, sending = @sending, sending_at = @sending_at,
       last_error = @last_error, failed_tries = @failed_tries`,
  );
  return {
    read() {
      const row = read.get();
      return {
        seen: row?.seen ?? '',
        seenChecks: row?.seen_checks ?? 0,
        checkedAt: at(row?.checked_at),
        since: at(row?.since),
        mailed: row?.mailed ?? null,
        mailedAt: at(row?.mailed_at),
        mailedTo: row?.mailed_to ?? null,
        mailedThreshold: row?.mailed_threshold ?? null,
        sending: sendingOf(row),
        failure: failureOf(row),
      };
    },
    write({
      seen,
      seenChecks,
      checkedAt,
      since,
      mailed,
      mailedAt,
      mailedTo,
      mailedThreshold,
      sending,
      failure,
    }) {
      write.run({
        seen,
        seen_checks: seenChecks,
        checked_at: text(checkedAt),
        since: text(since),
        mailed,
        mailed_at: text(mailedAt),
        mailed_to: mailedTo,
        mailed_threshold: mailedThreshold,
        sending: sending?.kind ?? null,
        sending_at: text(sending?.at ?? null),
        last_error: failure?.message ?? null,
        failed_tries: failure?.tries ?? 0,
      });
    },
  };
}

function at(time: string | null | undefined): number | null {
  return time === null || time === undefined ? null : parseTime(time);
}

function text(time: number | null): string | null {
  return time === null ? null : formatTime(time);
}

function sendingOf(row: AlertRow | undefined): AlertState['sending'] {
  const kind = row?.sending ?? null;
  return kind === null ? null : { kind, at: at(row?.sending_at) ?? 0 };
}

function failureOf(row: AlertRow | undefined): AlertState['failure'] {
  const message = row?.last_error ?? null;
  return message === null ? null : { message, tries: row?.failed_tries ?? 0 };
}
