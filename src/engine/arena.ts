/**
 * The memory that the main thread and one worker share while the worker does a chunk of jobs. It says
 * which job runs and holds the outcomes of those that ended, so that ending the thread at any moment
 * loses no outcome and charges no job but the one that ran.
 *
 * The race: the worker moves RUNNING from k to k + 1 by compare-exchange before it starts job k + 1.
 * The main thread sets the RECALLED bit there. Whoever comes second sees it: either the worker has
 * started the next job, or it will never start one.
 */

const RUNNING = 0; // jobs begun; the one that runs is RUNNING - 1
const STORED = 1; // outcomes written
const THREAD = 2; // the worker's threadId, 0 before it begins
const SINCE = 3; // when the running job began: ms after the chunk's base time
const HEADER = 4;

/** For each job: what kind of outcome, where its text lies, how long it is, microseconds it took. */
const ITEM = 4;

const RECALLED = 1 << 30;

/** Outcome texts share this much; one that does not fit goes through the message port. */
const TEXT_BYTES = 128 * 1024;

/** The most jobs in one chunk. */
export const MAX_CHUNK = 256;

/** How an outcome is marked; `plain` is a completion without a result, which needs no text. */
export const CODE = { plain: 1, text: 2, port: 3 } as const;

// Taken now: a handler that patches globals must not break the jobs after it.
const { compareExchange, load, or, store } = Atomics;
const hrtime = process.hrtime;

/** Milliseconds of a clock that all threads of the process share. */
export function sharedClock(): number {
  // No destructuring: it goes through Array.prototype, which a handler may have patched.
  const time = hrtime();
  return time[0] * 1000 + time[1] / 1e6;
}

/** One stretch of shared memory; used again for the next chunk unless its thread was ended. */
export interface Arena {
  control: Int32Array<SharedArrayBuffer>;
  text: Uint8Array<SharedArrayBuffer>;
}

/** New shared memory, all zero. */
export function createArena(): Arena {
  const size = (HEADER + MAX_CHUNK * ITEM) * Int32Array.BYTES_PER_ELEMENT;
  const buffer = new SharedArrayBuffer(size + TEXT_BYTES);
  return {
    control: new Int32Array(buffer, 0, HEADER + MAX_CHUNK * ITEM),
    text: new Uint8Array(buffer, size, TEXT_BYTES),
  };
}

/** Makes a used arena new again. Its worker must have returned. */
export function resetArena({ control }: Arena): void {
  control[STORED] = 0;
  control[THREAD] = 0;
  control[SINCE] = 0;
  store(control, RUNNING, 0);
}

const encoder = new TextEncoder();
const encodeInto = encoder.encodeInto.bind(encoder);
const decoder = new TextDecoder();

/** The worker's side of an arena. */
export class WorkerSide {
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #text: Uint8Array<SharedArrayBuffer>;
  readonly #base: number;
  #used = 0;
  #startedAt = 0;

  constructor(arena: Arena, base: number, threadId: number) {
    this.#control = arena.control;
    this.#text = arena.text;
    this.#base = base;
    store(arena.control, THREAD, threadId);
  }

  /** Tries to start job number `index`; false where the rest of the chunk was recalled. */
  begin(index: number): boolean {
    this.#startedAt = sharedClock();
    store(this.#control, SINCE, this.#startedAt - this.#base);
    return compareExchange(this.#control, RUNNING, index, index + 1) === index;
  }

  /** Writes the outcome of job `index`. False where its text must go through the port first. */
  store(index: number, text: string | undefined): boolean {
    let code: number = CODE.plain;
    let written = 0;
    if (text !== undefined) {
      const room = this.#text.subarray(this.#used);
      // encodeInto would stop in the middle: three bytes a character is the worst case.
      if (text.length * 3 > room.length) return false;
      written = encodeInto(text, room).written;
      code = CODE.text;
    }
    this.#finish(index, code, written);
    return true;
  }

  /** Marks job `index` as told through the port; its message must have been posted before. */
  storeElsewhere(index: number): void {
    this.#finish(index, CODE.port, 0);
  }

  #finish(index: number, code: number, length: number): void {
    const at = HEADER + index * ITEM;
    this.#control[at] = code;
    this.#control[at + 1] = this.#used;
    this.#control[at + 2] = length;
    this.#control[at + 3] = Math.min((sharedClock() - this.#startedAt) * 1000, 2 ** 31 - 1);
    this.#used += length;
    // After the plain writes above: whoever sees the new count sees them too.
    store(this.#control, STORED, index + 1);
  }
}

/** What the main thread reads of one outcome. */
export interface StoredOutcome {
  code: number;
  text: string;
  microseconds: number;
}

/** How many jobs of the chunk have been begun, with or without a recall. */
export function begun({ control }: Arena): number {
  return load(control, RUNNING) & ~RECALLED;
}

/** How many outcomes are there. */
export function stored({ control }: Arena): number {
  return load(control, STORED);
}

/** The thread that has the chunk; 0 where none has begun it. */
export function threadOf({ control }: Arena): number {
  return load(control, THREAD);
}

/** When the running job began, in milliseconds after the chunk's base time. */
export function runningSince({ control }: Arena): number {
  return load(control, SINCE);
}

/**
 * Takes back the jobs that have not begun: from now on the worker starts none of them.
 * Returns how many had begun.
 */
export function recall({ control }: Arena): number {
  return or(control, RUNNING, RECALLED) & ~RECALLED;
}

/** Reads the outcome of job `index`, which must be stored. */
export function readOutcome({ control, text }: Arena, index: number): StoredOutcome {
  const at = HEADER + index * ITEM;
  const code = control[at] as number;
  const start = control[at + 1] as number;
  const length = control[at + 2] as number;
  return {
    code,
    // A copy: the decoder refuses shared memory.
    text: length === 0 ? '' : decoder.decode(text.slice(start, start + length)),
    microseconds: control[at + 3] as number,
  };
}
