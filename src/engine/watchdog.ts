/**
 * Looks after the jobs that run: takes in outcomes early, frees what waits behind a slow job, ends what
 * runs past its timeout, holds too much memory or has been cancelled. A handler is first asked to stop
 * (its `signal` aborts); two seconds later its thread is ended, also in `while(true){}`.
 */

import { sharedClock } from './arena.ts';
import type { Clock, Timer } from './clock.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Flight } from './flight.ts';
import { type Ending, type Running, runningFlight } from './running.ts';
import type { Pool } from './pool.ts';
import type { Store } from './store.ts';
import { formatDuration, formatSize } from './units.ts';

/** Jobs behind one that has run for longer than this go to other workers, in milliseconds. */
const PATIENCE_MS = 4;

/** Between the request to stop and the end of the thread, in milliseconds. */
const GRACE_MS = 2000;

/** A thread that begins no job for as long is broken or blocked, in milliseconds. Above what job files may take to load. */
const STILL_MS = 20_000;

/** Memory is looked at this often, and only of jobs that have run as long, in milliseconds. */
const MEMORY_MS = 50;

/** Lost leases are looked for at most this often, in milliseconds. */
const LOST_MS = 50;

/** What a handler is told whose lease is gone: its outcome counts no more, whatever it is. */
const CANCELLED = 'Cancelled while it ran.';
const TAKEN_OVER = 'Another process took this job over: this one gave no sign of life.';

export class Watchdog {
  /** Those whose thread has been asked for its memory and has not answered. */
  readonly #weighing = new WeakSet<Running>();
  readonly #dispatcher: Dispatcher;
  readonly #pool: Pool;
  readonly #store: Pick<Store, 'lost'>;
  readonly #clock: Clock;
  readonly #stillMs: number;
  #timer: Timer | undefined;
  #lostTimer: Timer | undefined;
  #memoryAt = 0;
  #stopped = false;

  constructor(
    dispatcher: Dispatcher,
    pool: Pool,
    store: Pick<Store, 'lost'>,
    clock: Clock,
    stillMs = STILL_MS,
  ) {
    this.#dispatcher = dispatcher;
    this.#pool = pool;
    this.#store = store;
    this.#clock = clock;
    this.#stillMs = stillMs;
  }

  /** Begins to look, as often as what runs calls for. */
  start(): void {
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#lostTimer?.cancel();
  }

  /** Jobs may have started: looks soon. */
  poke(): void {
    if (!this.#stopped && this.#timer === undefined) this.#schedule();
  }

  /** Another hand has been at the table: finds the running jobs that were cancelled or taken away. */
  checkLeases(): void {
    if (this.#stopped) return;
    this.#lostTimer ??= this.#clock.after(LOST_MS, () => {
      this.#lostTimer = undefined;
      this.#endLost().catch(() => this.checkLeases());
    });
  }

  /** Nothing runs: no timer. Chunks of several jobs: every few ms. Else: at the next deadline or memory check. */
  #schedule(): void {
    this.#timer = undefined;
    if (this.#stopped || this.#dispatcher.running.size === 0) return;
    let wait = MEMORY_MS;
    for (const one of this.#dispatcher.running) {
      if (one.chunk.abort.signal.aborted) continue;
      wait = Math.min(wait, one.chunk.end > one.chunk.harvested + 1 ? PATIENCE_MS : this.#untilDeadline(one));
    }
    this.#timer = this.#clock.after(Math.max(wait, 1), () => {
      this.#look();
      this.#schedule();
    });
  }

  #untilDeadline(one: Running): number {
    if (one.ending !== undefined) return one.ending.killAt - this.#clock.monotonic();
    const flight = runningFlight(one);
    return flight === undefined || flight.timeout === 0
      ? MEMORY_MS
      : one.chunk.since + flight.timeout - sharedClock();
  }

  #look(): void {
    const now = sharedClock();
    const measure = this.#clock.monotonic() >= this.#memoryAt;
    if (measure) this.#memoryAt = this.#clock.monotonic() + MEMORY_MS;
    for (const one of this.#dispatcher.running) {
      // Its thread has been told to end.
      if (one.chunk.abort.signal.aborted) continue;
      if (one.ending !== undefined) {
        if (this.#clock.monotonic() >= one.ending.killAt && one.chunk.running === one.ending.index) {
          this.#dispatcher.kill(one, one.ending);
        } else if (one.chunk.running !== one.ending.index) delete one.ending;
        // Its grace is not for filling the memory.
        else if (measure) void this.#weigh(one, one.flights[one.ending.index] as Flight);
        continue;
      }
      const flight = runningFlight(one);
      const ran = now - one.chunk.since;
      if (one.flights.length > 1 && now - one.chunk.base > PATIENCE_MS) {
        this.#dispatcher.harvest(one);
        if (ran > PATIENCE_MS) this.#dispatcher.recall(one);
      }
      if (flight === undefined) {
        this.#seeStill(one, now);
        continue;
      }
      if (flight.timeout > 0 && ran >= flight.timeout) {
        this.#end(one, `Timed out after ${formatDuration(flight.timeout)}.`);
      } else if (measure && ran >= MEMORY_MS) void this.#weigh(one, flight);
    }
  }

  /** No job runs in it: usually for microseconds, for ever where a handler has broken or blocked its thread. */
  #seeStill(one: Running, now: number): void {
    const { chunk } = one;
    if (one.still?.begun !== chunk.begun) one.still = { begun: chunk.begun, since: now };
    if (now - one.still.since < this.#stillMs) return;
    this.#dispatcher.harvest(one);
    this.#dispatcher.recall(one);
    // Taken back first: what begins at this very moment may go on.
    if (chunk.running === undefined) {
      this.#pool.kill(chunk, `it began no job for ${formatDuration(this.#stillMs)}`);
    }
  }

  /** A thread in the midst of a large collection answers late: that is when it counts. */
  async #weigh(one: Running, flight: Flight): Promise<void> {
    if (this.#weighing.has(one)) return;
    this.#weighing.add(one);
    const index = one.chunk.running;
    const memory = await this.#pool.memory(one.chunk.threadId);
    this.#weighing.delete(one);
    if (index === undefined || memory === undefined || one.chunk.running !== index) {
      return;
    }
    const used = memory.heap + memory.external;
    // What one job was allowed at its dispatch cannot be more than its thread has room for.
    const limit = Math.min(flight.memoryLimit, 2 * this.#pool.heapLimit);
    if (used <= limit) return;
    if (one.ending !== undefined) return this.#dispatcher.kill(one, one.ending);
    const message = `Used ${formatSize(used)} of memory; its limit is ${formatSize(limit)}.`;
    // No grace: what leaks goes on leaking.
    this.#dispatcher.kill(one, {
      index,
      reason: message,
      outcome: { kind: 'failed', error: { message } },
      killAt: 0,
    });
  }

  async #endLost(): Promise<void> {
    // What has not begun waits in the dispatcher: a cancelled job must not begin any more.
    for (const one of this.#dispatcher.running) if (one.flights.length > 1) this.#dispatcher.recall(one);
    const running = [...this.#dispatcher.running].flatMap((one) => {
      const flight = runningFlight(one);
      return flight === undefined || one.ending !== undefined
        ? []
        : [{ one, flight, index: one.chunk.running }];
    });
    const attempts = [...running.map(({ flight }) => flight), ...this.#dispatcher.waiting].map(
      ({ job }) => job,
    );
    if (attempts.length === 0) return;
    const lost = new Set(await this.#store.lost(attempts));
    if (lost.size === 0) return;
    this.#dispatcher.drop((job) => lost.has(job));
    for (const { one, flight, index } of running) {
      const goesOn = one.chunk.running === index;
      if (goesOn && lost.has(flight.job)) this.#end(one, CANCELLED, { kind: 'released' });
    }
  }

  /**
   * This process was declared lost and has a new id: what it held is pending again or runs elsewhere.
   * All of it ends here before anything is claimed anew, or two attempts of one job would run side by side.
   */
  takenOver(process: number): void {
    this.#dispatcher.forsake(process);
    for (const one of this.#dispatcher.running) this.#end(one, TAKEN_OVER, { kind: 'released' });
  }

  /** Asks the running handler to stop; the others of its chunk need not wait for that. */
  #end(
    one: Running,
    message: string,
    outcome: Ending['outcome'] = { kind: 'failed', error: { message } },
  ): void {
    const index = one.chunk.running;
    if (index === undefined || one.ending !== undefined) return;
    const killAt = this.#clock.monotonic() + GRACE_MS;
    const ending: Ending = { index, reason: message, outcome, killAt };
    one.ending = ending;
    this.#dispatcher.recall(one);
    this.#pool.abort(one.chunk, index, message);
  }
}
