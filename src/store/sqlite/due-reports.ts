/** Reports that are due, and their jobs. */

import { newJob } from '../../engine/queue.ts';
import { reportRunKey } from '../../outpass/reports/due.ts';
import type { ReportRound } from '../../outpass/reports/round.ts';
import type { SqliteOffice } from './office.ts';
import type { SqliteStore } from './store.ts';

/** Decides what is due and dispatches it: one transaction, so that two that look at once send nothing twice. */
export async function dispatchDueReports(
  store: SqliteStore,
  office: SqliteOffice,
  now?: number,
): Promise<{ round: ReportRound; jobs: number[] }> {
  return store.write((clock) => {
    const round = office.decideReports(now ?? clock, false);
    const jobs = round.reports.map(({ settingId, scheduledFor }) =>
      newJob({
        type: 'SendScheduledReport',
        payload: JSON.stringify({ setting_id: settingId, scheduled_for: scheduledFor }),
        uniqueKey: reportRunKey(settingId, Date.parse(`${scheduledFor.replace(' ', 'T')}Z`)),
      }),
    );
    return { round, jobs: store.insertNow(jobs, clock).map(({ id }) => id) };
  });
}
