/** What a command can learn of a job type: from its file in the jobs folder, or from a supervisor that knows it. */

import { existsSync, readdirSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import type { Config } from '../../config.ts';
import { errors, messageOf } from '../../errors.ts';
import type { Verdict } from '../../engine/wire.ts';
import { nearest } from '../../nearest.ts';
import { checkPayload } from '../../runner/check.ts';
import { installHooks, type LoadedJob, loadJobFile, problemOf } from '../../runner/loader.ts';
import { usersCode } from '../../users-code.ts';
import { readJobFiles, syntaxProblem } from '../job-files.ts';

const EXTENSIONS = ['.ts', '.js', '.mts', '.mjs', '.cts', '.cjs'];

/** The file that bears the type's name; undefined where there is none. */
export function fileOfType(type: string, config: Config): string | undefined {
  const folder = resolve(config.settings.jobsFolder);
  return EXTENSIONS.map((extension) => join(folder, `${type}${extension}`)).find((candidate) =>
    existsSync(candidate),
  );
}

/** The definition in that file; undefined where it defines no such type. */
async function typeFromFolder(type: string, config: Config): Promise<LoadedJob | undefined> {
  const path = fileOfType(type, config);
  if (path === undefined) return undefined;
  installHooks(readJobFiles(config).compiled);
  try {
    const definition = await usersCode(() => loadJobFile(path));
    return definition?.type === type ? definition : undefined;
  } catch (error) {
    throw errors.badJobFiles([told(error, path)]);
  }
}

function told(error: unknown, path: string): { path: string; message: string } {
  const problem = problemOf(error, path);
  return { ...problem, message: syntaxProblem(problem.path) ?? problem.message };
}

/** The definition of a type that is known here without a supervisor: from its file, or built in. */
export async function knownType(type: string, config: Config): Promise<LoadedJob | undefined> {
  const own = await typeFromFolder(type, config);
  if (own !== undefined) return own;
  const { officeJobs } = await import('../../outpass/jobs.ts');
  return (officeJobs as unknown as LoadedJob[]).find((job) => job.type === type);
}

/** The known type that somebody may have meant by one that nobody knows. */
export async function nearestType(
  type: string,
  config: Config,
  published: readonly string[],
): Promise<string | undefined> {
  const { officeJobs } = await import('../../outpass/jobs.ts');
  const builtIn = officeJobs.map((job) => job.type ?? '');
  const known = [...builtIn, ...Object.keys(config.jobs), ...fileNames(config), ...published];
  return known.includes(type) ? undefined : nearest(type, known);
}

/** Files mostly bear their type's name; loading all of them for a guess would take too long. */
function fileNames(config: Config): string[] {
  try {
    return readdirSync(config.settings.jobsFolder)
      .filter((name) => EXTENSIONS.includes(extname(name)))
      .map((name) => basename(name, extname(name)));
  } catch {
    return [];
  }
}

/** The key under which a job with this payload is unique, if it is. Refuses a payload that does not fit the schema. */
export async function checkedKey(definition: LoadedJob, payload: string): Promise<string | undefined> {
  const { problem, uniqueKey } = await usersCode(() => checkPayload(definition, payload)).catch(
    (error: unknown): Verdict => ({ problem: messageOf(error) }),
  );
  if (problem !== undefined) throw errors.badPayload(definition.type, problem);
  return uniqueKey;
}
