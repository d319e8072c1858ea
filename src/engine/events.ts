/** What the engine tells the outside. It emits, it never logs; a listener's error harms nothing. */

import type { JobError } from './job.ts';
import type { TickOutcome } from './schedule.ts';

/** An attempt, named. */
export interface AttemptName {
  id: number;
  type: string;
  attempt: number;
}

/** Every event with what it carries. Times are milliseconds. */
export interface EventMap {
  completed: AttemptName & { ms: number };
  retried: AttemptName & { error: JobError; delay: number };
  failed: AttemptName & { error: JobError; discarded: boolean };
  /** `error`: what it waits for, where its handler said so. */
  released: AttemptName & { delay: number; error?: JobError };
  /** The attempt ended, but its lease was gone (cancelled, expired): the outcome was dropped. */
  lost: AttemptName;
  /** Jobs of a process that is gone went back, or failed for having killed it. */
  rescued: { process: number; pid: number; returned: number[]; failed: number[] };
  scaled: { from: number; to: number; pending: string; load: number; reason: string };
  workerDied: { worker: number; reason: string };
  log: AttemptName & {
    level: 'debug' | 'info' | 'warn' | 'error';
    message: string;
    fields?: Record<string, unknown>;
  };
  /** A tick of a schedule was decided, here. */
  ticked: { schedule: string; tick: number; outcome: Exclude<TickOutcome, 'missed'>; job: number | null };
  /** Ticks of a schedule were written off, here: so many, the first and the last. `chore`: it has no job. */
  missed: { schedule: string; count: number; from: number; to: number; chore: boolean };
  /** Something went wrong in the engine itself; it goes on. */
  trouble: { where: string; error: unknown };
  claimed: { count: number };
  /** A worker was given jobs. */
  launched: { worker: number };
  /** A claim came back full: more is due than the workers can take. */
  backlog: { process: number };
  /** Nothing is claimable, and nothing runs. */
  idle: { process: number };
}

export type EventName = keyof EventMap;
type Listener<Name extends EventName> = (event: EventMap[Name]) => void;

/** A typed emitter. */
export class Events {
  readonly #listeners = new Map<EventName, Set<(event: never) => void>>();

  /** Calls `listener` at every such event. Returns the function that stops it. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  /** The next such event (that passes `test`). */
  next<Name extends EventName>(
    name: Name,
    test: (event: EventMap[Name]) => boolean = () => true,
  ): Promise<EventMap[Name]> {
    return new Promise((resolve) => {
      const stop = this.on(name, (event) => {
        if (!test(event)) return;
        stop();
        resolve(event);
      });
    });
  }

  /** Whether anybody listens: lets the hot path skip making the event. */
  has(name: EventName): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  emit<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as Listener<Name>)(event);
      } catch (error) {
        // Told once, and never about the listener of trouble itself, or it would go round for ever.
        if (name !== 'trouble') this.emit('trouble', { where: `listener of ${name}`, error });
      }
    }
  }
}
