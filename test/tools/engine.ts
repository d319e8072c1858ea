/** Time for tests: a clock that moves when it is told to, and one that hurries. */

import { type Clock, systemClock, type Timer } from '../../src/engine/clock.ts';

/** When every fake clock begins. */
export const MORNING = Date.UTC(2026, 10, 23, 8, 0, 0);

interface Waiting {
  at: number;
  fn: () => void;
}

/** A clock that stands still until it is advanced. */
export class FakeClock implements Clock {
  #wall = MORNING;
  #monotonic = 1000;
  readonly #waiting = new Set<Waiting>();

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, fn: () => void): Timer {
    const waiting = { at: this.#monotonic + Math.max(ms, 0), fn };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  /** How many timers wait. */
  get timers(): number {
    return this.#waiting.size;
  }

  /** When the next timer fires, in milliseconds from now; undefined where none waits. */
  get next(): number | undefined {
    const times = [...this.#waiting].map(({ at }) => at - this.#monotonic);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Lets time pass; timers fire in their order, and what they set off runs before the next. */
  async advance(ms: number): Promise<void> {
    const until = this.#monotonic + ms;
    for (;;) {
      const [first] = [...this.#waiting].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (first === undefined) break;
      this.#waiting.delete(first);
      // Late where the clock went on in a freeze: monotonic time never goes back.
      this.#move(Math.max(first.at - this.#monotonic, 0));
      first.fn();
      await turn();
    }
    this.#move(until - this.#monotonic);
    await turn();
  }

  /** Time passes, and nobody gets to run: the process was stopped, or its loop was held up. */
  freeze(ms: number): void {
    this.#move(ms);
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  #move(ms: number): void {
    this.#wall += ms;
    this.#monotonic += ms;
  }
}

/** One turn of the event loop: everything that can run, has. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** The machine's wall clock with waits that take a part of their time. */
export function hurried(factor: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * factor,
    after: (ms, fn) => systemClock.after(ms / factor, fn),
  };
}

/** A random source that gives these numbers, round and round. */
export function numbers(...given: number[]): () => number {
  let at = 0;
  return () => given[at++ % given.length] as number;
}
