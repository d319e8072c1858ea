/** Reads the times that people write into files: with an offset, or in the office's zone. */

import { canBeKept } from '../engine/clock.ts';
import { instantOf } from '../engine/zone.ts';

const FORM =
  /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3})\d*)?)?(?: ?(Z|[+-]\d{2}:?\d{2}))?$/i;

/** No clock on earth is further from UTC. */
const LARGEST_OFFSET = 14 * 3_600_000;

/** The form in which a time may be given, for messages. */
export const timeForm = 'YYYY-MM-DD HH:MM, optionally with seconds and an offset such as +05:30';

/**
 * Milliseconds since 1970 for a written time, or undefined where it is none.
 * A time that the zone's clock skips is the first instant after the gap; one that it shows twice is the earlier.
 */
export function readTime(text: string, zone: string): number | undefined {
  const match = FORM.exec(text.trim());
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  if (year === undefined || month === undefined || day === undefined) return undefined;
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  const fraction = Number((match[7] ?? '').padEnd(3, '0'));
  const wall = Date.UTC(year, month - 1, day, hour, minute, second, fraction);
  // Date.UTC rolls over: 30 February would silently become 2 March.
  if (new Date(wall).toISOString().slice(0, 10) !== `${match[1]}-${match[2]}-${match[3]}`) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const offset = match[8];
  if (offset !== undefined && Math.abs(writtenOffset(offset)) > LARGEST_OFFSET) return undefined;
  const instant = offset === undefined ? instantOf(wall, zone) : wall - writtenOffset(offset);
  return canBeKept(instant) ? instant : undefined;
}

function writtenOffset(text: string): number {
  if (text.toUpperCase() === 'Z') return 0;
  const size = (Number(text.slice(1, 3)) * 60 + Number(text.slice(-2))) * 60_000;
  return text.startsWith('-') ? -size : size;
}
