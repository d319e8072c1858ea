/** An approval and its three jobs: one transaction, so that neither can be without the other. */

import { newJob } from '../../engine/queue.ts';
import type { Inserted } from '../../engine/store.ts';
import { passChain } from '../../outpass/chain.ts';
import type { SqliteOffice } from './office.ts';
import type { SqliteStore } from './store.ts';

/** Approves a pass and dispatches QR code → document → mail; gives the jobs in that order. */
export async function approvePass(
  store: SqliteStore,
  office: SqliteOffice,
  id: number,
  by: string,
): Promise<Inserted[]> {
  const chain = passChain(id);
  const places = new Map(chain.map(({ ref }, index) => [ref, index]));
  const jobs = chain.map(({ type, payload, dependsOn }) =>
    newJob({
      type,
      payload: JSON.stringify(payload),
      dependsOn: dependsOn.map((ref) => ({ index: places.get(ref) as number })),
    }),
  );
  return store.write((now) => {
    office.approvePass(id, by, now);
    return store.insertNow(jobs, now);
  });
}
