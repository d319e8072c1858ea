/** Which job types a process knows: built in, from the jobs folder, and from the config file. */

import type { Config } from './config.ts';
import { completeType, type JobType } from './engine/types.ts';
import { BUILT_IN, COMMAND, type CommandJob, type DescribedType, type Description } from './engine/wire.ts';
import { errors } from './errors.ts';
import { nearest } from './nearest.ts';

/** The command jobs of the config file. */
export function commandJobs(config: Config): Record<string, CommandJob> {
  return Object.fromEntries(
    Object.entries(config.jobs).filter(
      (entry): entry is [string, CommandJob] => entry[1].command !== undefined,
    ),
  );
}

/** Puts together what a thread found with what the config file says. Throws where files are bad, or two claim one type. */
export function collectTypes({ types, problems }: Description, config: Config): Map<string, JobType> {
  if (problems.length > 0) throw errors.badJobFiles(problems);
  const found = new Map<string, DescribedType>();
  for (const type of types) {
    const other = found.get(type.type);
    if (other?.source === BUILT_IN && type.override !== true) {
      throw errors.builtInType(type.type, place(type, config));
    }
    if (other !== undefined && other.source !== BUILT_IN) {
      throw errors.duplicateType(type.type, place(other, config), place(type, config));
    }
    found.set(type.type, type);
  }
  return new Map([...found].map(([name, type]) => [name, completeType({ ...type, ...config.jobs[name] })]));
}

/** Options in the config file for types that nothing defines: nobody would notice that they do nothing. */
export function strayOptions(
  types: ReadonlyMap<string, JobType>,
  config: Config,
): { type: string; nearest?: string }[] {
  return Object.keys(config.jobs)
    .filter((type) => !types.has(type))
    .map((type) => {
      const close = nearest(type, [...types.keys()]);
      return { type, ...(close === undefined ? {} : { nearest: close }) };
    });
}

function place(type: DescribedType, config: Config): string {
  return type.source === COMMAND
    ? `the config file (jobs.${type.type})`
    : type.source === BUILT_IN
      ? `${config.settings.appName} itself`
      : type.source;
}
