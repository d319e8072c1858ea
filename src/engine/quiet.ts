/** Waiting until nothing is under way any more. */

import type { Clock } from './clock.ts';

/** Lets one waiter know when a condition holds that is worth looking at only now and then. */
export class Quiet {
  readonly #clock: Clock;
  readonly #holds: () => boolean;
  #look: (() => void) | undefined;

  constructor(clock: Clock, holds: () => boolean) {
    this.#clock = clock;
    this.#holds = holds;
  }

  /** The condition may hold now. */
  look(): void {
    this.#look?.();
  }

  /** Resolves once it holds, after `ms`, or at the signal; with whether it holds. */
  async wait(ms: number, cutShort?: AbortSignal): Promise<boolean> {
    await new Promise<void>((resolve) => {
      const finish = () => {
        timer.cancel();
        cutShort?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = this.#clock.after(ms, finish);
      this.#look = () => {
        if (this.#holds()) finish();
      };
      cutShort?.addEventListener('abort', finish);
      if (cutShort?.aborted === true) finish();
      this.look();
    });
    this.#look = undefined;
    return this.#holds();
  }
}
