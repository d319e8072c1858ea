/** The office's calendar: between instants (milliseconds since 1970) and what the clock on its wall shows. */

import { zoneOffset } from '../../engine/zone.ts';
import { readTime } from '../read-time.ts';

/** A day as the calendar names it; the month counts from 1. */
export interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** What the wall clock shows at an instant: read it with the UTC getters. */
export function wallClock(instant: number, zone: string): Date {
  return new Date(instant + zoneOffset(instant, zone));
}

/**
 * When the wall clock shows a time of a day: the earlier instant where it shows it twice, the first one after the
 * gap where it skips it (be that an hour or a whole day).
 */
export function instantAt(date: CalendarDay, hour: number, minute: number, zone: string): number {
  const digits = (value: number, length: number) => String(value).padStart(length, '0');
  const text = `${digits(date.year, 4)}-${digits(date.month, 2)}-${digits(date.day, 2)} ${digits(hour, 2)}:${digits(minute, 2)}`;
  const instant = readTime(text, zone);
  if (instant === undefined) throw new RangeError(`${text} is not in the calendar`);
  return instant;
}

/** The whole day in the zone that an instant lies in: from its first instant up to, not with, the next day's. */
export function dayAround(instant: number, zone: string): { from: number; to: number } {
  const wall = wallClock(instant, zone);
  const midnight = (date: Date) => instantAt(dayOf(date), 0, 0, zone);
  return { from: midnight(wall), to: midnight(new Date(wall.getTime() + 86_400_000)) };
}

/** The day of a wall clock, as {@link wallClock} gives it. */
export function dayOf(wall: Date): CalendarDay {
  return { year: wall.getUTCFullYear(), month: wall.getUTCMonth() + 1, day: wall.getUTCDate() };
}
