/** Time zones: between instants (milliseconds since 1970) and what a clock in a zone shows. Pure. */

/** The parts of an instant in a zone. */
export interface LocalParts {
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

const DAY = 86_400_000;

/** The wall-clock parts of an instant. */
export function localParts(ms: number, zone: string): LocalParts {
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

/**
 * When a zone's clock shows a time, given as if it were UTC: the earlier instant where it shows it twice, the first
 * one after the gap where it skips it.
 */
export function instantOf(wall: number, zone: string): number {
  // The offsets in force a day before and a day after: whatever changes, it is one of the two.
  const before = zoneOffset(wall - DAY, zone);
  const after = zoneOffset(wall + DAY, zone);
  const candidates = [wall - before, wall - after].filter((ms) => ms + zoneOffset(ms, zone) === wall);
  if (candidates.length > 0) return Math.min(...candidates);
  return changeBetween(wall - Math.max(before, after), wall - Math.min(before, after), zone);
}

/** The first instant of a span, after its beginning, with another offset than the beginning's. */
export function changeBetween(from: number, to: number, zone: string): number {
  const old = zoneOffset(from, zone);
  let low = from;
  let high = to;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zoneOffset(middle, zone) === old) low = middle;
    else high = middle;
  }
  return high;
}
