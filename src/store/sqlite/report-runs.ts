/** Reports: which are due, what they hold, and to whom they go. */

import type { Database } from 'better-sqlite3';
import { formatTime, parseTime } from '../../engine/clock.ts';
import { dayAround } from '../../outpass/reports/calendar.ts';
import type { LateArrival, Movement, ReportKey } from '../../outpass/reports/csv.ts';
import { isLate, type LateGrace } from '../../outpass/late-grace.ts';
import { decideDue } from '../../outpass/reports/due.ts';
import type { Gender } from '../../outpass/reports/recipients.ts';
import type { DueReport, ReportContent, ReportRound } from '../../outpass/reports/round.ts';
import { readSchedule } from '../../outpass/reports/schedule.ts';
import { prepareReceivers } from './report-receivers.ts';

interface SettingRow {
  id: number;
  report: ReportKey;
  gender: Gender;
  frequency: string;
  time: string;
  dayOfWeek: number | null;
  dayOfMonth: number | null;
  month: number | null;
  next_send_at: string | null;
  last_sent_at: string | null;
}

const SETTINGS = `
  SELECT id, report, gender, frequency, time, weekday AS dayOfWeek, day AS dayOfMonth, month,
         next_send_at, last_sent_at
  FROM report_settings`;

// A student of no known gender stands in both reports: a movement that nobody is told of would be worse.
const MOVEMENTS = `
  SELECT s.name, s.roll_number AS rollNumber, s.email, s.gender, went.at AS outAt, came.at AS inAt,
         o.leaves_at AS leavesAt, o.returns_at AS returnsAt
  FROM movements went JOIN outpasses o ON o.id = went.outpass_id JOIN students s ON s.id = o.student_id
       LEFT JOIN movements came ON came.outpass_id = o.id AND came.direction = 'in'
  WHERE went.direction = 'out' AND (s.gender = @gender OR s.gender IS NULL)`;

/** Prepares the reports on a connection. */
export function prepareReportRuns(db: Database) {
  const enabled = db.prepare<[], SettingRow>(`${SETTINGS} WHERE enabled = 1 ORDER BY id`);
  const byId = db.prepare<[number], SettingRow>(`${SETTINGS} WHERE id = ?`);
  const receivers = prepareReceivers(db);
  // No change of the setting: that is an admin's, and `updated_at` tells of it.
  const note = db.prepare('UPDATE report_settings SET next_send_at = ? WHERE id = ?');
  const sent = db.prepare(
    `UPDATE report_settings SET last_sent_at = @at
     WHERE id = @id AND (last_sent_at IS NULL OR last_sent_at < @at OR last_sent_at > @now)`,
  );
  const ofDay = db.prepare<[{ gender: string; from: string; to: string }], LateArrival | Movement>(
    `${MOVEMENTS} AND coalesce(came.at, went.at) >= @from AND coalesce(came.at, went.at) < @to`,
  );
  const cameOnDay = db.prepare<[{ gender: string; from: string; to: string }], LateArrival>(
    `${MOVEMENTS} AND came.at >= @from AND came.at < @to`,
  );
  return {
    /** Looks at every enabled setting, and notes when each is due next unless it is a dry run. Inside a write. */
    decide(zone: string, now: number, dryRun: boolean): ReportRound {
      const round: ReportRound = { checked: 0, initialized: 0, due: 0, skipped: 0, reports: [] };
      for (const row of enabled.all()) {
        round.checked++;
        const verdict = readSchedule(row);
        // The table's own rules let none through; another program may have made another table.
        if (!('schedule' in verdict)) continue;
        const [next = null, last = null] = [row.next_send_at, row.last_sent_at].map((time) =>
          time === null ? null : parseTime(time),
        );
        const decision = decideDue(verdict.schedule, zone, next, now, last);
        if (decision.state === 'waiting') continue;
        if (!dryRun) note.run(formatTime(decision.nextSendAt), row.id);
        if (decision.state === 'initialized') {
          round.initialized++;
          continue;
        }
        round.due++;
        const people = receivers(row).length;
        if (people === 0) round.skipped++;
        else round.reports.push(named(row, decision.scheduledFor, people));
      }
      return round;
    },
    /** What a report holds: the day of `scheduledFor` in the zone. Undefined where there is no such setting. */
    content(id: number, scheduledFor: number, zone: string, grace: LateGrace): ReportContent | undefined {
      const row = byId.get(id);
      if (row === undefined) return undefined;
      const day = dayAround(scheduledFor, zone);
      const span = { gender: row.gender, from: formatTime(day.from), to: formatTime(day.to) };
      const to = receivers(row).map(({ id: user, email }) => ({ id: user, email }));
      if (row.report === 'daily_movement') {
        return { report: row.report, gender: row.gender, to, rows: ofDay.all(span) };
      }
      const late = cameOnDay
        .all(span)
        .filter(({ inAt, returnsAt, gender }) => isLate(inAt, returnsAt, gender, grace));
      return { report: row.report, gender: row.gender, to, rows: late };
    },
    /** The latest run counts, and none of a clock that ran ahead. */
    sent(id: number, scheduledFor: number, now: number): void {
      sent.run({ id, at: formatTime(scheduledFor), now: formatTime(now) });
    },
  };
}

function named({ id, report, gender }: SettingRow, scheduledFor: number, recipients: number): DueReport {
  return { settingId: id, report, gender, scheduledFor: formatTime(scheduledFor), recipients };
}
