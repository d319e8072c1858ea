import { Site } from '../tools/daemon.ts';

/** Does something on a machine of its own, of which nothing is left afterwards. */
export async function cleaning<T>(action: (site: Site) => Promise<T>): Promise<T> {
  const cleanings: (() => Promise<void>)[] = [];
  try {
    return await action(new Site((clean) => cleanings.push(clean)));
  } finally {
    for (const clean of cleanings) await clean();
  }
}
