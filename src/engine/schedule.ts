/** Schedules: what they are, and which of their ticks run. Pure. */

import type { CronTicks } from './cron.ts';
import type { NewJob } from './store.ts';

/** What becomes of ticks that could not be kept, since nothing ran or the schedule was paused. */
export const CATCH_UP = ['latest', 'all', 'skip'] as const;
export type CatchUp = (typeof CATCH_UP)[number];

/** What becomes of a tick whose predecessor's job still waits or runs. */
export const OVERLAP = ['skip', 'queue'] as const;
export type Overlap = (typeof OVERLAP)[number];

/** A cron expression and what it sets off. */
export interface Schedule {
  name: string;
  /** 5 or 6 fields, or `@daily` and its like. */
  cron: string;
  /** IANA name. */
  zone: string;
  overlap: Overlap;
  catchUp: CatchUp;
  /** The job of each tick; without one, the supervisor itself does something small. */
  job?: NewJob;
}

/** What became of a tick: run; skipped, as its predecessor's job had not ended; or not kept. */
export const TICK_OUTCOMES = ['run', 'skipped', 'missed'] as const;
export type TickOutcome = (typeof TICK_OUTCOMES)[number];

/** Which ticks to run and which to write off; all up to `until` are decided then. Milliseconds since 1970. */
export interface TickPlan {
  run: number[];
  missed: number[];
  until: number;
  /** Null where it never ticks again. */
  next: number | null;
}

/** A tick that is decided within this is on time. */
const ON_TIME_MS = 60_000;

/** So many ticks are caught up with, or written down as missed, at most. */
export const MOST_CAUGHT_UP = 100;

/**
 * Decides the ticks up to now that nobody has decided yet. A clock that was set back decides nothing, and ticks that
 * come again are known by the ledger.
 */
export function planTicks(ticks: CronTicks, catchUp: CatchUp, decidedUntil: number, now: number): TickPlan {
  const due = decidedUntil >= now ? [] : latestTicks(ticks, decidedUntil, now);
  const next = ticks.after(now) ?? null;
  const run = {
    all: due,
    latest: due.slice(-1),
    skip: due.filter((tick) => now - tick <= ON_TIME_MS),
  }[catchUp];
  const missed = due.filter((tick) => !run.includes(tick));
  return { run, missed, until: now, next };
}

/**
 * The latest ticks of a span, its beginning left out. Looked for from its end in ever longer steps: a year of minutes
 * is not walked through for the sake of the last.
 */
function latestTicks(ticks: CronTicks, after: number, until: number): number[] {
  for (let span = 2 * ON_TIME_MS; ; span *= 8) {
    const from = Math.max(after, until - span);
    const found: number[] = [];
    for (let tick = ticks.after(from); tick !== undefined && tick <= until; tick = ticks.after(tick)) {
      found.push(tick);
      if (found.length > MOST_CAUGHT_UP) found.shift();
    }
    if (from === after || found.length === MOST_CAUGHT_UP) return found;
  }
}
