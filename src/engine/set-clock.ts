/** Notices that somebody has set the wall clock: it and the monotonic one have come apart. */

import type { Clock } from './clock.ts';

/** Less than this is the clock's own creeping towards the right time, in milliseconds. */
const JUMP_MS = 10_000;

export class SetClock {
  readonly #clock: Clock;
  #apart: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#apart = clock.now() - clock.monotonic();
  }

  /** Calls `act` with the milliseconds by which it was set; where that throws, again at the next look. */
  async look(act: (by: number) => Promise<void>): Promise<void> {
    const apart = this.#clock.now() - this.#clock.monotonic();
    const by = Math.round(apart - this.#apart);
    if (Math.abs(by) >= JUMP_MS) await act(by);
    this.#apart = apart;
  }
}
