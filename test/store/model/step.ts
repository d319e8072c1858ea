/** One step, as it was seen from outside: what was asked, what was answered, what changed in the table. */

import { type Answer, type Call, REFUSED, type Told } from './calls.ts';
import { ARROWS } from './spec.ts';
import type { Change, Link, Row } from './watch.ts';

/** A change with the specification's name for it; `other` changes no state. */
export interface Move extends Change {
  name: string;
  id: number;
}

export interface Step {
  now: number;
  calls: readonly Call[];
  answers: readonly Answer[];
  moves: readonly Move[];
  before: ReadonlyMap<number, Row>;
  rows: ReadonlyMap<number, Row>;
  linksBefore: readonly Link[];
  links: readonly Link[];
  attemptsBefore: readonly string[];
  attempts: readonly string[];
  /** Everything until now, this step included. */
  past: Past;
}

/** Throws where it is broken; says how many cases it had, so that none holds only because it saw nothing. */
export type Rule = (step: Step) => number;

/** The moves of these names. */
export function named(step: Pick<Step, 'moves'>, ...names: string[]): Move[] {
  return step.moves.filter(({ name }) => names.includes(name));
}

/** The exchanges of a step, with what they said. */
export function exchanges({ calls, answers }: Step) {
  return calls.flatMap((call, i) =>
    call.verb === 'exchange' && answers[i] !== REFUSED ? [{ call, told: answers[i] as Told }] : [],
  );
}

/** What is known of the steps so far. */
export class Past {
  /** Ids that a call has returned. */
  readonly acknowledged = new Set<number>();
  readonly deleted = new Set<number>();
  /** How often each attempt, `id/lease`, was claimed, and has ended. */
  readonly claimed = new Map<string, number>();
  readonly ended = new Map<string, number>();
  /** Processes that have said goodbye or were declared lost. */
  readonly gone = new Set<number>();
  /** Queues; null is the whole. */
  readonly paused = new Set<string | null>();

  note({ calls, answers, moves }: Omit<Step, 'past'>): void {
    for (const { was, is, id } of moves) {
      if (is === null) this.deleted.add(id);
      const name = `${id}/${(was ?? is)!.lease}`;
      if (was?.status === 'processing' && is?.status !== 'processing') count(this.ended, name);
      if (was?.status !== 'processing' && is?.status === 'processing') {
        count(this.claimed, `${id}/${is.lease}`);
      }
    }
    calls.forEach((call, i) => {
      const answer = answers[i];
      if (call.verb === 'insert' && Array.isArray(answer)) {
        for (const { id } of answer) this.acknowledged.add(id);
      }
      if (call.verb === 'foreign') this.acknowledged.add(answer as number);
      if (call.verb === 'pause') this.paused.add(call.queue);
      if (call.verb === 'resume') this.paused.delete(call.queue);
      if (call.verb === 'expire' || call.verb === 'signOff') this.gone.add(call.process);
    });
  }
}

export function count(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

/** By the states and by what the specification says that the move does; the properties check the rest. */
export function nameOf({ was, is }: Change): string {
  if (was === null) return 'dispatch';
  if (is === null) return 'delete';
  if (was.status === is.status) return 'other';
  const fitting = [...ARROWS].filter(
    ([, { from, to }]) => from.includes(was.status) && to.includes(is.status),
  );
  const names = fitting.map(([name]) => name);
  if (names.length <= 1) return names[0] ?? `${was.status} → ${is.status}`;
  // Out of `processing` lead several arrows to one state.
  if (is.crashes > was.crashes) return 'expire';
  if (is.status === 'failed') return 'fail';
  return is.attempts < was.attempts ? 'release' : 'retry';
}
