/** What is decided about a pass, and the jobs that follow: one transaction, so that neither can be without the other. */

import { newJob } from '../../engine/queue.ts';
import type { Inserted, NewJob } from '../../engine/store.ts';
import { passChain } from '../../outpass/chain.ts';
import type { Decision, LinkState } from '../../outpass/parent/link.ts';
import type { PassDetails } from '../../outpass/office.ts';
import type { SqliteOffice } from './office.ts';
import type { SqliteStore } from './store.ts';

/** Approves a pass, now or as of `at`, and dispatches QR code → document → mail; gives the jobs in that order. */
export async function approvePass(
  store: SqliteStore,
  office: SqliteOffice,
  id: number,
  by: string,
  at?: number,
): Promise<Inserted[]> {
  const jobs = chainJobs(id);
  return store.write((now) => {
    office.approvePass(id, by, at ?? now);
    return store.insertNow(jobs, now);
  });
}

/** Rejects a pass and dispatches the mail that tells the student. */
export async function rejectPass(
  store: SqliteStore,
  office: SqliteOffice,
  id: number,
  note: { by: string; remarks: string | null },
): Promise<{ pass: PassDetails; mail: Inserted }> {
  const payload = JSON.stringify({ outpass_id: id, kind: 'rejected' });
  return store.write((now) => {
    const pass = office.movePass(id, 'reject', { ...note, at: now });
    const [mail] = store.insertNow([newJob({ type: 'SendOutpassEmail', payload })], now);
    return { pass, mail: mail as Inserted };
  });
}

/**
 * Writes a parent's answer, and gives where the link stood: nothing is changed unless that was `open`. Where a yes is
 * all that a pass needs, it approves the pass and dispatches the chain in the same transaction.
 */
export async function answerParent(
  store: SqliteStore,
  office: SqliteOffice,
  hash: string,
  decision: Decision,
  approves: boolean,
): Promise<{ passId: number; state: LinkState } | undefined> {
  return store.write((now) => {
    const found = office.parentDecides(hash, decision, now);
    if (found?.state === 'open' && decision === 'parent_approved' && approves) {
      office.approvePass(found.passId, 'the parent', now);
      store.insertNow(chainJobs(found.passId), now);
    }
    return found;
  });
}

function chainJobs(id: number): NewJob[] {
  const chain = passChain(id);
  const places = new Map(chain.map(({ ref }, index) => [ref, index]));
  return chain.map(({ type, payload, dependsOn }) =>
    newJob({
      type,
      payload: JSON.stringify(payload),
      dependsOn: dependsOn.map((ref) => ({ index: places.get(ref) as number })),
    }),
  );
}
