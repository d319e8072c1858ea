/** One look at the report settings, and what the job of a due report asks for. Times are UTC text. */

import type { LateArrival, Movement, ReportKey } from './csv.ts';

import type { Gender } from './recipients.ts';

/** A report that is due. */
export interface DueReport {
  settingId: number;
  report: ReportKey;
  gender: Gender;
  scheduledFor: string;
  /** How many people it goes to. */
  recipients: number;
}

/** What one look at the enabled settings found. */
export interface ReportRound {
  checked: number;
  /** Had no next send yet. */
  initialized: number;
  due: number;
  /** Due, and nobody to send it to. */
  skipped: number;
  /** Due, each to be dispatched as a job. */
  reports: DueReport[];
}

/** A report's rows and recipients. */
export type ReportContent = { gender: Gender; to: { id: number; email: string }[] } & (
  | { report: 'daily_movement'; rows: Movement[] }
  | { report: 'late_arrivals'; rows: LateArrival[] }
);

/** The reports, as their job asks for them. */
export interface ReportDesk {
  reportContent(settingId: number, scheduledFor: string): Promise<ReportContent | undefined>;
  /** What is known of the addresses that the job has mailed so far. */
  reportDeliveries(jobId: number): Promise<[string, 'sent' | 'failed' | 'refused'][]>;
  reportSent(settingId: number, scheduledFor: string): Promise<void>;
}
