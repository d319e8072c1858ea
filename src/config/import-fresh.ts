/** Importing a file as it is now, also where it was imported before. */

import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loadProblem, syntaxProblem } from '../syntax.ts';
import { usersCode } from '../users-code.ts';

/** Node keeps what it has imported, by address; an address with another of these is new to it. */
const READING = 'reading';

let readings = 0;

/** Imports a file, and what it imports itself, anew. Of a slip in their syntax the error tells the line. */
export async function importFresh(path: string): Promise<unknown> {
  const root = resolve(path);
  const url = pathToFileURL(root);
  let last = root;
  readings += 1;
  if (readings > 1) url.searchParams.set(READING, String(readings));
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const reading = readingOf(context.parentURL);
      if (reading === null || !found.url.startsWith('file:')) return found;
      const fresh = new URL(found.url);
      fresh.searchParams.set(READING, reading);
      return { ...found, url: fresh.href };
    },
    load(address, context, next) {
      if (address.startsWith('file:')) last = fileURLToPath(address);
      return next(address, context);
    },
  });
  try {
    return await usersCode(() => import(url.href) as Promise<unknown>);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const problem = loadProblem(error, root, last);
    const told = syntaxProblem(problem.path) ?? problem.message;
    throw new Error(problem.path === root ? told : `${problem.path}, ${told}`, { cause: error });
  } finally {
    hooks.deregister();
  }
}

function readingOf(parent: string | undefined): string | null {
  return parent?.startsWith('file:') === true ? new URL(parent).searchParams.get(READING) : null;
}
