/** Where the engine gets time and chance from; tests hand in their own. */

/** Wall time decides what is due and is stored; monotonic time measures how long something takes. */
export interface Clock {
  /** Wall time in milliseconds since 1970, UTC. May jump either way. */
  now(): number;
  /** Milliseconds that only ever grow; the zero point means nothing. */
  monotonic(): number;
  /** Calls `fn` once after `ms`. The handle keeps no process alive. */
  after(ms: number, fn: () => void): Timer;
}

/** A timer that can be called off; calling it off twice is fine. */
export interface Timer {
  cancel(): void;
}

/** A number in [0, 1). */
export type Random = () => number;

/** setTimeout counts in a signed 32-bit integer of milliseconds; anything longer would fire at once. */
export const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, Math.min(Math.max(ms, 0), LONGEST_TIMEOUT));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * The form in which every table keeps time: UTC text that sorts as time does.
 * @example formatTime(0) === '1970-01-01 00:00:00.000'
 */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 23);
}

/** Whether it can be kept: of other years the text would not sort as time does. */
export function canBeKept(ms: number): boolean {
  return ms >= Date.parse('0000-01-01T00:00:00Z') && ms <= Date.parse('9999-12-31T23:59:59.999Z');
}

/** The reverse of {@link formatTime}; also reads what other programs write without milliseconds. */
export function parseTime(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`);
}
