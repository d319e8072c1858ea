/** The mail that carries a report. */

import { parseTime } from '../../engine/clock.ts';
import type { MailAttachment } from '../../engine/handler.ts';
import { tellDate, tellTime, tellZone } from '../local-time.ts';
import { factTable, mailPage, paragraph } from '../mail/html.ts';
import type { Fact } from '../mail/html.ts';
import type { OfficeSettings } from '../office.ts';
import { wallClock } from './calendar.ts';
import type { ReportKey } from './csv.ts';
import type { Gender } from './recipients.ts';

/** One run of a report. Times are UTC text. */
export interface ReportRun {
  readonly key: ReportKey;
  readonly gender: Gender;
  /** The due instant that the run is for; the report is of its day. */
  readonly scheduledFor: string;
  readonly generatedAt: string;
  /** Lines of the report beside the first; 0: there was nothing to report. */
  readonly rows: number;
}

/** How a report is called, what it holds, and what it means when it holds nothing; each goes on with a day. */
const WORDS: Readonly<Record<ReportKey, { name: string; holds: string; nothing: string }>> = {
  daily_movement: {
    name: 'Daily movement report',
    holds: 'This report lists the students who went out or came back on',
    nothing: 'No student went out or came back on',
  },
  late_arrivals: {
    name: 'Late arrivals report',
    holds: 'This report lists the students who came back later than their pass and its grace allow on',
    nothing: 'No student came back late on',
  },
};

const HOSTELS: Readonly<Record<Gender, string>> = { male: 'men’s hostels', female: 'women’s hostels' };

/** @example reportName({ key: 'late_arrivals', gender: 'female' }) === 'Late arrivals report, women’s hostels' */
export function reportName(report: Pick<ReportRun, 'key' | 'gender'>): string {
  return `${WORDS[report.key].name}, ${HOSTELS[report.gender]}`;
}

/** A name for the CSV file. @example 'late-arrivals-female-2026-11-20.csv' */
export function reportFileName(report: Omit<ReportRun, 'rows' | 'generatedAt'>, zone: string): string {
  const wall = wallClock(parseTime(report.scheduledFor), zone);
  return `${report.key.replaceAll('_', '-')}-${report.gender}-${wall.toISOString().slice(0, 10)}.csv`;
}

/** Subject, plain text and HTML, which say the same, and the attachments; those are left out of an empty report. */
export function reportMail(
  run: ReportRun,
  settings: OfficeSettings,
  attachments: readonly MailAttachment[],
): { subject: string; text: string; html: string; attachments: readonly MailAttachment[] } {
  const zone = settings.timeZone;
  const day = tellDate(run.scheduledFor, zone);
  const heading = reportName(run);
  const { holds, nothing } = WORDS[run.key];
  const empty = run.rows === 0;
  const news = empty
    ? `${nothing} ${day}. There is nothing to report, so no file is attached.`
    : `${holds} ${day}.`;
  const advice = empty ? [] : ['The attached CSV file opens in any spreadsheet.'];
  const footer = `Sent by ${settings.appName} for ${settings.institutionName}, because you receive this report. A super admin can change when it is sent and to whom.`;
  const facts: Fact[] = [
    ['Report', heading],
    ['Scheduled for', `${tellTime(run.scheduledFor, zone)} (${tellZone(run.scheduledFor, zone)})`],
    ['Generated at', `${tellTime(run.generatedAt, zone)} (${tellZone(run.generatedAt, zone)})`],
    ['Entries', String(run.rows)],
  ];
  return {
    subject: `${heading}: ${empty ? 'nothing to report, ' : ''}${day}`,
    text: [
      `${news}\n`,
      ...facts.map(([label, value]) => `${`${label}:`.padEnd(16)}${value}`),
      ...advice.map((line) => `\n${line}`),
      `\n-- \n${footer}\n`,
    ].join('\n'),
    html: mailPage({
      institution: settings.institutionName,
      heading,
      preview: news,
      body: paragraph(news) + factTable(facts) + advice.map(paragraph).join(''),
      footer,
    }),
    attachments: empty ? [] : attachments,
  };
}
