/** A parent's link: what it is about, where it stands, and what may still be answered. Pure. */

import type { PassDetails, PassStatus } from '../office.ts';

/** What a parent can say. */
export type Decision = 'parent_approved' | 'parent_denied';

/** How long a link must still hold to be worth sending, in milliseconds: after that nobody tries to send it. */
export const LEAST_TO_ANSWER = 60_000;

/** A question as its row and its pass tell it. Times are UTC text. */
export interface Question {
  decision: Decision | null;
  expiresAt: string;
  status: PassStatus;
}

/** Where a link stands: `closed` is a pass that waits for no parent any more. */
export type LinkState = 'open' | 'answered' | 'expired' | 'closed';

/** Whether a link can still be answered; `now` is UTC text. */
export function linkState({ decision, expiresAt, status }: Question, now: string): LinkState {
  if (decision !== null) return 'answered';
  if (status !== 'parent_pending') return 'closed';
  return expiresAt <= now ? 'expired' : 'open';
}

/** A question and its pass, as the parent's page shows them. */
export interface ParentPageFacts {
  state: LinkState;
  decision: Decision | null;
  expiresAt: string;
  pass: PassDetails;
}
