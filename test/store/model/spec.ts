/**
 * The state machine, as the specification words it. The model and the properties know it from here, and
 * nothing of the code under test.
 */

export type State = 'blocked' | 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';

const TEXT = `
dispatch  ∅ → pending | blocked             (blocked: waits for its dependencies)
unblock   blocked → pending                 (the last dependency completed, in that same transaction)
claim     pending → processing              (lease + 1, attempt + 1)
complete  processing → completed
retry     processing → pending              (available_at = now + backoff)
fail      processing → failed               (attempts spent, or the handler said discard)
release   processing → pending              (drain, snooze: the attempt is given back)
expire    processing → pending | failed     (lease lapsed: crash; due at once; attempt given back, crashes + 1)
cancel    blocked | pending | processing → cancelled
revive    failed | cancelled → pending | blocked   (an admin's retry: grants one more attempt)`;

/** "A job that kills its process fails after 3 crashes with that reason." */
export const FATAL_CRASHES = 3;

export interface Arrow {
  from: readonly string[];
  to: readonly string[];
}

/** Every move; a dispatch comes from `∅`. */
export const ARROWS: ReadonlyMap<string, Arrow> = new Map(
  TEXT.trim()
    .split('\n')
    .map((line) => {
      const [, name = '', from = '', to = ''] = /^(\w+) +(.+?) → ([\w |]+?) *(?:\(.*)?$/.exec(line)!;
      return [name, { from: from.split(' | '), to: to.split(' | ') }];
    }),
);

/** Who may make which move: the verb of the store, and the moves that its transaction may contain. */
export const MOVES_OF: Readonly<Record<string, readonly string[]>> = {
  insert: ['dispatch'],
  foreign: ['dispatch'],
  // A handler's dispatches ride in the transaction that completes its job.
  exchange: ['complete', 'retry', 'fail', 'release', 'unblock', 'dispatch', 'claim'],
  expire: ['expire'],
  cancel: ['cancel'],
  revive: ['revive'],
  remove: ['delete'],
  prune: ['delete'],
};

/** How an attempt ends that still had its lease. */
export const SETTLES: ReadonlySet<string> = new Set(['complete', 'retry', 'fail', 'release']);

/** "While such a job is blocked, pending or processing a second dispatch returns the first one's id." */
export const LIVE: ReadonlySet<string> = new Set(['blocked', 'pending', 'processing']);

/** As every table keeps time. */
export function textOf(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 23);
}
