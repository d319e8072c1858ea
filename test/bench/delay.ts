/** How long the main thread is late while both cores are busy with handlers: the daemon in this process. */

import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadConfig } from '../../src/config.ts';
import { startDaemon } from '../../src/daemon.ts';
import { createLog } from '../../src/edge/log.ts';
import type { Bench } from './measure.ts';

/** Runs 200 jobs of 20 ms on 2 workers. Gives the 99.9th percentile of the event loop's delay in milliseconds. */
export async function mainThreadDelay(bench: Bench): Promise<number> {
  bench.fill(200, 'Cpu', () => ({ ms: 20 }));
  const values = {
    db: bench.file,
    jobsFolder: join(bench.folder, 'jobs'),
    minWorkers: '2',
    maxWorkers: '2',
  };
  const daemon = await startDaemon(
    await loadConfig({ values }, {}),
    'supervisor',
    createLog('plain', 'error'),
  );
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await daemon.events.next('idle');
  delay.disable();
  await daemon.stop(1000, new AbortController().signal);
  return delay.percentile(99.9) / 1e6;
}
