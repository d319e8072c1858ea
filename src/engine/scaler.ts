/** How many workers there should be, and the loop that asks. */

import type { Clock, Timer } from './clock.ts';
import type { Events } from './events.ts';

/** The limits of the pool and the thresholds, in due jobs per worker. */
export interface ScaleLimits {
  minWorkers: number;
  maxWorkers: number;
  scaleUpThreshold: number;
  scaleDownThreshold: number;
}

/**
 * The number of workers wanted, by the guide's formula: above the scale-up threshold, and below the
 * scale-down threshold, as many as keep each at the scale-up threshold. Pure.
 */
export function targetWorkers(pending: number, current: number, limits: ScaleLimits): number {
  const { minWorkers, maxWorkers, scaleUpThreshold, scaleDownThreshold } = limits;
  const load = pending / current;
  const wanted = Math.ceil(pending / scaleUpThreshold);
  if (load > scaleUpThreshold) return Math.min(wanted, maxWorkers);
  if (load < scaleDownThreshold) return Math.min(Math.max(wanted, minWorkers), maxWorkers);
  return Math.min(current, maxWorkers);
}

export interface ScalerParts {
  limits: ScaleLimits;
  /** The most workers that an admin wants for now, if that differs from the limits; asked at each check. */
  ceiling?: () => Promise<number | undefined>;
  /** Milliseconds between two checks. */
  interval: number;
  clock: Clock;
  events: Events;
  /** Due jobs, counted no further than the limit. */
  countDue: (limit: number) => Promise<number>;
  /** Called with the new number of workers. */
  apply: (target: number) => void;
}

/** Checks the load every so often, and at once where a burst meets an idle queue. */
export class Scaler {
  readonly #parts: ScalerParts;
  #limits: ScaleLimits;
  #target: number;
  #timer: Timer | undefined;
  #early: Timer | undefined;
  #checking = false;

  constructor(parts: ScalerParts) {
    this.#parts = parts;
    this.#limits = parts.limits;
    this.#target = parts.limits.minWorkers;
  }

  get target(): number {
    return this.#target;
  }

  get limits(): ScaleLimits {
    return this.#limits;
  }

  start(): void {
    this.#parts.apply(this.#target);
    this.#again();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#early?.cancel();
  }

  /** The queue may have filled: looks soon, but only to grow. At most once in a quarter of a second. */
  burst(): void {
    if (this.#target >= this.#limits.maxWorkers) return;
    this.#early ??= this.#parts.clock.after(Math.min(250, this.#parts.interval), () => {
      this.#early = undefined;
      void this.check('burst');
    });
  }

  /** One check. At a `burst` the pool only grows: shrinking waits for the regular check. */
  async check(reason: 'check' | 'burst'): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    const { countDue, apply, events } = this.#parts;
    try {
      await this.#setCeiling();
      const enough = this.#limits.maxWorkers * this.#limits.scaleUpThreshold + 1;
      const pending = await countDue(enough);
      const from = this.#target;
      const to = targetWorkers(pending, from, this.#limits);
      if (to === from || (reason === 'burst' && to < from)) return;
      this.#target = to;
      apply(to);
      const shown = pending >= enough ? `${enough - 1}+` : String(pending);
      events.emit('scaled', { from, to, pending: shown, load: pending / from, reason });
    } catch (error) {
      events.emit('trouble', { where: 'counting due jobs', error });
    } finally {
      this.#checking = false;
    }
  }

  async #setCeiling(): Promise<void> {
    const { limits, ceiling } = this.#parts;
    const maxWorkers = (await ceiling?.()) ?? limits.maxWorkers;
    this.#limits = { ...limits, maxWorkers, minWorkers: Math.min(limits.minWorkers, maxWorkers) };
  }

  #again(): void {
    this.#timer = this.#parts.clock.after(this.#parts.interval, () => {
      void this.check('check');
      this.#again();
    });
  }
}
