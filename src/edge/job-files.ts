/** The jobs folder: which files define jobs, and their TypeScript turned into JavaScript, once. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { type Config, refuseUnsafe } from '../config.ts';
import { errors, messageOf } from '../errors.ts';

/** What the threads need of a jobs folder. */
export interface JobFiles {
  /** Absolute paths of the files directly in the folder. */
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
  for (const path of all) {
    compiled.set(path, TYPESCRIPT.test(path) ? compile(path, only) : readFileSync(path, 'utf8'));
  }
  return { paths: all.filter((path) => dirname(path) === root && path === (only ?? path)), compiled };
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

/** Types are erased, not checked; what cannot be erased (enums, namespaces) is an error with its line. */
function compile(path: string, only = path): string {
  try {
    return withoutWarning(() =>
      stripTypeScriptTypes(readFileSync(path, 'utf8'), { mode: 'strip', sourceUrl: path }),
    );
  } catch (error) {
    if (path === only) throw errors.badJobFile(path, explain(error));
    return `throw new Error(${JSON.stringify(`${path}: ${explain(error)}`)});\n`;
  }
}

/** Node tells of the stripper that it is experimental; that is not the admin's concern. */
function withoutWarning<T>(action: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Node's syntax errors begin their stack with `path:line`. */
function explain(error: unknown): string {
  const line = error instanceof Error ? /^.*?:(\d+)\n/.exec(error.stack ?? '')?.[1] : undefined;
  return line === undefined ? messageOf(error) : `line ${line}: ${messageOf(error)}`;
}

/** Where the syntax of a JavaScript file breaks, which a thread's own error does not say. */
export function syntaxProblem(path: string): string | undefined {
  if (!/\.[cm]?js$/.test(path)) return undefined;
  try {
    withoutWarning(() =>
      stripTypeScriptTypes(readFileSync(path, 'utf8'), { mode: 'strip', sourceUrl: path }),
    );
    return undefined;
  } catch (error) {
    return explain(error);
  }
}
