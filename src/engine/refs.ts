/** Jobs that are dispatched together and name each other: what is wrong with the names, and an order for writing. */

import { errors, type Problem } from '../errors.ts';

/** What of a job counts here. */
export interface Named {
  /** The number of its line. */
  number: number;
  ref?: string | undefined;
  /** Ids, or refs of others. */
  after: readonly (number | string)[];
}

/** Refs that stand twice, and those that nobody has. */
export function refProblems(jobs: readonly Named[]): Problem[] {
  const problems: Problem[] = [];
  const lines = new Map<string, number>();
  for (const { number, ref } of jobs) {
    if (ref === undefined) continue;
    const first = lines.get(ref);
    const message = `the ref '${ref}' already stands in line ${first}`;
    if (first === undefined) lines.set(ref, number);
    else problems.push({ line: number, key: 'ref', message });
  }
  for (const { number, after } of jobs) {
    for (const name of new Set(after)) {
      if (typeof name === 'number' || lines.has(name)) continue;
      const message = `There is no job with the ref '${name}' to depend on.`;
      problems.push({ line: number, key: 'depends_on', message });
    }
  }
  return problems;
}

/** Puts jobs, whose refs are sound, behind those that they depend on. Throws where they wait for each other in a circle. */
export function inOrder<T extends Named>(jobs: readonly T[]): T[] {
  const byRef = new Map(jobs.flatMap((job) => (job.ref === undefined ? [] : [[job.ref, job]])));
  const order: T[] = [];
  const state = new Map<T, 'open' | 'done'>();
  for (const root of jobs) {
    // A stack of our own: a chain of a hundred thousand lines must not overflow the engine's.
    const path: { job: T; next: number }[] = [{ job: root, next: 0 }];
    while (path.length > 0) {
      const step = path.at(-1) as { job: T; next: number };
      if (step.next === 0) {
        if (state.has(step.job)) {
          path.pop();
          continue;
        }
        state.set(step.job, 'open');
      }
      const name = step.job.after[step.next++];
      if (name === undefined) {
        state.set(step.job, 'done');
        order.push(step.job);
        path.pop();
      } else if (typeof name === 'string') {
        const parent = byRef.get(name) as T;
        if (state.get(parent) === 'open') {
          const circle = path.slice(path.findIndex(({ job }) => job === parent)).map(({ job }) => job);
          throw errors.dependencyCycle([...circle, parent]);
        }
        if (!state.has(parent)) path.push({ job: parent, next: 0 });
      }
    }
  }
  return order;
}
