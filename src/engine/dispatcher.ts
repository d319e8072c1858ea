/**
 * Claim → run → settle. One loop: whenever outcomes wait or workers are free, one transaction writes
 * the outcomes and claims the next jobs; chunks of them go to the workers; outcomes come back.
 */

import { MAX_CHUNK } from './arena.ts';
import type { Clock, Random, Timer } from './clock.ts';
import type { Events } from './events.ts';
import { causeOfDeath, fillIn, type Flight, land, nameOf, takeOff, toWire } from './flight.ts';
import type { Outcome } from './job.ts';
import { Pace, takeChunk } from './pace.ts';
import type { ToldOutcome } from './chunk.ts';
import type { Pool } from './pool.ts';
import { type Ending, outcomeAsTold, outcomeOfDeath, type Running } from './running.ts';
import { Quiet } from './quiet.ts';
import { SoloGate } from './solo.ts';
import type { ClaimedJob, ClaimRequest, Exchange, Store } from './store.ts';
import type { JobType } from './types.ts';
import { type Landed, salvage, tell } from './landing.ts';

/** Short jobs are claimed ahead for this many further chunks a worker, so that none waits for a commit. */
const AHEAD = 1;

/** The most outcomes, and the most claims, of one transaction: fewer where another process waits for its end. */
const MOST = 512;
const MOST_BESIDE_OTHERS = 128;

/** After a failed transaction (disk full, database locked) the next try comes after this, in milliseconds. */
const STORE_RETRY_MS = 1000;

/** The table is looked at this often (ms) whatever is known: the clock may be set, the machine sleep. */
const LONGEST_WAIT_MS = 30_000;

/** After a thread died before it began a job, those that are there must do for this long, in milliseconds. */
const THREAD_RETRY_MS = 1000;

/** A stop waits for its last write no longer than this (ms): what cannot be written is rescued at the next start. */
const LAST_WRITE_MS = 6000;

/** What the dispatcher is made of. */
export interface DispatcherParts {
  store: Pick<Store, 'exchange'>;
  pool: Pool;
  types: ReadonlyMap<string, JobType>;
  queues: readonly string[] | null;
  events: Events;
  clock: Clock;
  random: Random;
  /** The process's id in the store. */
  process: number;
}

export class Dispatcher {
  /** Workers that may be busy at once; the scaler moves it. */
  target = 1;
  /** Whose claims these are; changes where the process had to register anew. */
  process: number;
  types: ReadonlyMap<string, JobType>;
  readonly #parts: DispatcherParts;
  readonly #pace = new Pace();
  readonly #running = new Set<Running>();
  /** Still running from before this process was declared lost: they end first. */
  #forsaken = new Set<Running>();
  #buffer: Flight[] = [];
  #landed: Landed[] = [];
  #exchanging = false;
  /** Outcomes in the transaction under way. */
  #writing = 0;
  /** Whether a claim may bring something. */
  #hungry = false;
  #most = MOST;
  #stopped = true;
  #holdTimer: Timer | undefined;
  #dueTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  readonly #gate: SoloGate;
  readonly #quiet: Quiet;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.process = parts.process;
    this.types = parts.types;
    this.#gate = new SoloGate(parts.clock, () => this.wake());
    this.#quiet = new Quiet(parts.clock, () => this.held === 0 && !this.#exchanging);
  }

  /** Begins to claim. */
  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** Something may have become claimable. */
  wake(): void {
    this.#hungry = true;
    this.#pump();
  }

  /** Chunks under way, for the watchdog and for `passito status`. */
  get running(): ReadonlySet<Running> {
    return this.#running;
  }

  /** Jobs held by this process: under way, waiting for a worker, or waiting to be written. */
  get held(): number {
    let sum = this.#buffer.length + this.#landed.length + this.#writing;
    for (const { flights } of this.#running) sum += flights.length;
    return sum;
  }

  /** Jobs that are claimed and wait for a worker. */
  get waiting(): readonly Flight[] {
    return this.#buffer;
  }

  /** Forgets waiting jobs whose lease is gone: cancelled, or taken over. */
  drop(isLost: (job: ClaimedJob) => boolean): void {
    const buffer = Map.groupBy(this.#buffer, ({ job }) => isLost(job));
    this.#buffer = buffer.get(false) ?? [];
    for (const flight of buffer.get(true) ?? []) {
      this.#parts.events.emit('lost', nameOf(flight));
      this.#gate.ended(flight.job);
    }
    this.wake();
  }

  /** Claims under a new id from now on, and forgets all that has not begun: it is not this process's any more. */
  forsake(process: number): void {
    this.process = process;
    for (const one of this.#running) this.#takeBack(one);
    this.#forsaken = new Set(this.#running);
    this.drop(() => true);
  }

  /** The flight that runs as job `index` of a chunk. */
  flight(chunk: number, index: number): Flight | undefined {
    return [...this.#running].find((one) => one.chunk.number === chunk)?.flights[index];
  }

  /** Takes in outcomes that stand in shared memory already; the chunk goes on. */
  harvest(one: Running): void {
    this.#take(one, this.#parts.pool.harvest(one.chunk));
    if (one.chunk.tainted) this.#takeBack(one);
    if (this.#landed.length > 0) this.#pump();
  }

  /** Takes the jobs of a chunk back that have not begun, for other workers. */
  recall(one: Running): void {
    if (this.#takeBack(one)) this.#pump();
  }

  #takeBack(one: Running): boolean {
    const indexes = one.chunk.recall();
    this.#buffer.unshift(...indexes.map((index) => one.flights[index] as Flight));
    if (this.#stopped) this.#release();
    return indexes.length > 0;
  }

  /** Nothing begins any more: gives back what waits for a worker. */
  #release(): void {
    for (const flight of this.#buffer.splice(0)) this.#land(flight, { kind: 'released' }, 0);
  }

  /** Ends the thread of a chunk; the job that runs gets the outcome of `ending`. */
  kill(one: Running, ending: Ending): void {
    one.ending = ending;
    this.recall(one);
    this.#parts.pool.kill(one.chunk);
  }

  /**
   * Stops claiming, and gives back what has not begun; what runs may finish for `ms`, then it is ended and
   * given back too. Resolves with whether all of that is written: a full disk may refuse it.
   */
  async drain(ms: number, cutShort: AbortSignal): Promise<boolean> {
    this.#stopped = true;
    this.#dueTimer?.cancel();
    this.#gate.open();
    for (const one of this.#running) this.#takeBack(one);
    this.#release();
    this.#pump();
    await this.#quiet.wait(ms, cutShort);
    for (const one of this.#running) {
      const index = one.chunk.running ?? -1;
      this.kill(one, { index, reason: 'the supervisor stops', outcome: { kind: 'released' }, killAt: 0 });
    }
    return this.#quiet.wait(LAST_WRITE_MS);
  }

  /** Gives workers what is there, then writes and claims if there is reason to. */
  #pump(): void {
    this.#fill();
    if (this.#exchanging || this.#retryTimer !== undefined) return;
    const claim = this.#claimRequest();
    if (this.#landed.length > 0 || claim !== null) void this.#exchange(claim);
    else this.#quiet.look();
  }

  #fill(): void {
    const { pool } = this.#parts;
    // After a thread's death no new one for a moment; those that live go on.
    const most = this.#holdTimer === undefined ? Number.POSITIVE_INFINITY : pool.threads.length;
    for (let free = Math.min(this.target, most) - pool.busy; free > 0 && this.#buffer.length > 0; free--) {
      this.#launch(takeChunk(this.#buffer, ({ job }) => this.#pace.weight(job.type), free));
    }
  }

  #launch(flights: Flight[]): void {
    const { pool, events } = this.#parts;
    const one = { flights } as Running;
    const sources: Record<string, string> = {};
    for (const { type } of flights) sources[type.type] = type.source;
    one.chunk = pool.start(flights.map(toWire), sources, (_, outcomes, error) =>
      this.#returned(one, outcomes, error),
    );
    this.#running.add(one);
    events.emit('launched', { worker: one.chunk.number });
  }

  /** What may be claimed now; null where a claim is not wanted or could bring nothing. */
  #claimRequest(): ClaimRequest | null {
    if (this.#stopped || !this.#hungry || this.#gate.closed || this.types.size === 0) return null;
    if (this.#forsaken.size > 0) return null;
    const buffered = this.#buffer.reduce((sum, { job }) => sum + this.#pace.weight(job.type), 0);
    const slots = this.target - this.#parts.pool.busy - buffered;
    const ahead = this.target * AHEAD;
    if (slots + ahead < 1 / MAX_CHUNK) return null;
    const idle = this.#running.size === 0 && this.#buffer.length === 0;
    return {
      process: this.process,
      slots,
      ahead,
      most: this.#most,
      types: this.#pace.claimable(this.types.values()),
      queues: this.#parts.queues,
      pastSuspects: this.#gate.yields,
      suspects: idle ? 'any' : this.#buffer.length === 0 && slots >= 1 ? 'first' : 'none',
    };
  }

  async #exchange(claim: ClaimRequest | null): Promise<void> {
    const { store, events } = this.#parts;
    const landed = this.#landed.splice(0, this.#most);
    this.#writing = landed.length;
    this.#exchanging = true;
    // A wake-up that comes while the claim runs may tell of a job that the claim could not see yet.
    if (claim !== null) this.#hungry = false;
    try {
      const done = await store.exchange(
        landed.map(({ settle }) => settle),
        claim,
      );
      this.#writing = 0;
      this.#most = done.crowded ? MOST_BESIDE_OTHERS : MOST;
      tell(events, landed, done.settled);
      if (claim !== null) this.#receive(done);
    } catch (error) {
      await this.#recover(landed, error);
    }
    this.#exchanging = false;
    this.#writing = 0;
    this.#pump();
  }

  /** Nothing was written. */
  async #recover(landed: Landed[], error: unknown): Promise<void> {
    const { store, events, clock, random } = this.#parts;
    this.#hungry = true;
    events.emit('trouble', { where: 'writing to the database', error });
    const left = await salvage(store, events, landed, error, random);
    this.#landed = [...left, ...this.#landed];
    // Else there is progress, and no reason to wait.
    if (landed.length > left.length) return;
    this.#retryTimer = clock.after(STORE_RETRY_MS, () => {
      this.#retryTimer = undefined;
      this.#pump();
    });
  }

  #receive(done: Exchange): void {
    const { events, clock } = this.#parts;
    // Declared lost while it slept: whoever renews the lease registers it anew and wakes us.
    if (!done.registered) return void (this.#hungry = false);
    for (const job of done.claimed) this.#buffer.push(takeOff(job, this.types.get(job.type) as JobType));
    // It was under way when the stop began.
    if (this.#stopped) return this.#release();
    if (events.has('claimed') && done.claimed.length > 0) {
      events.emit('claimed', { count: done.claimed.length });
    }
    this.#gate.see(done.claimed, done.suspectsWaiting);
    this.#dueTimer?.cancel();
    const wait = Math.min((done.nextDue ?? Number.POSITIVE_INFINITY) - clock.now(), LONGEST_WAIT_MS);
    // Another program may have written a time that nobody can read.
    this.#dueTimer = clock.after(Number.isNaN(wait) ? STORE_RETRY_MS : wait, () => this.wake());
    // It left jobs behind, for want of room or because suspects wait: there is more once a job has ended.
    if (done.nextDue === undefined) events.emit('backlog', { process: this.process });
    else if (done.claimed.length === 0 && this.held === 0 && !this.#hungry) {
      events.emit('idle', { process: this.process });
    }
  }

  /** A chunk's thread is done with it, or dead. */
  #returned(one: Running, outcomes: ToldOutcome[], error: unknown): void {
    // First: what its end makes room for is asked for while its outcomes are taken in.
    this.#running.delete(one);
    this.#forsaken.delete(one);
    this.#take(one, outcomes);
    if (error !== undefined) this.#died(one, error);
    this.#pump();
  }

  /** The job that ran pays; those behind it go back to the front, untouched. */
  #died(one: Running, error: unknown): void {
    const { chunk, flights, ending } = one;
    const { events, clock } = this.#parts;
    this.#takeBack(one);
    const index = chunk.harvested;
    const ran = index < chunk.end;
    if (ran) this.#land(flights[index] as Flight, outcomeOfDeath(one, index, error), 0);
    if (ending !== undefined) return;
    events.emit('workerDied', { worker: chunk.threadId, reason: causeOfDeath(error, 'the pool').message });
    if (ran || chunk.harvested > 0) return;
    // It died before it began anything: a new thread at once might do the same for ever.
    this.#holdTimer?.cancel();
    this.#holdTimer = clock.after(THREAD_RETRY_MS, () => {
      this.#holdTimer = undefined;
      this.#pump();
    });
  }

  #take(one: Running, outcomes: ToldOutcome[]): void {
    for (const { index, outcome: told, microseconds } of outcomes) {
      const flight = one.flights[index] as Flight;
      this.#pace.note(flight.job.type, microseconds);
      const outcome = outcomeAsTold(one, index, told);
      if (outcome.kind === 'completed') {
        for (const nested of outcome.dispatches ?? []) fillIn(nested, this.types.get(nested.type));
      }
      this.#land(flight, outcome, microseconds / 1000);
    }
  }

  #land(flight: Flight, outcome: Outcome, milliseconds: number): void {
    // Its place is free, its type may start another, its children may be due: the claim rides along.
    this.#hungry = true;
    this.#landed.push({ flight, settle: land(flight, outcome, this.#parts.random), milliseconds });
    this.#gate.ended(flight.job);
  }
}
