/** Jobs that wait for others. */

import type * as Library from '../../../src/library/passito.ts';
import { join } from 'node:path';
import type { Passito } from '../peers/contestant.ts';
import { costOf, type Filled } from './drain.ts';

const library = join(import.meta.dirname, '..', '..', '..', 'dist', 'lib', 'passito.js');
const PARENTS = 100;
const CHILDREN = 5000;
const FAN = 1000;

async function withDispatcher<T>(
  passito: Passito,
  action: (dispatcher: Library.JobDispatcher) => Promise<T>,
): Promise<T> {
  const { JobDispatcher } = (await import(library)) as typeof Library;
  const dispatcher = await JobDispatcher.open(passito.bench.file);
  try {
    return await action(dispatcher);
  } finally {
    await dispatcher.close();
  }
}

function noops(count: number, dependsOn?: (i: number) => number[]): Library.JobRequest[] {
  return Array.from({ length: count }, (_, i) => ({
    type: 'Noop',
    payload: { i },
    ...(dependsOn === undefined ? {} : { dependsOn: dependsOn(i) }),
  }));
}

/** 100 jobs, and 5,000 of which each waits for `each` of them. */
export function children(each: number) {
  return (passito: Passito): Promise<Filled> =>
    withDispatcher(passito, async (dispatcher) => {
      const parents = (await dispatcher.dispatchMany(noops(PARENTS))).map(({ id }) => id);
      const requests = noops(CHILDREN, (i) =>
        Array.from({ length: each }, (_, k) => parents[(i + k) % PARENTS] as number),
      );
      const dispatch = await costOf(CHILDREN, () => dispatcher.dispatchMany(requests));
      return { jobs: PARENTS + CHILDREN, dispatch };
    });
}

/** 1,000 jobs, and with `one` a further one that waits for all of them. */
export function fanIn(one: boolean) {
  return (passito: Passito): Promise<Filled> =>
    withDispatcher(passito, async (dispatcher) => {
      const parents = (await dispatcher.dispatchMany(noops(FAN))).map(({ id }) => id);
      if (one) await dispatcher.dispatch('Noop', { i: FAN }, { dependsOn: parents });
      return { jobs: FAN };
    });
}

/** One job, and 1,000 that wait for it. */
export function fanOut(passito: Passito): Promise<Filled> {
  return withDispatcher(passito, async (dispatcher) => {
    const { id } = await dispatcher.dispatch('Noop', { i: 0 });
    await dispatcher.dispatchMany(noops(FAN, () => [id]));
    return { jobs: FAN };
  });
}
