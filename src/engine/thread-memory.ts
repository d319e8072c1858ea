/** How much memory threads use, asked of V8 from outside. */

import type { Worker } from 'node:worker_threads';

/** In bytes. */
export interface ThreadMemory {
  heap: number;
  external: number;
}

/** A heartbeat waits no longer than this for an answer, in milliseconds. */
const SOON_MS = 100;

/**
 * V8 answers within a millisecond, also from `while (true) {}`; later from the midst of a large collection, and not before
 * its end from inside a call of the system (`execSync`, a pipe that nobody opens). One question a thread is under way.
 */
export class ThreadMemories {
  readonly #asked = new WeakMap<Worker, { answer: Promise<ThreadMemory | undefined>; since: number }>();

  /** The memory of a thread, whenever it answers; undefined where it is gone. */
  of(thread: Worker): Promise<ThreadMemory | undefined> {
    return this.#ask(thread).answer;
  }

  /** The same for who cannot wait: undefined where it does not answer soon. */
  soon(thread: Worker): Promise<ThreadMemory | undefined> {
    const { answer, since } = this.#ask(thread);
    // Each more who waited for it would be kept until it comes.
    if (performance.now() - since > SOON_MS) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, SOON_MS, undefined);
    return Promise.race([answer, promise]).finally(() => clearTimeout(timer));
  }

  #ask(thread: Worker): { answer: Promise<ThreadMemory | undefined>; since: number } {
    let asked = this.#asked.get(thread);
    if (asked === undefined) {
      const answer = ask(thread).finally(() => this.#asked.delete(thread));
      asked = { answer, since: performance.now() };
      this.#asked.set(thread, asked);
    }
    return asked;
  }
}

async function ask(thread: Worker): Promise<ThreadMemory | undefined> {
  try {
    const heap = await thread.getHeapStatistics();
    return { heap: heap.used_heap_size, external: heap.external_memory };
  } catch {
    return undefined;
  }
}
