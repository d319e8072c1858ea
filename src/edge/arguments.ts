/**
 * The command line as it was typed. Node looks through the words for its own `--env-file` before any
 * program runs, also in an executable: it takes the option out and puts the file's values into the
 * environment, where they would outrank the environment itself and reach every handler. Linux still
 * knows what was typed and what the environment was.
 */

import { readFileSync } from 'node:fs';

/** Words after the program's name; undoes what Node made of `--env-file` in `process.env`. */
export function typedWords(packaged: boolean): string[] {
  const seen = process.argv.slice(2);
  if (!packaged) return seen;
  const typed = readList('/proc/self/cmdline');
  if (typed === undefined || !typed.some((word) => word.startsWith('--env-file'))) return seen;
  restoreEnvironment();
  return typed.slice(1);
}

function restoreEnvironment(): void {
  const original = readList('/proc/self/environ');
  if (original === undefined) return;
  const names = new Set(original.map((entry) => entry.slice(0, entry.indexOf('='))));
  for (const name of Object.keys(process.env)) if (!names.has(name)) delete process.env[name];
}

/** A list of texts with zero bytes between them. */
function readList(path: string): string[] | undefined {
  try {
    return readFileSync(path, 'utf8').split('\0').slice(0, -1);
  } catch {
    return undefined;
  }
}
