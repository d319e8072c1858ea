/** The worker threads of a process: what they are given, how many there may be, and which types they know. */

import { randomBytes } from 'node:crypto';
import { filesRoot, mailSettings, stateFolder } from './app.ts';
import { threadEntry } from './build-info.ts';
import type { Config } from './config.ts';
import { MAX_WORKERS } from './config/keys.ts';
import { type JobFiles, syntaxProblem } from './edge/job-files.ts';
import type { Log } from './edge/log.ts';
import { holderName, ownGroup, ownIdentity } from './edge/machine.ts';
import type { Events } from './engine/events.ts';
import { causeOfDeath } from './engine/flight.ts';
import { Pool } from './engine/pool.ts';
import { DEFAULTS, type JobType } from './engine/types.ts';
import type { Description, WorkerSetup } from './engine/wire.ts';
import { collectTypes, commandJobs } from './job-types.ts';

/** A job file that does not finish loading holds up the start no longer than this, in milliseconds. */
const DESCRIBE_MS = 15_000;

/** Threads, and the types that they know. */
export interface Threads {
  pool: Pool;
  types: ReadonlyMap<string, JobType>;
}

/** Starts the pool and asks a thread for the types. Throws, with no thread left, where a job file is wrong. */
export function startThreads({
  config,
  kind,
  jobFiles,
  databaseId,
  events,
  log,
}: {
  config: Config;
  kind: 'supervisor' | 'worker';
  jobFiles: JobFiles;
  databaseId: string;
  events: Events;
  log: Log;
}): Promise<Threads> {
  const { minWorkers, maxWorkers } = config.settings;
  return start({
    minThreads: minWorkers,
    // `passito scale` may ask for more than was configured: the pool has room, and the scaler says how much of it counts.
    maxThreads: kind === 'supervisor' ? MAX_WORKERS : maxWorkers,
    setup: workerSetup(config, jobFiles, databaseId),
    events,
    choose(description) {
      for (const path of description.helpers) {
        log.info({ path }, 'no default export: taken for a helper of other files');
      }
      return collectTypes(description, config);
    },
  });
}

/**
 * Starts one thread for one job that somebody watches; what its handler prints is written at once. It wants no database:
 * its mails bear a name that no other one's do. `choose`: see {@link Wanted}.
 */
export function startOneThread(
  config: Config,
  jobFiles: JobFiles,
  events: Events,
  choose: Wanted['choose'],
): Promise<Threads> {
  const setup = workerSetup(config, jobFiles, randomBytes(6).toString('hex'));
  return start({ minThreads: 1, maxThreads: 1, setup: { ...setup, prints: true }, events, choose });
}

/** What is to be started. */
interface Wanted {
  minThreads: number;
  maxThreads: number;
  setup: WorkerSetup;
  events: Events;
  /** Makes types of what a thread has found. Throws where something is wrong with it. */
  choose: (description: Description) => ReadonlyMap<string, JobType>;
}

async function start(wanted: Wanted): Promise<Threads> {
  const pool = createPool(wanted, DEFAULTS.memoryLimit);
  try {
    const types = wanted.choose(await describe(pool));
    // Known only now: a type that may hold more than usual needs threads with more room.
    const largest = Math.max(...[...types.values()].map(({ memoryLimit }) => memoryLimit));
    if (largest <= pool.heapLimit) return { pool, types };
    await pool.destroy();
    return { pool: createPool(wanted, largest), types };
  } catch (error) {
    await pool.destroy();
    throw error;
  }
}

function workerSetup(config: Config, jobFiles: JobFiles, databaseId: string): WorkerSetup {
  const files = filesRoot(config);
  return {
    jobFiles: jobFiles.paths,
    compiled: jobFiles.compiled,
    commands: commandJobs(config),
    filesRoot: files,
    holder: holderName(ownIdentity('')),
    group: ownGroup(),
    builtIns: true,
    mail: mailSettings(config, stateFolder(config), files),
    databaseId,
  };
}

function createPool({ minThreads, maxThreads, setup, events }: Wanted, heapLimit: number): Pool {
  return new Pool(
    { entry: threadEntry(), minThreads, maxThreads, heapLimit, setup },
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

async function describe(pool: Pool): Promise<Description> {
  const description = await pool.describe(DESCRIBE_MS);
  for (const problem of description.problems) {
    problem.message = syntaxProblem(problem.path) ?? problem.message;
  }
  return description;
}
