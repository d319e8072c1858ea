/** Tells the instants of the tables in the office's time zone, as a student or a guard reads them. */

import { parseTime } from '../engine/clock.ts';
import { localParts, tellOffset } from '../engine/zone.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

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

/** A told time with its zone, where no heading names it. @example '6:00 PM (Asia/Kolkata)', '12:30 PM UTC' */
export function inZone(told: string, zone: string): string {
  return zone === 'UTC' ? `${told} UTC` : `${told} (${zone})`;
}

/** Day and time without the zone. @example 'Fri 20 Nov 2026, 6:00 PM' */
export function tellTime(utcText: string, zone: string): string {
  return `${tellDate(utcText, zone)}, ${tellClock(utcText, zone)}`;
}

/** The zone as it stands at an instant. @example 'Asia/Kolkata, UTC+05:30' */
export function tellZone(utcText: string, zone: string): string {
  return zone === 'UTC' ? zone : `${zone}, ${tellOffset(parseTime(utcText), zone)}`;
}
