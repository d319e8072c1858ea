/** Finds the type that is to be tried, and starts a thread that knows it. No job file is loaded outside of threads. */

import type { Config } from '../../config.ts';
import type { Events } from '../../engine/events.ts';
import { BUILT_IN, type Description } from '../../engine/wire.ts';
import { errors } from '../../errors.ts';
import { collectTypes, commandJobs } from '../../job-types.ts';
import { nearest } from '../../nearest.ts';
import { startOneThread, type Threads } from '../../threads.ts';
import { type JobFiles, readJobFiles } from '../job-files.ts';
import { fileOfType } from './type-info.ts';

/** Where a type may be found: in these files, or else in the program itself. */
interface Place {
  jobFiles: JobFiles;
  orBuiltIn: boolean;
}

/** Throws where nobody knows the type, or what may define it is broken. */
export async function threadFor(type: string, config: Config, events: Events): Promise<Threads> {
  for (const { jobFiles, orBuiltIn } of places(type, config)) {
    const threads = await startOneThread(config, jobFiles, events, (description) =>
      collectTypes(named(type, description, orBuiltIn), config),
    );
    if (threads.types.has(type)) return threads;
    await threads.pool.destroy();
  }
  throw await unknown(type, config);
}

/** A command of the config file; the file that bears the name, alone, since others may be slow or broken; all files. */
function* places(type: string, config: Config): Generator<Place> {
  if (commandJobs(config)[type] !== undefined) {
    yield { jobFiles: { paths: [], compiled: new Map() }, orBuiltIn: false };
    return;
  }
  const path = fileOfType(type, config);
  if (path !== undefined) yield { jobFiles: readJobFiles(config, path), orBuiltIn: false };
  yield { jobFiles: readJobFiles(config), orBuiltIn: true };
}

/** What a thread has found of one type. A file that is broken may be the one that was to define it. */
function named(type: string, { types, problems }: Description, orBuiltIn: boolean): Description {
  const found = types.filter((one) => one.type === type);
  const own = found.some(({ source }) => source !== BUILT_IN);
  return {
    types: own || orBuiltIn ? found : [],
    problems: own ? [] : problems,
    helpers: [],
  };
}

async function unknown(type: string, config: Config): Promise<Error> {
  const { officeJobs } = await import('../../outpass/jobs.ts');
  const files = readJobFiles(config).paths.map((path) => path.replace(/^.*\//, '').replace(/\.\w+$/, ''));
  const builtIns = officeJobs.map((job) => job.type ?? '');
  return errors.unknownType(
    type,
    nearest(type, [...files, ...builtIns, ...Object.keys(commandJobs(config))]),
  );
}
