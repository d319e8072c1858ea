/** Some jobs in the hands of one worker, as the main thread sees them through the shared memory. */

import { type Arena, begun, recall, runningSince, sharedClock, stored, threadOf } from './arena.ts';
import type { Outcome } from './job.ts';
import type { WireJob } from './wire.ts';

/** A chunk that a worker has. */
export class Chunk {
  readonly number: number;
  readonly jobs: WireJob[];
  readonly arena: Arena;
  /** `sharedClock` at hand-over. */
  readonly base: number;
  /** Outcomes read so far. */
  harvested = 0;
  /** Jobs from this index on were taken back and are not this chunk's any more. */
  end: number;
  readonly elsewhere = new Map<number, string>();
  /** Its thread said something unreadable, or bears what a job left behind: it runs no other job after this chunk. */
  tainted = false;
  readonly abort = new AbortController();

  constructor(number: number, jobs: WireJob[], arena: Arena) {
    this.number = number;
    this.jobs = jobs;
    this.arena = arena;
    this.base = sharedClock();
    this.end = jobs.length;
  }

  /** The index of the job that runs, or undefined before the first and between jobs. */
  get running(): number | undefined {
    const index = begun(this.arena) - 1;
    return index >= 0 && stored(this.arena) <= index ? index : undefined;
  }

  /** When the running job began, on the shared clock. */
  get since(): number {
    return this.base + runningSince(this.arena);
  }

  /** How many jobs have begun: where it stands still, the thread does. */
  get begun(): number {
    return begun(this.arena);
  }

  get threadId(): number {
    return threadOf(this.arena);
  }

  /** Takes the jobs back that have not begun, and returns their indexes. */
  recall(): number[] {
    const from = recall(this.arena);
    const taken: number[] = [];
    for (let index = from; index < this.end; index++) taken.push(index);
    this.end = Math.min(this.end, from);
    return taken;
  }
}

/** How a job ended, as its thread told; undefined where that cannot be read. */
export interface ToldOutcome {
  index: number;
  outcome: Outcome | undefined;
  microseconds: number;
}
