/** Where a script breaks: Node tells it of some files, and can be made to tell it of others. */

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Node's errors of syntax mostly begin their stack with `path:line`. */
const PLACE = /^((?:file:\/\/)?\/.*?):(\d+)\n/;

/** JavaScript for a TypeScript file: its types are erased, not checked. Throws with the line where that cannot be. */
export function eraseTypes(path: string): string {
  return withoutWarning(() =>
    stripTypeScriptTypes(readFileSync(path, 'utf8'), { mode: 'strip', sourceUrl: path }),
  );
}

/** Node tells of the eraser that it is experimental; that is not the admin's concern. */
function withoutWarning<T>(action: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** What is wrong with the syntax of a JavaScript file, with its line, which the loader's own error may not say. */
export function syntaxProblem(path: string): string | undefined {
  if (!/\.[cm]?js$/.test(path)) return undefined;
  try {
    eraseTypes(path);
    return undefined;
  } catch (error) {
    return loadProblem(error, path).message;
  }
}

/** Why a script cannot be loaded, and which: it may be one that it imports. `last` is the one that was loaded last. */
export function loadProblem(error: unknown, path: string, last = path): { path: string; message: string } {
  if (!(error instanceof Error)) return { path, message: `it threw ${String(error)} while it was loaded` };
  if (!(error instanceof SyntaxError)) return { path, message: error.message };
  const { stack = '', message } = error;
  const [, place, line] = PLACE.exec(stack) ?? [];
  if (place !== undefined) {
    const at = place.startsWith('file:') ? fileURLToPath(place) : place;
    return { path: at, message: `line ${line}: ${message}` };
  }
  // V8 does not tell which module it was compiling.
  return { path: stack.includes('compileSourceTextModule') ? last : path, message };
}
