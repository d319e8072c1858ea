/** How much memory threads use, asked of V8 from outside. */

import type { Worker } from 'node:worker_threads';

/** In bytes. */
export interface ThreadMemory {
  heap: number;
  external: number;
}

/** Nobody waits longer than this for an answer, in milliseconds. */
const ANSWER_MS = 100;

/**
 * V8 answers within a millisecond, also from `while (true) {}`, but not from inside a call of the system (`execSync`, a
 * pipe that nobody opens): a heartbeat that waited for that would come too late. One question a thread is under way.
 */
export class ThreadMemories {
  readonly #asked = new WeakMap<Worker, { answer: Promise<ThreadMemory | undefined>; since: number }>();

  /** The memory of a thread; undefined where it is gone, or does not answer. */
  of(thread: Worker): Promise<ThreadMemory | undefined> {
    const now = performance.now();
    let asked = this.#asked.get(thread);
    // Each more who waited for it would be kept until it comes.
    if (asked !== undefined && now - asked.since > ANSWER_MS) return Promise.resolve(undefined);
    if (asked === undefined) {
      asked = { answer: ask(thread).finally(() => this.#asked.delete(thread)), since: now };
      this.#asked.set(thread, asked);
    }
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, ANSWER_MS, undefined);
    return Promise.race([asked.answer, promise]).finally(() => clearTimeout(timer));
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
