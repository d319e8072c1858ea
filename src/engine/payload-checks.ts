/**
 * Payloads checked at dispatch by what their types say. That is the users' own code, so it runs in a thread; where it
 * does not answer, the jobs are dispatched unchecked: their attempts check them again.
 */

import type { CheckRequest, Verdict } from './wire.ts';

/** A check is a matter of microseconds, and somebody waits for the dispatch. Milliseconds. */
const PATIENCE_MS = 2000;

/** Requests that go to a thread together: as many as may come in while it is at work. */
const BATCH = 256;

/** What the checks need. */
export interface CheckParts {
  /** Asks a thread; the answer is nobody's word yet. Rejects where it takes longer than `timeout` ms. */
  ask: (requests: CheckRequest[], timeout: number) => Promise<unknown>;
  /** This type's own code does not answer; it is not asked again. */
  silent: (type: string, error: unknown) => void;
}

interface Waiting {
  request: CheckRequest;
  resolve: (verdict: Verdict) => void;
}

/** Checks that are asked for at the same time share a message to one thread. */
export class PayloadChecks {
  readonly #parts: CheckParts;
  readonly #silent = new Set<string>();
  #queue: Waiting[] = [];
  #running = false;

  constructor(parts: CheckParts) {
    this.#parts = parts;
  }

  /** What the type says of a payload; nothing where its code does not answer. Never rejects. */
  check(request: CheckRequest): Promise<Verdict> {
    if (this.#silent.has(request.type)) return Promise.resolve({});
    return new Promise((resolve) => {
      this.#queue.push({ request, resolve });
      void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    // Whoever asks in this turn of the loop comes along.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, BATCH);
      if (await this.#ask(batch)) continue;
      // One of them took the thread down, or held it, or it was not theirs that went: each alone, to know.
      for (const one of batch) {
        if (this.#silent.has(one.request.type)) one.resolve({});
        else await this.#ask([one], true);
      }
    }
    this.#running = false;
  }

  /** Whether all were answered; with `last`, the type that is not answered for is given up. */
  async #ask(batch: readonly Waiting[], last = false): Promise<boolean> {
    try {
      const answers = await this.#parts.ask(
        batch.map(({ request }) => request),
        PATIENCE_MS,
      );
      const verdicts = batch.map((_, i) => verdictOf((answers as unknown[])[i]));
      batch.forEach(({ resolve }, i) => resolve(verdicts[i] as Verdict));
      return true;
    } catch (error) {
      if (!last) return false;
      for (const { request, resolve } of batch) {
        this.#silent.add(request.type);
        this.#parts.silent(request.type, error);
        resolve({});
      }
      return true;
    }
  }
}

/** Handlers share the thread, so its words are read with care. */
function verdictOf(answer: unknown): Verdict {
  if (typeof answer !== 'object' || answer === null) throw new Error('a thread answered what is no verdict');
  const { problem, uniqueKey } = answer as Record<string, unknown>;
  if (typeof problem === 'string') return { problem };
  return typeof uniqueKey === 'string' ? { uniqueKey } : {};
}
