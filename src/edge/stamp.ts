/** A file whose age says when something was done last, for where no database can be asked. */

import { createHash } from 'node:crypto';
import { lstatSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A stamp counts for so long, in milliseconds. */
const FRESH_MS = 3_600_000;

export class Stamp {
  readonly #paths: readonly string[];

  /** In the first of the folders that takes it; `what` tells it from others. */
  constructor(folders: readonly string[], what: string) {
    const name = createHash('sha256').update(resolve(what)).digest('hex').slice(0, 16);
    this.#paths = folders
      .filter((folder) => folder !== '')
      .map((folder) => join(folder, `passito-alert-${name}`));
  }

  /** Whether it was renewed within the last hour. Another user's file, or a link, is none. */
  isFresh(): boolean {
    return this.#paths.some((path) => {
      const stats = lstat(path);
      if (stats?.isFile() !== true || stats.uid !== (process.getuid?.() ?? stats.uid)) return false;
      const age = Date.now() - stats.mtimeMs;
      return age >= 0 && age < FRESH_MS;
    });
  }

  /** As if it had never been. */
  remove(): void {
    for (const path of this.#paths) {
      try {
        rmSync(path, { force: true });
      } catch {
        // Somebody else's, or the folder is: it did not count.
      }
    }
  }

  /** Does nothing where no folder can be written: then too much is told rather than too little. */
  renew(): void {
    for (const path of this.#paths) {
      try {
        // Made anew, never written through what somebody else may have put there.
        rmSync(path, { force: true });
        writeFileSync(path, '', { mode: 0o600, flag: 'wx' });
        return;
      } catch {
        // The next folder may do.
      }
    }
  }
}

function lstat(path: string) {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
