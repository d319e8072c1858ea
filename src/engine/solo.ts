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

/** While a suspect waits for all others to end, nothing else starts for this long (ms), … */
const HOLD_MS = 5000;

/** … then others may, for this long, before it is tried again: a job of hours must not hold the queue. */
const YIELD_MS = 30_000;

/** Closed while a suspect has the process to itself: nothing else may be claimed. */
export class SoloGate {
  readonly #clock: Clock;
  readonly #opened: () => void;
  #suspect: Suspect | undefined;
  #timer: Timer | undefined;
  #seenSince: number | undefined;
  /** Of the others, while a suspect waits for all of them to end: they are held, or let go on. */
  #others: 'held' | 'let' | undefined;
  #othersTimer: Timer | undefined;

  /** `opened` is called when others may start again. */
  constructor(clock: Clock, opened: () => void) {
    this.#clock = clock;
    this.#opened = opened;
  }

  /** Whether others may be claimed although a suspect waits until nothing runs. */
  get yields(): boolean {
    return this.#others === 'let';
  }

  get closed(): boolean {
    return this.#suspect !== undefined;
  }

  /** A claim has come back: closes if it brought a suspect. `waiting`: suspects that it left. */
  see(claimed: readonly Suspect[], waiting: number): void {
    const [first] = claimed;
    this.#hold(claimed, waiting);
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

  /** Others are held while a suspect waits for them to end, let go on for a while, held again. */
  #hold(claimed: readonly Suspect[], waiting: number): void {
    if (waiting === 0 || (claimed[0]?.crashes ?? 0) > 0) {
      this.#othersTimer?.cancel();
      this.#others = undefined;
    } else if (this.#others === undefined) {
      this.#others = 'held';
      this.#othersTimer = this.#clock.after(HOLD_MS, () => {
        this.#others = 'let';
        this.#othersTimer = this.#clock.after(YIELD_MS, () => (this.#others = undefined));
        this.#opened();
      });
    }
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
