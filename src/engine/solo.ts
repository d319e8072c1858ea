/**
 * Suspects: jobs that were claimed by a process that died. The one that killed it must be found before
 * it has killed three processes, without charging the others, and without the queue standing still.
 *
 * A suspect starts when nothing else is being started, its claim already on the disk. After its first
 * crash it has the process to itself for a while, in which others may not start; a job of an hour that
 * was interrupted by a power cut must not hold the whole queue for an hour. If the process dies again
 * while it runs, it runs strictly alone from then on: so the third crash, which fails it, is its own.
 */

import type { Clock, Timer } from './clock.ts';
import type { ClaimedJob } from './store.ts';

/** All suspects have been started this long after the first was seen, in milliseconds. */
const BUDGET_MS = 4000;

/** Even when the budget is spent, a job that kills at once gives itself away in this time. */
const LEAST_MS = 10;

/**
 * How long nothing else may start beside a suspect, in milliseconds. `crashes`: its crashes so far;
 * `elapsed`: since suspects were first seen; `waiting`: suspects that still wait behind it.
 */
export function soloWindow(crashes: number, elapsed: number, waiting: number): number {
  if (crashes > 1) return Number.POSITIVE_INFINITY;
  return Math.max((BUDGET_MS - elapsed) / (waiting + 1), LEAST_MS);
}

/** What the gate looks at, and knows again by its identity: an older attempt of the same job may still end. */
type Suspect = Pick<ClaimedJob, 'crashes'>;

/** Closed while a suspect has the process to itself: nothing else may be claimed. */
export class SoloGate {
  readonly #clock: Clock;
  readonly #opened: () => void;
  #suspect: Suspect | undefined;
  #timer: Timer | undefined;
  #seenSince: number | undefined;

  /** `opened` is called when others may start again. */
  constructor(clock: Clock, opened: () => void) {
    this.#clock = clock;
    this.#opened = opened;
  }

  get closed(): boolean {
    return this.#suspect !== undefined;
  }

  /** A claim has come back: closes if it brought a suspect. `waiting`: suspects that it left. */
  see(claimed: readonly Suspect[], waiting: number): void {
    const [first] = claimed;
    if (first === undefined || first.crashes === 0) {
      if (waiting === 0) this.#seenSince = undefined;
      return;
    }
    const now = this.#clock.monotonic();
    this.#seenSince ??= now;
    this.#suspect = first;
    const window = soloWindow(first.crashes, now - this.#seenSince, waiting);
    if (Number.isFinite(window)) this.#timer = this.#clock.after(window, () => this.open());
  }

  /** An attempt has ended; opens if it was the suspect's. */
  ended(attempt: Suspect): void {
    if (this.#suspect === attempt) this.open();
  }

  open(): void {
    this.#timer?.cancel();
    this.#suspect = undefined;
    this.#opened();
  }
}
