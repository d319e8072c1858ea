/** Does the jobs that are due, with a bar on a terminal. */

import { createLog } from '../../log.ts';
import { progressBar } from '../progress.ts';
import type { Tour } from './tour.ts';

/** Longer than this, and something is wrong, in milliseconds. */
const PATIENCE_MS = 60_000;

/** For what runs when that time is over, in milliseconds. */
const DRAIN_MS = 5000;

/** Runs jobs until none is due any more; gives how many completed. */
export async function runJobs({ config, queries }: Tour): Promise<number> {
  const waiting = queries.ids({ states: ['pending', 'blocked'], limit: 1000 }).length;
  const { startDaemon } = await import('../../../daemon.ts');
  const daemon = await startDaemon(config, 'worker', createLog('auto', 'error'));
  const bar = progressBar(waiting);
  let done = 0;
  daemon.events.on('completed', () => bar.to(++done));
  await new Promise<void>((finish) => {
    const timer = setTimeout(finish, PATIENCE_MS);
    daemon.events.on('idle', () => {
      clearTimeout(timer);
      finish();
    });
  });
  bar.end();
  await daemon.stop(DRAIN_MS, new AbortController().signal);
  return done;
}
