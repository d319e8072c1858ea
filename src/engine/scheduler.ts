/** The loop that turns due ticks into jobs. What is due is decided by the store's rows, so that several loops agree. */

import type { Clock, Timer } from './clock.ts';
import { type CronTicks, readCron } from './cron.ts';
import type { Events } from './events.ts';
import { planTicks, type Schedule, type TickOutcome, type TickPlan } from './schedule.ts';

/** A tick that was decided just now. */
export interface DecidedTick {
  tick: number;
  outcome: TickOutcome;
  job: number | null;
}

/** A schedule as its row tells it. Milliseconds since 1970. */
export interface ScheduleState {
  name: string;
  /** All ticks up to this are decided. */
  decidedUntil: number;
  paused: boolean;
}

/** A schedule with its next tick, in milliseconds since 1970; null where it never ticks. */
export type DefinedSchedule = Schedule & { next: number | null };

/** The rows of schedules and their ledger of ticks. */
export interface ScheduleStore {
  /** Writes what is defined; a new schedule, or one that ticks otherwise than before, begins now. */
  define(schedules: readonly DefinedSchedule[]): Promise<void>;
  states(): Promise<ScheduleState[]>;
  /**
   * Decides the due ticks of a schedule and writes their jobs, in one transaction. Gives those that were decided by this
   * call: a tick in the ledger stays as it is, whoever decided it.
   */
  decide(schedule: Schedule, plan: (decidedUntil: number) => TickPlan): Promise<DecidedTick[]>;
}

interface SchedulerParts {
  schedules: readonly Schedule[];
  store: ScheduleStore;
  clock: Clock;
  events: Events;
  /** Does what a schedule without a job is for; may take long, and ends where the signal says so. */
  chore: (name: string, signal: AbortSignal) => unknown;
}

/** The longest wait between two looks, in milliseconds: clocks jump, and another process may pause or resume. */
const LOOK_MS = 10_000;

/** After a look that failed, in milliseconds. */
const AGAIN_MS = 1000;

export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #ticks: ReadonlyMap<string, CronTicks>;
  #timer: Timer | undefined;
  #stopped = false;
  #looking: Promise<void> | undefined;
  readonly #stopping = new AbortController();
  readonly #chores = new Map<string, Promise<unknown>>();

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#ticks = new Map(
      parts.schedules.map(({ name, cron, zone }) => [name, readCron(cron, zone, `schedules.${name}`)]),
    );
  }

  /** Resolves once what was missed before is decided. */
  async start(): Promise<void> {
    const { schedules, store, clock } = this.#parts;
    const now = clock.now();
    await store.define(
      schedules.map((schedule) => ({
        ...schedule,
        next: this.#ticks.get(schedule.name)?.after(now) ?? null,
      })),
    );
    this.#look();
    await this.#looking;
  }

  /** Decides nothing more. What it has begun itself ends at the signal; resolves once it has ended. */
  async stop(cutShort: AbortSignal): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    if (cutShort.aborted) this.#stopping.abort();
    cutShort.addEventListener('abort', () => this.#stopping.abort());
    await this.#looking;
    await Promise.all(this.#chores.values());
  }

  /** The clock was set: looks at once, unless it is just looking. */
  wake(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#look();
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#stopped) return;
    this.#looking = this.#decideAll().then(
      (wait) => this.#lookIn(wait),
      (error: unknown) => {
        this.#parts.events.emit('trouble', { where: 'schedules', error });
        this.#lookIn(AGAIN_MS);
      },
    );
  }

  #lookIn(ms: number): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.clock.after(ms, () => this.#look());
  }

  /** Gives the milliseconds until the next look. */
  async #decideAll(): Promise<number> {
    const { schedules, store, clock } = this.#parts;
    const states = new Map((await store.states()).map((state) => [state.name, state]));
    let wait = LOOK_MS;
    for (const schedule of schedules) {
      const state = states.get(schedule.name);
      const ticks = this.#ticks.get(schedule.name);
      if (state === undefined || ticks === undefined || state.paused) continue;
      const now = clock.now();
      const next = ticks.after(Math.min(state.decidedUntil, now));
      // A clock that was set back is noted too, or the ticks until then would be lost.
      if ((next !== undefined && next <= now) || state.decidedUntil > now) {
        await this.#decide(schedule, ticks);
      }
      const coming = ticks.after(clock.now());
      if (coming !== undefined) wait = Math.min(wait, coming - clock.now());
    }
    return Math.max(wait, 1);
  }

  /** Ticks of others do not wait for it; one of its own that comes meanwhile is left out. */
  #start(name: string, chore: SchedulerParts['chore']): void {
    if (this.#chores.has(name)) return;
    const done = (async () => chore(name, this.#stopping.signal))()
      .catch((error: unknown) => this.#parts.events.emit('trouble', { where: name, error }))
      .finally(() => this.#chores.delete(name));
    this.#chores.set(name, done);
  }

  async #decide(schedule: Schedule, ticks: CronTicks): Promise<void> {
    const { store, clock, events, chore } = this.#parts;
    const decided = await store.decide(schedule, (decidedUntil) =>
      planTicks(ticks, schedule.catchUp, decidedUntil, clock.now()),
    );
    const missed: number[] = [];
    for (const { tick, outcome, job } of decided) {
      if (outcome === 'missed') missed.push(tick);
      else events.emit('ticked', { schedule: schedule.name, tick, outcome, job });
    }
    const [from, to] = [missed[0], missed.at(-1)];
    const isChore = schedule.job === undefined;
    if (from !== undefined && to !== undefined) {
      events.emit('missed', { schedule: schedule.name, count: missed.length, from, to, chore: isChore });
    }
    if (isChore && decided.some(({ outcome }) => outcome === 'run')) {
      this.#start(schedule.name, chore);
    }
  }
}
