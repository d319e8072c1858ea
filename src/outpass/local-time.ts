/** Tells the instants of the tables in the office's time zone, as a student or a guard reads them. */

import { parseTime } from '../engine/clock.ts';

/** The parts of an instant in a zone. */
interface LocalParts {
  weekday: string;
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

// Making a formatter costs a hundred times what using it does.
const formatters = new Map<string, Intl.DateTimeFormat>();

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The wall-clock parts of an instant. */
function localParts(ms: number, zone: string): LocalParts {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      weekday: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      hourCycle: 'h23',
    });
    formatters.set(zone, formatter);
  }
  const found: Record<string, string> = {};
  for (const part of formatter.formatToParts(ms)) found[part.type] = part.value;
  const number = (type: string) => Number(found[type]);
  return {
    weekday: found['weekday'] ?? '',
    year: number('year'),
    month: number('month'),
    day: number('day'),
    hour: number('hour'),
    minute: number('minute'),
    second: number('second'),
  };
}

/** How far the zone's clock is ahead of UTC at an instant, in milliseconds. */
export function zoneOffset(ms: number, zone: string): number {
  const p = localParts(ms, zone);
  const wall = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second);
  return wall - Math.floor(ms / 1000) * 1000;
}

/** @example tellOffset(0, 'Asia/Kolkata') === 'UTC+05:30' */
export function tellOffset(ms: number, zone: string): string {
  const minutes = Math.round(zoneOffset(ms, zone) / 60_000);
  const size = Math.abs(minutes);
  const hh = String(Math.floor(size / 60)).padStart(2, '0');
  const mm = String(size % 60).padStart(2, '0');
  return `UTC${minutes < 0 ? '-' : '+'}${hh}:${mm}`;
}

/** @example tellDate('2026-11-20 12:30:00.000', 'Asia/Kolkata') === 'Fri 20 Nov 2026' */
export function tellDate(utcText: string, zone: string): string {
  const p = localParts(parseTime(utcText), zone);
  return `${p.weekday} ${p.day} ${MONTHS[p.month - 1]} ${p.year}`;
}

/** @example tellClock('2026-11-20 12:30:00.000', 'Asia/Kolkata') === '6:00 PM' */
export function tellClock(utcText: string, zone: string): string {
  const p = localParts(parseTime(utcText), zone);
  const hour = p.hour % 12 === 0 ? 12 : p.hour % 12;
  return `${hour}:${String(p.minute).padStart(2, '0')} ${p.hour < 12 ? 'AM' : 'PM'}`;
}

/** Day and time without the zone. @example 'Fri 20 Nov 2026, 6:00 PM' */
export function tellTime(utcText: string, zone: string): string {
  return `${tellDate(utcText, zone)}, ${tellClock(utcText, zone)}`;
}

/** The zone as it stands at an instant. @example 'Asia/Kolkata, UTC+05:30' */
export function tellZone(utcText: string, zone: string): string {
  return `${zone}, ${tellOffset(parseTime(utcText), zone)}`;
}
