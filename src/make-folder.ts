/** Makes folders. */

import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder with those above it, one by one, and gives the topmost that it made. Node's own way does not end where
 * the system answers that a folder cannot be there although the one above it is, as it does below /proc.
 */
export function makeFolder(path: string, mode: number): string | undefined {
  const folder = resolve(path);
  // What is no folder is said by mkdir.
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return undefined;
  const above = dirname(folder);
  const first = above === folder ? undefined : makeFolder(above, mode);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    // Somebody else made it meanwhile.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return first;
    throw error;
  }
  return first ?? folder;
}
