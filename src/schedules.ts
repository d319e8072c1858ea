/** Puts the scheduler together: the configured schedules, their rows, and what the supervisor does itself. */

import { nightlyBackup } from './care/nightly.ts';
import type { Config } from './config.ts';
import { type Clock } from './engine/clock.ts';
import type { Events } from './engine/events.ts';
import { newJob } from './engine/queue.ts';
import type { Schedule } from './engine/schedule.ts';
import { Scheduler } from './engine/scheduler.ts';
import type { JobType } from './engine/types.ts';
import type { Log } from './edge/log.ts';
import { ownIdentity } from './edge/machine.ts';
import { prepareAudit } from './store/sqlite/audit.ts';
import { dispatchDueReports } from './store/sqlite/due-reports.ts';
import type { SqliteOffice } from './store/sqlite/office.ts';
import { pruneJobs } from './store/sqlite/prune.ts';
import { SqliteSchedules } from './store/sqlite/schedules.ts';
import type { SqliteStore } from './store/sqlite/store.ts';

/** What the scheduler works with. */
interface SchedulerDeps {
  config: Config;
  store: SqliteStore;
  office: SqliteOffice;
  types: ReadonlyMap<string, JobType>;
  clock: Clock;
  events: Events;
  log: Log;
}

/** The schedules with whole jobs: what a type says of its jobs holds for a schedule's as well. */
function completeSchedules(
  { schedules }: Config,
  types: ReadonlyMap<string, Pick<JobType, 'priority' | 'queue' | 'maxAttempts' | 'redact'>>,
): Schedule[] {
  return schedules.map(({ request, ...schedule }) =>
    request === undefined ? schedule : { ...schedule, job: newJob(request, types.get(request.type)) },
  );
}

/** Makes the scheduler; the caller starts it. */
export function makeScheduler({
  config,
  store,
  office,
  types,
  clock,
  events,
  log,
}: SchedulerDeps): Scheduler {
  const { keepCompleted: completed, keepFailed: failed } = config.settings;
  const chores: Record<string, (signal: AbortSignal) => Promise<void>> = {
    backup: async (signal) => {
      const { file, removed } = await nightlyBackup(config, clock, signal);
      log.info({ file, removed }, 'backup made');
    },
    'dispatch-scheduled-reports': async () => {
      const { jobs } = await dispatchDueReports(store, office);
      if (jobs.length > 0) log.info({ jobs }, 'reports are due');
    },
    'prune-jobs': async () => {
      const pruned = await pruneJobs(store, clock, { completed, failed });
      await store.write((now) => prepareAudit(store.db).prune(now));
      log.info({ ...pruned }, 'old jobs deleted');
    },
  };
  return new Scheduler({
    schedules: completeSchedules(config, types),
    store: new SqliteSchedules(store, ownIdentity('supervisor')),
    clock,
    events,
    chore: (name, signal) => chores[name]?.(signal),
  });
}
