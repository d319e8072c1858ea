/** Removing the files of passes whose time is over. The records stay. */

import type { JobFiles } from '../engine/handler.ts';

/** A pass whose window and grace have passed, with what is still kept for it. */
export interface OverduePass {
  id: number;
  /** Names in the files folder. */
  files: string[];
  /** Whether it is still in a status that time ends. */
  expires: boolean;
}

/** What a clean-up did, or would do. */
export interface CleanupCounts {
  /** Passes that lost files or expired. */
  passes: number;
  /** Passes that became `expired`. */
  expired: number;
  files: number;
  bytes: number;
  /** Files that were left: a name outside the folder, or behind a link. */
  refused: number;
}

/** What the clean-up needs of the office; passes come by id, those after `after` first. */
export interface CleanupOffice {
  overduePasses(after: number, limit: number): Promise<OverduePass[]>;
  /** Forgets the files of these passes and moves those that time ends to `expired`. */
  closePasses(ids: number[]): Promise<void>;
}

/** Passes in one transaction: a few milliseconds of the database's time. */
const BATCH = 200;

/**
 * Removes what is overdue. Files go before their names are forgotten, so a kill in between leaves nothing behind:
 * the next run finds the names, and no files. With `dryRun` nothing changes.
 * @param report called after each batch; its rejection ends the clean-up
 */
export async function cleanUp(
  office: CleanupOffice,
  files: Pick<JobFiles, 'remove' | 'size'>,
  dryRun: boolean,
  report: (counts: CleanupCounts, refusal?: string) => Promise<void> | void,
): Promise<CleanupCounts> {
  const counts: CleanupCounts = { passes: 0, expired: 0, files: 0, bytes: 0, refused: 0 };
  let after = 0;
  for (;;) {
    const batch = await office.overduePasses(after, BATCH);
    const last = batch.at(-1);
    if (last === undefined) return counts;
    after = last.id;
    for (const pass of batch) {
      counts.passes++;
      if (pass.expires) counts.expired++;
      for (const name of pass.files) {
        try {
          const bytes = await (dryRun ? files.size(name) : files.remove(name));
          if (bytes === undefined) continue;
          counts.files++;
          counts.bytes += bytes;
        } catch (error) {
          counts.refused++;
          await report(
            counts,
            `outpass #${pass.id}: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
      }
    }
    if (!dryRun) await office.closePasses(batch.map(({ id }) => id));
    await report(counts);
  }
}
