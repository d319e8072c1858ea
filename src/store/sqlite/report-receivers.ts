/** Who gets a report, read from the records; the rule itself is the office's. */

import type { Database } from 'better-sqlite3';
import { type Gender, reportRecipients, type ReportUser } from '../../outpass/reports/recipients.ts';

/** A user who gets a report. */
export type Receiver = ReportUser & { readonly name: string };

/** Prepares the question on a connection. */
export function prepareReceivers(db: Database): (setting: { id: number; gender: Gender }) => Receiver[] {
  const users = db.prepare<[], Receiver>(
    `SELECT id, name, email, role, gender, iif(active, 'active', 'inactive') AS status FROM users WHERE role <> 'student'`,
  );
  const listed = db
    .prepare<[number], number>(
      `SELECT user_id FROM report_recipients JOIN users u ON u.id = user_id WHERE setting_id = ? ORDER BY u.name, u.id`,
    )
    .pluck();
  return ({ id, gender }) => reportRecipients({ gender, recipientIds: listed.all(id) }, users.all());
}
