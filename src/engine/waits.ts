/** Waiting for jobs to end: woken by the commits that settle them, in this process and in others. Nothing is polled. */

/** Where jobs end; a store is one. */
export interface Endings {
  /** Those of the ids whose jobs have ended, or are not there. */
  ended(ids: readonly number[]): Promise<number[]>;
  /** Called after commits that may have ended jobs: these, or `undefined` for any. Returns what takes the listener off. */
  onSettled(listener: (ids: readonly number[] | undefined) => void): () => void;
}

interface Waiter {
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Everyone who waits for a job. */
export class Waits {
  readonly #endings: Endings;
  readonly #waiting = new Map<number, Set<Waiter>>();
  #stopListening: (() => void) | undefined;
  #looking = false;
  #lookAgain = false;

  constructor(endings: Endings) {
    this.#endings = endings;
  }

  /** Resolves with true once the job has ended (one that is not there has), with false once the signal aborts. */
  async until(id: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const waiter: Waiter = { resolve: () => resolve(true), reject };
    const giveUp = () => resolve(false);
    signal.addEventListener('abort', giveUp);
    this.#waiting.set(id, (this.#waiting.get(id) ?? new Set()).add(waiter));
    this.#stopListening ??= this.#endings.onSettled((ids) => {
      if (ids === undefined) void this.#lookAtAll();
      else void this.#look(ids.filter((one) => this.#waiting.has(one)));
    });
    try {
      // After the listener is there: an end between the two would be missed.
      void this.#look([id]);
      return await promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
      this.#forget(id, waiter);
    }
  }

  /** Others may commit thousands of times a second: one look at a time, and one more where it came too early. */
  async #lookAtAll(): Promise<void> {
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    while (this.#lookAgain) {
      this.#lookAgain = false;
      await this.#look([...this.#waiting.keys()]);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    this.#looking = false;
  }

  async #look(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    try {
      for (const id of await this.#endings.ended(ids)) {
        for (const { resolve } of this.#waiting.get(id) ?? []) resolve();
      }
    } catch (error) {
      for (const id of ids) for (const { reject } of this.#waiting.get(id) ?? []) reject(error);
    }
  }

  #forget(id: number, waiter: Waiter): void {
    const waiters = this.#waiting.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiting.delete(id);
    if (this.#waiting.size > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }
}
