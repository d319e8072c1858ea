/** `passito cleanup-expired-files`: remove the files of passes that are over. */

import { filesRoot, openOffice, openStore } from '../../app.ts';
import type { Config } from '../../config.ts';
import { newJob } from '../../engine/queue.ts';
import type { Inserted, NewJob } from '../../engine/store.ts';
import { counted, formatSize } from '../../engine/units.ts';
import { type CleanupCounts, cleanUp } from '../../outpass/cleanup.ts';
import { jobFiles } from '../../runner/files.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { type Command, type Input, JSON_OPTION } from './command.ts';
import { joinTick } from './schedule.ts';

export const cleanupExpiredFiles: Command = {
  name: 'cleanup-expired-files',
  aliases: ['app:cleanup-expired-files'],
  about: 'Dispatch the job that removes the files of passes that are over',
  options: [
    { name: 'dry-run', about: 'Only say what it would remove; no job is dispatched' },
    { name: 'force', about: 'Dispatch another, also where one waits, runs, or came with a tick just now' },
    JSON_OPTION,
  ],
  example: 'passito cleanup-expired-files --dry-run',
  async run(input) {
    const config = await input.config();
    const store = await openStore(config, input.has('dry-run') ? 'read' : 'existing');
    try {
      if (!input.has('dry-run')) return await dispatch(input, config, store);
      const office = openOffice(config, store);
      const counts = await cleanUp(office, jobFiles(filesRoot(config), 'cleanup'), true, (_, refusal) => {
        if (refusal !== undefined) input.note(`Left as it is: ${refusal}.`);
      });
      input.print(input.json ? JSON.stringify({ dry_run: true, ...counts }) : told(counts));
      return 0;
    } finally {
      await store.close();
    }
  },
};

/** The job; no second one is dispatched while it waits or runs, unless somebody insists. */
export function cleanupJob(): NewJob {
  return newJob({ type: 'CleanupExpiredFiles', payload: '{}', uniqueKey: 'cleanup' });
}

async function dispatch(input: Input, config: Config, store: SqliteStore): Promise<number> {
  const schedule = config.schedules.find(({ name }) => name === 'cleanup-expired-files');
  const job = cleanupJob();
  const { id, existing } =
    schedule === undefined || input.has('force')
      ? ((await store.insert([input.has('force') ? { ...job, uniqueKey: null } : job]))[0] as Inserted)
      : await joinTick(store, { ...schedule, job });
  if (input.json) input.print(JSON.stringify({ id, existing }));
  else input.print(existing ? `Job #${id} does so already.` : `Job #${id} dispatched.`);
  return 0;
}

function told({ passes, expired, files, bytes }: CleanupCounts): string {
  if (passes === 0) return 'Nothing is overdue.';
  return `Would remove ${counted(files, 'file')} (${formatSize(bytes)}) of ${counted(passes, 'pass', 'passes')}; ${expired} of them would become expired.`;
}
