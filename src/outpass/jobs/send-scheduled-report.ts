/** SendScheduledReport: one report as CSV, mailed to each of its recipients. */

import { int, object, positive, regex, string } from 'zod/mini';
import { discard, type JobDefinition, snooze } from '../../engine/handler.ts';
import { formatTime } from '../../engine/clock.ts';
import { sendOnce } from '../mail/send-once.ts';
import type { OfficeContext } from '../office.ts';
import { mailOptions } from './send-mail.ts';
import type { ReportContent } from '../reports/round.ts';

/** Which report, and of when. */
export interface ReportPayload {
  setting_id: number;
  /** UTC text; the report is of its day in the office's zone. */
  scheduled_for: string;
}

const setting = 'must be the id of a report setting';
const time = 'must be a time in UTC such as "2026-11-24 15:30:00.000"';

/**
 * Each recipient has a mail of their own, and a patience of their own. Where some mails were not taken, the job waits after
 * all were tried, and tries those alone: the ledger knows who has it.
 */
export const sendScheduledReport: JobDefinition<ReportPayload, OfficeContext> = {
  type: 'SendScheduledReport',
  ...mailOptions,
  // Every recipient has a mail of their own.
  timeout: '1h',
  concurrency: 1,
  schema: object(
    {
      setting_id: int(setting).check(positive(setting)),
      scheduled_for: string(time).check(regex(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}(:\d{2}(\.\d{3})?)?$/, time)),
    },
    'must be an object such as {"setting_id": 1, "scheduled_for": "2026-11-24 15:30:00.000"}',
  ),
  async handle({ setting_id: id, scheduled_for: scheduledFor }, context) {
    const { office } = context;
    const content = await office.reportContent(id, scheduledFor);
    if (content === undefined) discard(`There is no report setting #${id}.`);
    const { mail, rows } = await compose(content, scheduledFor, context);
    const { refusedOf, stillToTry } = await import('../reports/recipients.ts');
    const open = stillToTry(content.to, await office.reportDeliveries(context.id));
    const waiting: { said: string; delay: number }[] = [];
    const lost = new Map<string, string>();
    for (const { id: user, email } of open) {
      const sending = await sendOnce(context, { kind: 'report', key: `u${user}` }, { ...mail, to: email });
      if (sending.state === 'sent') continue;
      const said = `${email}: ${sending.reason}`;
      if (sending.state === 'waits') waiting.push({ said, delay: sending.delay });
      else {
        context.log.warn('a recipient does not get the report', { recipient: said });
        lost.set(email, said);
      }
    }
    if (waiting.length > 0) {
      snooze(
        Math.min(...waiting.map(({ delay }) => delay)),
        `${waiting.length} of ${content.to.length} recipients were not reached: ${waiting.map(({ said }) => said).join('; ')}`,
      );
    }
    const known = await office.reportDeliveries(context.id);
    const refused = refusedOf(content.to, known).map(({ email }) => email);
    const arrived = known.some(([, delivery]) => delivery === 'sent');
    if (refused.length === content.to.length && refused.length > 0 && !arrived) {
      discard(`No recipient was reached: ${refused.map((email) => lost.get(email) ?? email).join('; ')}`);
    }
    await office.reportSent(id, scheduledFor);
    return { rows, recipients: content.to.length - refused.length, refused };
  },
};

async function compose(content: ReportContent, scheduledFor: string, { office }: OfficeContext) {
  const [{ dailyMovementCsv, lateArrivalsCsv }, { reportFileName, reportMail }] = await Promise.all([
    import('../reports/csv.ts'),
    import('../reports/mail.ts'),
  ]);
  const settings = await office.settings();
  const run = {
    key: content.report,
    gender: content.gender,
    scheduledFor,
    generatedAt: formatTime(Date.now()),
    rows: content.rows.length,
  };
  const csv =
    content.report === 'daily_movement'
      ? dailyMovementCsv(content.rows, settings.timeZone)
      : lateArrivalsCsv(content.rows, settings.timeZone);
  const file = {
    filename: reportFileName(run, settings.timeZone),
    content: Buffer.from(csv),
    contentType: 'text/csv; charset=utf-8',
  };
  return { mail: reportMail(run, settings, [file]), rows: content.rows.length };
}
