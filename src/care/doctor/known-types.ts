/** Loads the job files in a thread, as a supervisor does: one that ends its process or never comes back does no harm. */

import { filesRoot } from '../../app.ts';
import { threadEntry } from '../../build-info.ts';
import type { Config } from '../../config.ts';
import { readJobFiles, syntaxProblem } from '../../edge/job-files.ts';
import { holderName, ownGroup, ownIdentity } from '../../edge/machine.ts';
import { Pool } from '../../engine/pool.ts';
import { DEFAULTS } from '../../engine/types.ts';
import { collectTypes, commandJobs, strayOptions } from '../../job-types.ts';

const PATIENCE_MS = 15_000;

/** How many types there are, and options that belong to none. Throws what a supervisor would refuse to start with, of all files. */
export async function knownTypes(
  config: Config,
): Promise<{ types: number; strays: ReturnType<typeof strayOptions> }> {
  const { paths, compiled } = readJobFiles(config);
  const setup = {
    jobFiles: paths,
    compiled,
    commands: commandJobs(config),
    filesRoot: filesRoot(config),
    holder: holderName(ownIdentity('')),
    group: ownGroup(),
    builtIns: true,
    mail: {},
    databaseId: '',
  };
  const pool = new Pool(
    { entry: threadEntry(), minThreads: 1, maxThreads: 1, heapLimit: DEFAULTS.memoryLimit, setup },
    { message: () => undefined, threadDied: () => undefined },
  );
  try {
    const description = await pool.describe(PATIENCE_MS);
    const { problems } = description;
    if (problems.length > 1) {
      throw new Error(
        problems.map(({ path, message }) => `${path}: ${syntaxProblem(path) ?? message}`).join('; '),
      );
    }
    for (const problem of problems) problem.message = syntaxProblem(problem.path) ?? problem.message;
    const types = collectTypes(description, config);
    return { types: types.size, strays: strayOptions(types, config) };
  } finally {
    await pool.destroy();
  }
}
