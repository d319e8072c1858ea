/** The demo's wardens: who approves a pass, who rejects it, and what follows. */

import { approvePass, rejectPass } from '../../../store/sqlite/decisions.ts';
import { wardenOf } from './campus.ts';
import type { PlannedPass } from './passes.ts';
import { passOf, type Tour } from './tour.ts';

/** An approval of what has begun was given so long before its begin, in milliseconds. */
const AHEAD_MS = 20 * 3_600_000;

type Decision = 'approved' | 'rejected' | 'cancelled' | 'left';

/** Decides on all passes but the last ones. */
export async function decide(tour: Tour): Promise<string> {
  const counts: Record<Decision, number> = { approved: 0, rejected: 0, cancelled: 0, left: 0 };
  await Promise.all(tour.plan.map(async (planned) => counts[await decideOne(tour, planned)]++));
  const { approved, rejected, cancelled, left } = counts;
  return `${approved} approved, ${rejected} rejected, ${cancelled} cancelled, ${left} left for you`;
}

async function decideOne(tour: Tour, planned: PlannedPass): Promise<Decision> {
  const { store, office, now } = tour;
  const { fate, kind, leavesAt, reason: remarks } = planned;
  if (fate === 'pending') return 'left';
  const { id, student } = await passOf(tour, planned);
  if (fate === 'cancelled') {
    await store.write((at) => office.movePass(id, 'cancel', { by: student.name, remarks, at }));
    return 'cancelled';
  }
  const warden = wardenOf(kind === 'Official pass' ? null : student.hostel);
  if (fate === 'rejected') {
    await rejectPass(store, office, id, { by: warden, remarks });
    return 'rejected';
  }
  await approvePass(store, office, id, warden, Math.min(now, leavesAt - AHEAD_MS));
  return 'approved';
}
