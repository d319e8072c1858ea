/**
 * A supervisor over its reloads. Each reload starts a daemon of its own beside the former one: the newest claims, ticks
 * and answers, and those before it finish what they have begun, with the code and the settings they began it with.
 * Where the new one cannot start, nothing has changed.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from './config.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { systemClock } from './engine/clock.ts';
import { Endpoints } from './edge/http/endpoints.ts';
import type { Log } from './edge/log.ts';
import { messageOf } from './errors.ts';

/** A start that is under way at a stop is waited for no longer than this, in milliseconds. */
const LATE_START_MS = 2000;

/** One that another has followed. */
interface Retired {
  hurry: AbortController;
  /** With whether all its threads are gone. */
  ended: Promise<boolean>;
}

export class Generations {
  readonly #endpoints: Endpoints;
  readonly #broken = Promise.withResolvers<never>();
  readonly #retired = new Set<Retired>();
  #newest: Daemon;
  /** A thread of one that has ended could not be ended. */
  #stuck = false;
  #stopping = false;
  /** The start of another that is under way; never rejects. */
  #starting: Promise<unknown> = Promise.resolve();

  private constructor(newest: Daemon, endpoints: Endpoints) {
    this.#newest = newest;
    this.#endpoints = endpoints;
    this.#broken.promise.catch(() => undefined);
    this.#watch(newest);
  }

  /** Starts the first. Throws, with nothing left running, where something is wrong. */
  static async start(config: Config, kind: 'supervisor' | 'worker', log: Log): Promise<Generations> {
    const endpoints = new Endpoints();
    return new Generations(await startDaemon(config, kind, log, endpoints), endpoints);
  }

  /** The one that claims. */
  get newest(): Daemon {
    return this.#newest;
  }

  /** Rejects where it cannot go on. */
  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  /** Starts another, and lets the former one finish. Throws, with nothing changed, where the new one cannot start. */
  async reload(config: Config, log: Log): Promise<void> {
    const former = this.#newest;
    const started = this.#startNext(config, log);
    this.#starting = started.catch(() => undefined);
    const next = await started;
    if (next === undefined) return;
    this.#newest = next;
    this.#watch(next);
    const hurry = new AbortController();
    const ended = former.retire(hurry.signal).catch((error: unknown) => {
      // The newest takes back, after half a minute, what this one could not write.
      log.error({ error: messageOf(error) }, 'the former generation did not end well');
      return true;
    });
    const retired = { hurry, ended };
    this.#retired.add(retired);
    void ended.then((gone) => {
      this.#retired.delete(retired);
      this.#stuck ||= !gone;
    });
  }

  /** Undefined where all has been stopped meanwhile: then it comes too late, and is stopped as well. */
  async #startNext(config: Config, log: Log): Promise<Daemon | undefined> {
    const next = await startDaemon(config, 'supervisor', log, this.#endpoints);
    if (!this.#stopping) return next;
    await next.stop(0, AbortSignal.abort());
    return undefined;
  }

  /** Stops all of them, as {@link Daemon.stop}. */
  async stop(ms: number, cutShort: AbortSignal): Promise<boolean> {
    this.#stopping = true;
    const retired = [...this.#retired];
    const hurry = () => retired.forEach((one) => one.hurry.abort());
    const deadline = systemClock.after(ms, hurry);
    cutShort.addEventListener('abort', hurry);
    if (cutShort.aborted) hurry();
    try {
      const ends = await Promise.all([
        this.#newest.stop(ms, cutShort),
        ...retired.map(async ({ ended }) => ended),
      ]);
      // One that just starts says goodbye as well, unless it takes long.
      await Promise.race([this.#starting, sleep(LATE_START_MS, undefined, { ref: false })]);
      return ends.every(Boolean) && !this.#stuck;
    } finally {
      deadline.cancel();
    }
  }

  #watch(daemon: Daemon): void {
    // Of one that only finishes what it has begun, it is no reason to stop the newest.
    daemon.broken.catch((error: unknown) => {
      if (daemon === this.#newest) this.#broken.reject(error);
    });
  }
}
