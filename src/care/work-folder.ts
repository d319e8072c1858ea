/** Folders for work that may be cut off: named after their process, so that what a killed one left is known and removed. */

import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { holderName, ownIdentity, stillRuns } from '../edge/machine.ts';

/** A name from another boot may be another machine's, on a shared disk: it is left alone for a day, in milliseconds. */
const FOREIGN_MS = 86_400_000;

/** Makes a folder of one's own inside `parent`, and removes those of processes that are gone. */
export function workFolder(parent: string, purpose: 'backup' | 'restore'): string {
  sweep(parent, `.passito-${purpose}-`);
  const folder = join(parent, `.passito-${purpose}-${holderName(ownIdentity(''))}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

function sweep(parent: string, prefix: string): void {
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const folder = join(parent, name);
    const runs = stillRuns(name.slice(prefix.length));
    if (runs === 'here') continue;
    if (runs === 'elsewhere' && Date.now() - statSync(folder).mtimeMs < FOREIGN_MS) continue;
    rmSync(folder, { recursive: true, force: true });
  }
}
