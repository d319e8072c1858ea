/** The demo's reports: yesterday's movements and late arrivals, to the wardens of each gender's hostels. */

import { genders, type ReportName } from '../../../outpass/report-settings.ts';
import { dispatchDueReports } from '../../../store/sqlite/due-reports.ts';
import { dispatchReports } from '../reports.ts';
import { wardenMails } from './campus.ts';
import { REPORT_TIME, reportedAt } from './passes.ts';
import { runJobs } from './run-jobs.ts';
import { resultsOf, type Tour } from './tour.ts';

/** Switches the reports on, and sends those of yesterday. */
export async function sendReports(tour: Tour): Promise<string> {
  const { store, office, now, zone } = tour;
  const at = reportedAt(now, zone);
  const dispatched = async (report: ReportName) => {
    for (const gender of genders) {
      const change = { times: { time: REPORT_TIME }, enabled: true, recipients: wardenMails(gender) };
      await office.changeReport(report, gender, change);
    }
    const jobs = await dispatchReports(store, office, { report, at });
    return jobs.map(({ id }) => id);
  };
  const movements = await dispatched('daily_movement');
  const arrivals = await dispatched('late_arrivals');
  // What cron calls: works out when each goes out next, so that 'reports list' shows it.
  await dispatchDueReports(store, office);
  await runJobs(tour);
  const [moved, late] = [movements, arrivals].map((ids) => sum(resultsOf(tour, ids), 'rows'));
  const mails = sum(resultsOf(tour, [...movements, ...arrivals]), 'recipients');
  return `${moved} movements and ${late} late arrivals of yesterday, in ${mails} mails`;
}

type ReportResult = Partial<Record<'rows' | 'recipients', number>>;

function sum(results: readonly ReportResult[], key: keyof ReportResult): number {
  return results.reduce((total, result) => total + (result[key] ?? 0), 0);
}
