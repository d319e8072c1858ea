/** The demo's gate: who went out and came back, yesterday and before. */

import type { Direction } from '../../../outpass/movements.ts';
import { VERIFIERS } from './campus.ts';
import type { PlannedPass } from './passes.ts';
import { passOf, type Tour } from './tour.ts';

const MINUTE = 60_000;

/** How long after the end of their passes the late ones come back, in minutes. The grace is half an hour. */
const LATE = [85, 47, 112];

interface Passage {
  planned: PlannedPass;
  direction: Direction;
  at: number;
}

/** Keeps the gate's log. */
export async function keepGate(tour: Tour): Promise<string> {
  const passages = planPassages(tour.plan);
  for (const { planned, direction, at } of passages) {
    const { id } = await passOf(tour, planned);
    await tour.office.recordMovement(id, direction, { by: VERIFIERS[direction], at });
  }
  const back = passages.filter(({ direction }) => direction === 'in').length;
  const out = passages.length - back;
  return `${out} went out, ${back} came back, ${LATE.length} of them late; ${out - back} are out now`;
}

/** Who passes the gate, in the order of the times, so that the log's numbers are too. */
export function planPassages(plan: readonly PlannedPass[]): Passage[] {
  const late = plan.filter(({ fate }) => fate === 'late');
  const passages = plan.flatMap((planned, i): Passage[] => {
    const { fate, leavesAt, returnsAt } = planned;
    const out: Passage = { planned, direction: 'out', at: leavesAt + ((i * 7) % 50) * MINUTE };
    const minutes = fate === 'late' ? (LATE[late.indexOf(planned)] ?? 0) : -10 - ((i * 11) % 45);
    const back: Passage = { planned, direction: 'in', at: returnsAt + minutes * MINUTE };
    if (fate === 'out') return [out];
    return fate === 'back' || fate === 'late' ? [out, back] : [];
  });
  return passages.toSorted((a, b) => a.at - b.at);
}
