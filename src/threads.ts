/** The worker threads of a process: what they are given, how many there may be, and which types they know. */

import { databaseId, filesRoot, mailSettings, stateFolder } from './app.ts';
import { threadEntry } from './build-info.ts';
import type { Config } from './config.ts';
import { MAX_WORKERS } from './config/keys.ts';
import { type JobFiles, syntaxProblem } from './edge/job-files.ts';
import type { Log } from './edge/log.ts';
import { holderName, ownIdentity } from './edge/machine.ts';
import type { Events } from './engine/events.ts';
import { causeOfDeath } from './engine/flight.ts';
import { Pool } from './engine/pool.ts';
import { DEFAULTS, type JobType } from './engine/types.ts';
import type { WorkerSetup } from './engine/wire.ts';
import { collectTypes, commandJobs } from './job-types.ts';
import type { SqliteStore } from './store/sqlite/store.ts';

/** A job file that does not finish loading holds up the start no longer than this, in milliseconds. */
const DESCRIBE_MS = 15_000;

/** Starts the pool and asks a thread for the types. Throws, with no thread left, where a job file is wrong. */
export async function startThreads({
  config,
  kind,
  jobFiles,
  store,
  events,
  log,
}: {
  config: Config;
  kind: 'supervisor' | 'worker';
  jobFiles: JobFiles;
  store: SqliteStore;
  events: Events;
  log: Log;
}): Promise<{ pool: Pool; types: ReadonlyMap<string, JobType> }> {
  const setup = await workerSetup(config, jobFiles, store);
  const pool = createPool(config, kind, setup, events, DEFAULTS.memoryLimit);
  try {
    const types = await learnTypes(pool, config, log);
    // Known only now: a type that may hold more than usual needs threads with more room.
    const largest = Math.max(...[...types.values()].map(({ memoryLimit }) => memoryLimit));
    if (largest <= pool.heapLimit) return { pool, types };
    await pool.destroy();
    return { pool: createPool(config, kind, setup, events, largest), types };
  } catch (error) {
    await pool.destroy();
    throw error;
  }
}

async function workerSetup(config: Config, jobFiles: JobFiles, store: SqliteStore): Promise<WorkerSetup> {
  const files = filesRoot(config);
  return {
    jobFiles: jobFiles.paths,
    compiled: jobFiles.compiled,
    commands: commandJobs(config),
    filesRoot: files,
    holder: holderName(ownIdentity('')),
    builtIns: true,
    mail: mailSettings(config, stateFolder(config), files),
    databaseId: await databaseId(store),
  };
}

function createPool(
  { settings }: Config,
  kind: 'supervisor' | 'worker',
  setup: WorkerSetup,
  events: Events,
  heapLimit: number,
): Pool {
  return new Pool(
    {
      entry: threadEntry(),
      minThreads: settings.minWorkers,
      // `passito scale` may ask for more than was configured: the pool has room, and the scaler says how much of it counts.
      maxThreads: kind === 'supervisor' ? MAX_WORKERS : settings.maxWorkers,
      heapLimit,
      setup,
    },
    {
      message: (line) => events.emit('log', line),
      // Either the pool's own words, or what the thread died of.
      threadDied: (worker, error) => {
        const reason = typeof error === 'string' ? error : causeOfDeath(error, 'the pool').message;
        events.emit('workerDied', { worker, reason });
      },
    },
  );
}

async function learnTypes(pool: Pool, config: Config, log: Log): Promise<ReadonlyMap<string, JobType>> {
  const description = await pool.describe(DESCRIBE_MS);
  for (const problem of description.problems) {
    problem.message = syntaxProblem(problem.path) ?? problem.message;
  }
  for (const path of description.helpers) {
    log.info({ path }, 'no default export: taken for a helper of other files');
  }
  return collectTypes(description, config);
}
