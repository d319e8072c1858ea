/**
 * When a cron expression ticks in a time zone. Pure. The pattern itself is croner's; what a change of the clock does
 * to it is decided here, since croner skips a list of minutes that lies in a gap.
 */

import { Cron } from 'croner';
import { errors } from '../errors.ts';
import { changeBetween, instantOf, zoneOffset } from './zone.ts';
import { counted } from './units.ts';

/** An expression that can be asked. */
export interface CronTicks {
  /** The first tick after an instant, in milliseconds; undefined where it never ticks again. */
  after(instant: number): number | undefined;
}

/** No pattern that ticks at all waits longer: 29 February, over the year 2100. */
const LONGEST_WAIT_MS = 9 * 366 * 86_400_000;

/** Milliseconds: ticks are whole seconds. */
const SECOND = 1000;

/**
 * Reads an expression of 5 or 6 fields (the first of 6 counts seconds), with names, or `@daily` and its like. `where`
 * names it in the error.
 *
 * Where the hours are named (`30 2 * * *`), a tick that the zone's clock skips comes at the first instant after the gap,
 * and one that it shows twice comes once, the first time. Where the hours begin with a star, ticks follow the
 * clock as it goes: an hour that is shown twice ticks twice, as a job of every five minutes must not rest for an hour.
 */
export function readCron(expression: string, zone: string, where: string): CronTicks {
  const fields = expression.trim().split(/\s+/);
  let pattern: Cron;
  try {
    // croner reads a seventh field, of years; nobody expects that of cron.
    if (fields.length > 6) throw new Error('too many');
    pattern = patternOf(fields);
  } catch {
    throw errors.badCron(where, expression, reasonOf(fields));
  }
  const hours = fields.length === 1 ? undefined : fields.at(-4);
  const everyHour = hours === undefined ? /^@hourly$/i.test(expression.trim()) : hours.startsWith('*');
  const nextWall = (wall: number) => pattern.nextRun(new Date(wall))?.getTime();
  return { after: everyHour ? followingClock(nextWall, zone) : onceByTheClock(nextWall, zone) };
}

function patternOf(fields: readonly string[]): Cron {
  return new Cron(fields.join(' '), { paused: true, timezone: 'UTC' });
}

/** The fields from the last to the first, and what may stand in them. */
const FIELDS = [
  ['day of the week', '0 to 7, or SUN to SAT'],
  ['month', '1 to 12, or JAN to DEC'],
  ['day', '1 to 31'],
  ['hour', '0 to 23'],
  ['minute', '0 to 59'],
  ['second', '0 to 59'],
] as const;

/** What is wrong with an expression, in other words than the library's. */
function reasonOf(fields: readonly string[]): string {
  const [first = ''] = fields;
  if (first.startsWith('@')) {
    return 'such words are @yearly, @monthly, @weekly, @daily and @hourly';
  }
  if (fields.length < 5 || fields.length > 6) {
    const count = first === '' ? 0 : fields.length;
    return `it has ${counted(count, 'field')}, and 5 or 6 are meant`;
  }
  const bad = fields.toReversed().findLastIndex((field, at) => {
    const alone = fields.map((_, i) => (i === fields.length - 1 - at ? field : '*'));
    try {
      patternOf(alone);
      return false;
    } catch {
      return true;
    }
  });
  const [name, range] = FIELDS[bad] ?? [];
  if (name === undefined) return 'it cannot be read';
  return `its ${name} is '${fields.at(-1 - bad)}', and may be ${range}, lists (1,2), ranges (1-5), steps (*/2) or *`;
}

type Next = (wall: number) => number | undefined;

/** Each time of the wall clock is one tick, whatever happens to the clock. */
function onceByTheClock(nextWall: Next, zone: string): CronTicks['after'] {
  return (instant) => {
    let wall = instant + zoneOffset(instant, zone);
    // In an hour that is shown again, ticks come out that were ticks already; they lie before `instant`. And several
    // of a gap come out as one instant.
    for (;;) {
      const next = nextWall(wall);
      if (next === undefined) return undefined;
      const tick = instantOf(next, zone);
      if (tick > instant) return tick;
      wall = next;
    }
  };
}

/** What the wall clock shows is compared as it goes. */
function followingClock(nextWall: Next, zone: string): CronTicks['after'] {
  return (instant) => {
    let from = instant;
    const end = instant + LONGEST_WAIT_MS;
    while (from < end) {
      const offset = zoneOffset(from, zone);
      const next = nextWall(from + offset);
      if (next === undefined) return undefined;
      const tick = next - offset;
      if (zoneOffset(tick, zone) === offset) return tick;
      // The clock changes before that: what it shows from then on is looked at anew.
      const change = changeBetween(from, tick, zone);
      const shown = change + zoneOffset(change, zone);
      if (nextWall(shown - SECOND) === shown) return change;
      from = change;
    }
    return undefined;
  };
}
