/** The steps of `passito demo`: a day of an office, by the functions of the commands. */

import { formatSize } from '../../../engine/units.ts';
import type { CleanupCounts } from '../../../outpass/cleanup.ts';
import { cleanupJob } from '../cleanup.ts';
import { importFile } from '../import.ts';
import { hostelTable, studentTable, userTable } from './campus.ts';
import { decide } from './decide.ts';
import { keepGate } from './gate.ts';
import { passTable } from './passes.ts';
import { sendReports } from './report.ts';
import { runJobs } from './run-jobs.ts';
import { keepCsv, resultsOf, type Tour } from './tour.ts';

/** A step does its part, and says in a line what there is to know of it. */
interface Step {
  readonly title: string;
  readonly run: (tour: Tour) => Promise<string>;
}

/** In their order. */
export const STEPS: readonly Step[] = [
  { title: 'Import', run: importCampus },
  { title: 'Decide', run: decide },
  { title: 'Work', run: work },
  { title: 'Gate', run: keepGate },
  { title: 'Report', run: sendReports },
  { title: 'Clean up', run: cleanUp },
];

async function importCampus(tour: Tour): Promise<string> {
  const tables = [
    ['hostels', hostelTable()],
    ['users', userTable()],
    ['students', studentTable()],
    ['outpasses', passTable(tour.plan)],
  ] as const;
  const told: string[] = [];
  for (const [kind, table] of tables) {
    const { inserted } = await importFile(tour.config, keepCsv(tour, kind, table), kind);
    told.push(`${inserted} ${kind}`);
  }
  return told.join(', ');
}

async function work(tour: Tour): Promise<string> {
  const done = await runJobs(tour);
  return `${done} jobs on ${tour.config.settings.minWorkers} threads: QR code → document → mail`;
}

async function cleanUp(tour: Tour): Promise<string> {
  const jobs = await tour.store.insert([cleanupJob()]);
  await runJobs(tour);
  const [{ passes = 0, files = 0, bytes = 0 } = {}] = resultsOf<CleanupCounts>(
    tour,
    jobs.map(({ id }) => id),
  );
  return `${passes} passes are over: ${files} files removed (${formatSize(bytes)})`;
}
