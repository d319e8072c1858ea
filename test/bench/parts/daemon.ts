/**
 * A supervisor from source whose main thread is watched: `node daemon.ts FOLDER`. Says `ready`, and when it is told to
 * end, how late the event loop was.
 */

import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadConfig } from '../../../src/config.ts';
import { startDaemon } from '../../../src/daemon.ts';
import { createLog } from '../../../src/edge/log.ts';

/** How late the main thread was, in milliseconds. */
export interface Late {
  p999: number;
  most: number;
}

const RESOLUTION_MS = 1;
const folder = process.argv[2] ?? '';
const values = {
  db: join(folder, 'passito.db'),
  jobsFolder: join(folder, 'jobs'),
  minWorkers: '2',
  maxWorkers: '2',
};
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const daemon = await startDaemon(await loadConfig({ values }, {}), 'supervisor', createLog('plain', 'error'));
process.on('message', (message) => {
  if (message === 'watch') delay.enable();
  if (message !== 'end') return;
  delay.disable();
  const since = (value: number) => value / 1e6 - RESOLUTION_MS;
  process.send?.({ p999: since(delay.percentile(99.9)), most: since(delay.max) } satisfies Late);
  void daemon.stop(1000, new AbortController().signal).then(() => process.exit(0));
});
process.on('disconnect', () => process.exit(1));
process.send?.('ready');
