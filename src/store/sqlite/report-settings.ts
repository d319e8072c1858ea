/** Report settings and their recipients on SQLite. Writes run inside one write. */

import type { Database } from 'better-sqlite3';

import { prepareReceivers } from './report-receivers.ts';
import type { RowVerdict, RowWriter } from './office-import.ts';
import { officeErrors } from '../../outpass/errors.ts';
import { type Cells, givenTimes, hasBadTime, type ReportRow } from '../../outpass/import.ts';
import {
  changeTimes,
  type Gender,
  readAddresses,
  type ReportName,
  type ReportSetting,
  type ReportTimes,
  tellTimes,
} from '../../outpass/report-settings.ts';

/** What is changed; what is absent stays. */
export interface ReportChange {
  times?: Partial<ReportTimes>;
  enabled?: boolean;
  /** E-mail addresses of active wardens. */
  recipients?: readonly string[];
}

interface SettingRow extends ReportTimes {
  id: number;
  report: ReportName;
  gender: Gender;
  enabled: number;
  last_sent_at: string | null;
  next_send_at: string | null;
}

interface Person {
  id: number;
  name: string;
  email: string;
}

export function prepareReportSettings(db: Database) {
  const all = db.prepare<[], SettingRow>(
    `SELECT id, report, gender, enabled, frequency, weekday, day, month, time, last_sent_at, next_send_at
     FROM report_settings ORDER BY report, gender DESC`,
  );
  const recipientsOf = db.prepare<[number], Person>(
    `SELECT u.id, u.name, u.email FROM report_recipients r JOIN users u ON u.id = r.user_id
     WHERE r.setting_id = ? ORDER BY u.name, u.id`,
  );
  // Another time, or a setting that comes back, makes the next sending that was worked out a wrong one.
  const update = db.prepare(
    `UPDATE report_settings SET enabled = @enabled, frequency = @frequency, weekday = @weekday, day = @day,
       month = @month, time = @time, next_send_at = iif(@restart, NULL, next_send_at),
       updated_at = strftime('%Y-%m-%d %H:%M:%f','now')
     WHERE id = @id`,
  );
  const warden = db.prepare<[string], { id: number; role: string; active: number }>(
    'SELECT id, role, active FROM users WHERE email = ?',
  );
  const forget = db.prepare('DELETE FROM report_recipients WHERE setting_id = ?');
  const remember = db.prepare('INSERT OR IGNORE INTO report_recipients (setting_id, user_id) VALUES (?, ?)');

  const list = (): ReportSetting[] =>
    all.all().map(({ enabled, last_sent_at: lastSentAt, next_send_at: nextSendAt, ...row }) => ({
      ...row,
      enabled: enabled === 1,
      recipients: recipientsOf.all(row.id),
      lastSentAt,
      nextSendAt,
    }));

  /** The wardens with these addresses, and whoever is none. */
  const wardens = (emails: readonly string[]): { ids: number[]; wrong: string } => {
    const wrong: string[] = [];
    const ids = emails.flatMap((email) => {
      const found = warden.get(email);
      if (found === undefined) wrong.push(`${email} is no user`);
      else if (found.role === 'chief_warden') {
        wrong.push(`${email} is a chief warden, who gets every report anyway`);
      } else if (found.role !== 'warden') wrong.push(`${email} is a ${found.role}`);
      else if (found.active === 0) wrong.push(`${email} is no longer active`);
      else return [found.id];
      return [];
    });
    return { ids, wrong: wrong.join('; ') };
  };

  const notWardens = (wrong: string) => `recipients must be active wardens: ${wrong}`;

  const save = (
    { id }: ReportSetting,
    times: ReportTimes,
    { enabled, restart }: { enabled: boolean; restart: boolean },
    recipients: readonly number[] | undefined,
  ): void => {
    update.run({ ...times, enabled: enabled ? 1 : 0, restart: restart ? 1 : 0, id });
    if (recipients === undefined) return;
    forget.run(id);
    for (const user of recipients) remember.run(id, user);
  };

  /** Writes a row of a file. Where nothing changes, the next sending stays what it is. */
  const write = ({ report, gender, ...row }: ReportRow): RowVerdict => {
    const old = list().find((one) => one.report === report && one.gender === gender);
    if (old === undefined) return { refused: `there is no setting of ${report} for ${gender}` };
    const changed = changeTimes(old, row.times, (column) => column);
    const named = wardens(row.recipients ?? []);
    const wrong = 'wrong' in changed ? [changed.wrong] : [];
    if (named.wrong !== '') wrong.push(notWardens(named.wrong));
    if ('wrong' in changed || wrong.length > 0) return { refused: wrong.join('; ') };
    const { times } = changed;
    const enabled = row.enabled ?? old.enabled;
    const restart = enabled !== old.enabled || tellTimes(times) !== tellTimes(old);
    const ids = row.recipients === undefined ? undefined : [...new Set(named.ids)];
    const listed = new Set(old.recipients.map(({ id }) => id));
    const others = ids !== undefined && (ids.length !== listed.size || ids.some((id) => !listed.has(id)));
    if (!restart && !others) return 'unchanged';
    save(old, times, { enabled, restart }, ids);
    return 'updated';
  };

  const against = (cells: Cells): string[] => {
    const { report, gender, recipients } = cells;
    const old = list().find((one) => one.report === report && one.gender === gender);
    const judged = old !== undefined && !hasBadTime(cells);
    const changed = judged ? changeTimes(old, givenTimes(cells), (column) => column) : undefined;
    const faults = changed !== undefined && 'wrong' in changed ? [changed.wrong] : [];
    const { wrong } = wardens(typeof recipients === 'string' ? readAddresses(recipients) : []);
    if (wrong !== '') faults.push(notWardens(wrong));
    return faults;
  };

  return {
    list,
    rows: { write, against } satisfies RowWriter<ReportRow>,
    /** Everyone who gets a report. */
    receivers: prepareReceivers(db),

    /** Changes the settings of a report: those of one gender, or of both. Gives them as they are then. */
    change(report: ReportName, gender: Gender | undefined, change: ReportChange): ReportSetting[] {
      const mine = (one: ReportSetting) =>
        one.report === report && (gender === undefined || one.gender === gender);
      const named = change.recipients === undefined ? undefined : wardens(change.recipients);
      if (named !== undefined && named.wrong !== '') throw officeErrors.notWardens(named.wrong);
      for (const old of list().filter(mine)) {
        const changed = changeTimes(old, change.times ?? {});
        if ('wrong' in changed) throw officeErrors.reportTimes(changed.wrong);
        const enabled = change.enabled ?? old.enabled;
        const restart = change.times !== undefined || enabled !== old.enabled;
        save(old, changed.times, { enabled, restart }, named?.ids);
      }
      return list().filter(mine);
    },
  };
}
