/** What `passito doctor --fix` does: rights, missing folders, the log. Nothing of it loses anything. */

import { chmodSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import { makeFolder } from '../../make-folder.ts';
import { emptyLog } from '../../store/sqlite/snapshot.ts';
import { quoted } from '../../escape.ts';
import type { Finding, Fix } from './finding.ts';

/** Mends what can be mended; gives a line for each, and whether it went well. */
export async function mend(
  findings: readonly Finding[],
  database: string,
): Promise<{ done: string[]; failed: string[] }> {
  const [done, failed]: [string[], string[]] = [[], []];
  for (const { fix } of findings) {
    if (fix === undefined) continue;
    try {
      done.push(...(await apply(fix, database)));
    } catch (error) {
      failed.push(messageOf(error));
    }
  }
  return { done, failed };
}

async function apply(fix: Fix, database: string): Promise<string[]> {
  switch (fix.kind) {
    case 'modes':
      for (const { path, mode } of fix.modes) chmodSync(path, mode);
      return fix.modes.map(({ path, mode }) => `chmod ${mode.toString(8)} ${quoted(path)}`);
    case 'folder':
      makeFolder(fix.path, fix.mode);
      return [`mkdir -p ${quoted(fix.path)}`];
    case 'log':
      if (!(await emptyLog(database))) {
        throw new Error('The write-ahead log is still read by another program');
      }
      return ['wrote the write-ahead log into the database'];
  }
}
