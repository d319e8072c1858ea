/** What a running process tells of itself, for `passito status` and health. */

import type { ServedApi } from './api.ts';
import { version } from './build-info.ts';
import type { Config } from './config.ts';
import type { Dispatcher } from './engine/dispatcher.ts';
import type { Pool } from './engine/pool.ts';
import type { Scaler } from './engine/scaler.ts';
import type { JobType } from './engine/types.ts';

/** What `passito status` reads: written with every heartbeat. */
export async function describeProcess(
  config: Config,
  types: ReadonlyMap<string, JobType>,
  pool: Pool,
  api: ServedApi | undefined,
  { dispatcher, scaler, retiring = false }: { dispatcher?: Dispatcher; scaler?: Scaler; retiring?: boolean },
): Promise<string> {
  const { queues } = config.settings;
  const schedules = retiring ? [] : config.schedules.map(({ name }) => name);
  const { minWorkers, maxWorkers } = scaler?.limits ?? config.settings;
  const busy = new Map([...(dispatcher?.running ?? [])].map((one) => [one.chunk.threadId, one]));
  const workers = (await pool.memories()).map(({ threadId, memory }) => {
    const one = busy.get(threadId);
    return {
      thread: threadId,
      memory: memory === undefined ? null : memory.heap + memory.external,
      job: one?.flights[one.chunk.running ?? 0]?.job.id ?? null,
    };
  });
  const known = [...types.values()].map(
    ({ type, maxAttempts, priority, queue, timeout, redact, concurrency }) => ({
      type,
      maxAttempts,
      priority,
      queue,
      timeout,
      redact,
      ...(Number.isFinite(concurrency) ? { concurrency } : {}),
    }),
  );
  const target = scaler?.target ?? minWorkers;
  return JSON.stringify({
    version,
    target,
    min: minWorkers,
    max: maxWorkers,
    queues,
    retiring,
    workers,
    types: known,
    schedules,
    socket: api?.socket ?? null,
    http: api?.http ?? null,
  });
}
