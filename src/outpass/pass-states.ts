/** The life of a pass: every status, every legal move and who makes it, and the pure functions that decide. */

import type { PassStatus } from './office.ts';

/** All statuses, in the order in which a pass usually meets them. */
export const passStatuses = [
  'pending',
  'parent_pending',
  'parent_approved',
  'parent_denied',
  'approved',
  'rejected',
  'expired',
  'cancelled',
] as const satisfies readonly PassStatus[];

/** What can be done to a pass. */
export type PassMove =
  | 'askParent'
  | 'parentApproves'
  | 'parentDenies'
  | 'approve'
  | 'reject'
  | 'cancel'
  | 'expire';

/** From which statuses a move may start, where it leads, who makes it, and the word for it in messages. */
interface MoveRule {
  readonly from: readonly PassStatus[];
  readonly to: PassStatus;
  readonly by: string;
  readonly done: string;
}

/** Every move there is, and nothing else. The store applies each as one guarded write. */
export const passMoves: Readonly<Record<PassMove, MoveRule>> = {
  askParent: {
    from: ['pending'],
    to: 'parent_pending',
    by: 'the job that writes to the parent',
    done: 'sent to the parent',
  },
  parentApproves: {
    from: ['parent_pending'],
    to: 'parent_approved',
    by: 'the parent, by the link',
    done: 'approved by the parent',
  },
  parentDenies: {
    from: ['parent_pending'],
    to: 'parent_denied',
    by: 'the parent, by the link',
    done: 'denied by the parent',
  },
  approve: { from: ['pending', 'parent_approved'], to: 'approved', by: 'a warden', done: 'approved' },
  reject: {
    from: ['pending', 'parent_pending', 'parent_approved', 'parent_denied'],
    to: 'rejected',
    by: 'a warden',
    done: 'rejected',
  },
  cancel: {
    from: ['pending', 'parent_pending', 'parent_approved', 'parent_denied', 'approved'],
    to: 'cancelled',
    by: 'the student, or the office',
    done: 'cancelled',
  },
  expire: {
    from: ['pending', 'parent_pending', 'parent_approved', 'parent_denied', 'approved'],
    to: 'expired',
    by: 'the clean-up, once the window is over',
    done: 'expired',
  },
};

/** Where a move leads, or why it may not be made. */
export type MoveVerdict =
  | { readonly ok: true; readonly status: PassStatus }
  | { readonly ok: false; readonly reason: string };

/**
 * Decides a move from the pass's present status alone.
 * @example movePass('approve', 'rejected').reason === 'is rejected; only a pending or parent_approved pass can be approved'
 */
export function movePass(move: PassMove, status: PassStatus): MoveVerdict {
  const rule = passMoves[move];
  if (rule.from.includes(status)) return { ok: true, status: rule.to };
  const already = status === rule.to ? 'already ' : '';
  return {
    ok: false,
    reason: `is ${already}${status}; only a ${oneOf(rule.from)} pass can be ${rule.done}`,
  };
}

/** The move that leads from one status to another, if there is one: each pair has one at most. */
export function moveBetween(from: PassStatus, to: PassStatus): PassMove | undefined {
  const moves = Object.keys(passMoves) as PassMove[];
  return moves.find((move) => passMoves[move].to === to && passMoves[move].from.includes(from));
}

function oneOf(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
