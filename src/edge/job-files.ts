/** The jobs folder: which files define jobs, and their TypeScript turned into JavaScript, once. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Config, refuseUnsafe } from '../config.ts';
import { errors } from '../errors.ts';
import { eraseTypes } from '../syntax.ts';

export { syntaxProblem } from '../syntax.ts';

/** What the threads need of a jobs folder. */
export interface JobFiles {
  /** Absolute paths of the files directly in the folder, and of those below that are broken: all are to be told. */
  paths: string[];
  /** JavaScript by absolute path, for every script in the folder and below. */
  compiled: Map<string, string>;
}

const SCRIPT = /\.[cm]?[jt]s$/;
const TYPESCRIPT = /\.[cm]?ts$/;
const DECLARATION = /\.d\.[cm]?ts$/;

/**
 * Reads the folder. The default one need not be there; one that somebody named must. As root, what others can change is
 * refused, the folders as well: a file may be put into them. `only`: the one file that is wanted; one that cannot be
 * compiled beside it is told where it is imported.
 */
export function readJobFiles({ settings, origins }: Config, only?: string): JobFiles {
  const root = resolve(settings.jobsFolder);
  const named = origins.jobsFolder !== 'default';
  const found = statSync(root, { throwIfNoEntry: false });
  if (found === undefined && !named) return { paths: [], compiled: new Map() };
  if (found === undefined) throw errors.badFile(`the jobs folder ${root}`, 'there is no such folder');
  if (!found.isDirectory()) throw errors.badFile(`the jobs folder ${root}`, 'it is not a folder');
  refuseUnsafe('The jobs folder', root);
  const all = scripts(root);
  for (const path of all) refuseUnsafe('The job file', path);
  // Kept as they are now: threads start later, and a reload that is refused must change nothing.
  const compiled = new Map<string, string>();
  const broken = new Set<string>();
  for (const path of all) {
    const script = TYPESCRIPT.test(path)
      ? compile(path)
      : { source: readFileSync(path, 'utf8'), broken: false };
    compiled.set(path, script.source);
    if (script.broken) broken.add(path);
  }
  const paths =
    only === undefined ? all.filter((path) => dirname(path) === root || broken.has(path)) : [only];
  return { paths, compiled };
}

function scripts(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(root, entry.name);
      if (entry.isDirectory()) {
        if (entry.name === 'node_modules' || entry.name.startsWith('.')) return [];
        refuseUnsafe('The jobs folder', path);
        return scripts(path);
      }
      return SCRIPT.test(entry.name) && !DECLARATION.test(entry.name) ? [path] : [];
    })
    .sort();
}

/** What cannot be made into JavaScript tells so when it is loaded: then all faults of all files are told at once. */
function compile(path: string): { source: string; broken: boolean } {
  try {
    return { source: eraseTypes(path), broken: false };
  } catch (error) {
    const { message, stack } = error as Error;
    const words = JSON.stringify(message);
    const source = `throw Object.assign(new SyntaxError(${words}), { stack: ${JSON.stringify(stack)} });`;
    return { source, broken: true };
  }
}
