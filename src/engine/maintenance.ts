/** Everything that is done every so often, in one visible list. */

import type { Clock, Timer } from './clock.ts';
import type { Events } from './events.ts';

/** A periodic task. */
export interface Chore {
  name: string;
  /** Milliseconds from the end of one run to the start of the next. */
  every: number;
  run: () => unknown;
}

/** Runs chores, each by itself: one that fails or takes long holds up no other. */
export class Maintenance {
  readonly #chores: readonly Chore[];
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #timers = new Map<Chore, Timer>();
  #stopped = false;

  constructor(chores: readonly Chore[], clock: Clock, events: Events) {
    this.#chores = chores;
    this.#clock = clock;
    this.#events = events;
  }

  start(): void {
    for (const chore of this.#chores) this.#schedule(chore);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
  }

  #schedule(chore: Chore): void {
    if (this.#stopped) return;
    this.#timers.set(
      chore,
      this.#clock.after(chore.every, () => void this.#run(chore)),
    );
  }

  async #run(chore: Chore): Promise<void> {
    try {
      await chore.run();
    } catch (error) {
      this.#events.emit('trouble', { where: chore.name, error });
    }
    this.#schedule(chore);
  }
}
