/** SendScheduledReport: one report as CSV, mailed to each of its recipients. */

import { int, object, positive, regex, string } from 'zod/mini';
import { discard, type JobDefinition } from '../../engine/handler.ts';
import { formatTime } from '../../engine/clock.ts';
import { isPermanent, sendOnce } from '../mail/send-once.ts';
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
 * Each recipient has a mail of their own. Where some of them fail, the attempt fails after all were tried, and the next
 * one tries those alone: the ledger knows who has it.
 */
export const sendScheduledReport: JobDefinition<ReportPayload, OfficeContext> = {
  type: 'SendScheduledReport',
  ...mailOptions,
  // Every recipient has a mail of their own.
  timeout: '15m',
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
    const { stillToTry } = await import('../reports/recipients.ts');
    const open = stillToTry(content.to, await office.reportDeliveries(context.id));
    const faults: string[] = [];
    for (const { id: user, email } of open) {
      try {
        await sendOnce(context, { kind: 'report', key: `u${user}` }, { ...mail, to: email });
      } catch (error) {
        const said = `${email}: ${error instanceof Error ? error.message : String(error)}`;
        if (isPermanent(error)) context.log.warn('a recipient was refused for good', { recipient: said });
        else faults.push(said);
      }
    }
    if (faults.length > 0) {
      throw new Error(
        `${faults.length} of ${content.to.length} recipients were not reached: ${faults.join('; ')}`,
      );
    }
    const known = await office.reportDeliveries(context.id);
    const refused = known.filter(([, delivery]) => delivery === 'refused').map(([email]) => email);
    if (refused.length === content.to.length && refused.length > 0) {
      discard(`No recipient was reached; refused for good: ${refused.join(', ')}.`);
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
