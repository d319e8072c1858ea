/** `passito dispatch-scheduled-reports`: a job for each report that is due. */

import { openOffice, openStore } from '../../app.ts';
import { errors } from '../../errors.ts';
import { inZone, tellTime } from '../../outpass/local-time.ts';
import { reportName } from '../../outpass/reports/mail.ts';
import type { ReportRound } from '../../outpass/reports/round.ts';
import { dispatchDueReports } from '../../store/sqlite/due-reports.ts';
import { type Command, JSON_OPTION } from './command.ts';
import { readAt } from './values.ts';
import { counted } from '../../engine/units.ts';

export const dispatchScheduledReports: Command = {
  name: 'dispatch-scheduled-reports',
  aliases: ['app:dispatch-scheduled-reports'],
  about: 'Dispatch a job for each report that is due',
  options: [
    { name: 'dry-run', about: 'Only say what is due; nothing is dispatched or noted' },
    {
      name: 'at',
      value: 'time',
      about: 'As if it were then, such as "2026-12-24 18:00"; a time to come only with --dry-run',
    },
    JSON_OPTION,
  ],
  example: 'passito dispatch-scheduled-reports --dry-run',
  async run(input) {
    const config = await input.config();
    const zone = config.settings.timeZone;
    const at = input.option('at');
    const now = at === undefined ? undefined : readAt(at, zone);
    const dryRun = input.has('dry-run');
    if (at !== undefined && now !== undefined && now > Date.now() && !dryRun) {
      // Its reports would be of days that are not over, and nothing would be due until then.
      throw errors.badValue('--at', at, 'a time that has passed, unless --dry-run is given as well');
    }
    const store = await openStore(config, dryRun ? 'read' : 'existing');
    try {
      const office = openOffice(config, store);
      const { round, jobs } = dryRun
        ? { round: await store.read(() => office.decideReports(now ?? Date.now(), true)), jobs: [] }
        : await dispatchDueReports(store, office, now);
      if (input.json) input.print(JSON.stringify(asJson(round, jobs, dryRun)));
      else {
        for (const report of round.reports) {
          const people = counted(report.recipients, 'recipient');
          input.print(
            `${reportName({ key: report.report, gender: report.gender })}, due ${inZone(tellTime(report.scheduledFor, zone), zone)}: ${people}.`,
          );
        }
        input.print(told(round, jobs.length));
      }
      return 0;
    } finally {
      await store.close();
    }
  },
};

/** The older system's counters. */
function told({ checked, initialized, due, skipped }: ReportRound, dispatched: number): string {
  return `Settings checked: ${checked}, initialized: ${initialized}, due: ${due}, dispatched: ${dispatched}, skipped for no recipients: ${skipped}.`;
}

function asJson({ reports, ...counters }: ReportRound, jobs: readonly number[], dryRun: boolean): object {
  return {
    dry_run: dryRun,
    ...counters,
    dispatched: jobs.length,
    reports: reports.map(({ settingId, report, gender, scheduledFor, recipients }, i) => ({
      setting_id: settingId,
      report,
      gender,
      scheduled_for: scheduledFor,
      recipients,
      job: jobs[i] ?? null,
    })),
  };
}
