/** What systemd is told of the supervisor: that it is ready, how it is, that it lives, and that it stops. */

import type { Clock } from '../../engine/clock.ts';
import { messageOf } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { Notifier } from './notify.ts';

/** Between two looks, in milliseconds; less where systemd's watchdog wants to hear more often. */
const LOOK_MS = 60_000;

/** A loop that comes to a timer later than this hardly turns, in milliseconds. */
const LATE_MS = 5000;

/** Until the loop is looked at again where it was late, in milliseconds. */
const AGAIN_MS = 1000;

/**
 * The store has not answered for too long, in milliseconds. It is asked every 5 s, and where somebody holds it
 * locked it answers so after 30 s.
 */
const SILENT_MS = 60_000;

/** Systemd may wait this much longer at a stop than running jobs may take, in milliseconds. */
const CLOSING_MS = 15_000;

/** How a supervisor is. */
export interface Vitals {
  workers: number;
  maxWorkers: number;
  running: number;
  /** Milliseconds since the store last answered: no matter what, since a restart mends no full disk and no lock. */
  silentFor: number;
  /** Jobs that are due and that have failed, as texts such as `12` or `1000+`. Throws where the store says why not. */
  counts(): { due: string; failed: string };
}

/** Speaks for a supervisor that systemd has started. */
export class SystemdService {
  readonly #notifier: Notifier;
  readonly #clock: Clock;
  readonly #log: Log;
  #stopping = false;
  /** Why the last reload was refused; empty where it was not. */
  #refused = '';

  constructor(notifier: Notifier, clock: Clock, log: Log) {
    this.#notifier = notifier;
    this.#clock = clock;
    this.#log = log;
  }

  /** Says that the supervisor is ready, and from then on how it is. */
  ready(vitals: () => Vitals): void {
    this.reloaded(vitals);
    this.#lookIn(this.#interval, vitals);
  }

  /** Says that the supervisor stops, which may take as long as running jobs may. Systemd goes on watching it. */
  stopping(drainTimeout: number): void {
    this.#stopping = true;
    const microseconds = (drainTimeout + CLOSING_MS) * 1000;
    void this.#notifier.send(
      'STOPPING=1',
      'STATUS=stopping; running jobs may finish',
      // A drain timeout longer than the unit's TimeoutStopSec counts as well.
      `EXTEND_TIMEOUT_USEC=${microseconds}`,
    );
  }

  /** Says that the configuration is read anew; {@link reloaded} ends that. */
  reloading(): void {
    // Type=notify-reload of systemd 253 takes no reload for its own without the time at which it began.
    const microseconds = process.hrtime.bigint() / 1000n;
    void this.#notifier.send('RELOADING=1', `MONOTONIC_USEC=${microseconds}`, 'STATUS=reloading');
  }

  /** Says that the reload is over, and until the next one, why it was `refused`. */
  reloaded(vitals: () => Vitals, refused = ''): void {
    this.#refused = refused === '' ? '' : `; reload refused: ${refused.replaceAll(/\s*\n\s*/g, ' ')}`;
    void this.#notifier.send('READY=1', this.#status(vitals()));
  }

  /** Half of what the watchdog allows, so that one late look is no reason to be killed. */
  get #interval(): number {
    return Math.min(LOOK_MS, (this.#notifier.watchdog ?? Number.POSITIVE_INFINITY) / 2);
  }

  #lookIn(ms: number, vitals: () => Vitals): void {
    const due = this.#clock.monotonic() + ms;
    this.#clock.after(ms, () => {
      const late = this.#clock.monotonic() - due;
      const turns = late <= LATE_MS;
      if (turns) this.#look(vitals());
      else this.#log.warn({ seconds: Math.round(late / 1000) }, 'the event loop was held up');
      // A loop that is late every time is never taken for one that turns.
      this.#lookIn(turns ? this.#interval : Math.min(AGAIN_MS, this.#interval), vitals);
    });
  }

  #look(now: Vitals): void {
    const silent = now.silentFor > SILENT_MS;
    if (silent) {
      this.#log.error({ seconds: Math.round(now.silentFor / 1000) }, 'the database does not answer');
    }
    const fed = this.#notifier.watchdog !== null && !silent;
    void this.#notifier.send(...(fed ? ['WATCHDOG=1'] : []), this.#status(now));
  }

  #status(now: Vitals): string {
    return `STATUS=${this.#stopping ? 'stopping; ' : ''}${inWords(now)}${this.#refused}`;
  }
}

/** `3 of 10 workers, 12 due, 2 running, 1 failed` */
function inWords({ workers, maxWorkers, running, counts }: Vitals): string {
  const pool = `${workers} of ${maxWorkers} workers`;
  try {
    const { due, failed } = counts();
    return `${pool}, ${due} due, ${running} running, ${failed} failed`;
  } catch (error) {
    return `${pool}, ${running} running; ${messageOf(error)}`;
  }
}
