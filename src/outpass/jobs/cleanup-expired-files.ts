/** CleanupExpiredFiles: passes past their window and grace lose their files and become `expired`. */

import { boolean, object, optional } from 'zod/mini';
import type { JobDefinition } from '../../engine/handler.ts';
import { cleanUp } from '../cleanup.ts';
import type { OfficeContext } from '../office.ts';

/** What a clean-up may be told. */
export interface CleanupPayload {
  dry_run?: boolean | undefined;
}

/** Run twice, the second finds nothing to do. */
export const cleanupExpiredFiles: JobDefinition<CleanupPayload, OfficeContext> = {
  type: 'CleanupExpiredFiles',
  timeout: '1h',
  unique: 'cleanup',
  schema: object({ dry_run: optional(boolean('must be true or false')) }, 'must be an object such as {}'),
  async handle({ dry_run: dryRun = false }, { office, files, log }) {
    const counts = await cleanUp(office, files, dryRun, (_, refusal) => {
      if (refusal !== undefined) log.warn('a file was left where it is', { reason: refusal });
    });
    return { ...counts, dry_run: dryRun };
  },
};
