/** Which jobs a claim must take: by looking at all of them. */

import type { ClaimRequest } from '../../../src/engine/store.ts';
import type { Job } from './model-job.ts';

export interface Choice {
  chosen: Job[];
  suspectsWaiting: number;
  /** Absent where the claim is full, or a suspect stands in its way. */
  nextDue?: number | null;
}

export function choose(
  request: ClaimRequest,
  jobs: readonly Job[],
  paused: ReadonlySet<string | null>,
  now: number,
): Choice {
  const served = jobs.filter(
    ({ status, type, queue }) =>
      status === 'pending' &&
      request.types.has(type) &&
      (request.queues?.includes(queue) ?? true) &&
      !paused.has(null) &&
      !paused.has(queue),
  );
  const running = (type: string) =>
    jobs.filter((job) => job.type === type && job.status === 'processing').length;
  const places = new Map(
    [...request.types].map(([type, { concurrency }]) => [type, concurrency - running(type)]),
  );
  const due = served.filter((job) => job.due <= now);
  const order = (a: Job, b: Job) => b.priority - a.priority || a.due - b.due || a.id - b.id;
  const suspects = due
    .filter(({ crashes, type }) => crashes > 0 && places.get(type)! > 0)
    .toSorted((a, b) => a.crashes - b.crashes || order(a, b));
  if (suspects.length > 0) {
    const one = suspects.find(
      ({ crashes }) => request.suspects === 'any' || (request.suspects === 'first' && crashes === 1),
    );
    if (one !== undefined) {
      return { chosen: [one], suspectsWaiting: suspects.length - 1 };
    }
    if (request.pastSuspects !== true) return { chosen: [], suspectsWaiting: suspects.length };
  }
  const chosen: Job[] = [];
  for (const job of due.filter((one) => !suspects.includes(one)).toSorted(order)) {
    const left = places.get(job.type)!;
    if (chosen.length >= request.slots || left < 1) continue;
    places.set(job.type, left - 1);
    chosen.push(job);
  }
  const later = served.filter((job) => job.due > now).map((job) => job.due);
  return {
    chosen,
    suspectsWaiting: suspects.length,
    ...(chosen.length >= request.slots ? {} : { nextDue: later.length === 0 ? null : Math.min(...later) }),
  };
}
