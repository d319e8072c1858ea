/** Durations and sizes as people write them. */

const DURATION = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;

/** Ten years: longer than any sensible wait, and far below what dates can hold. */
const LONGEST = 3653 * DURATION.d;

/**
 * Milliseconds of `90s`, `5m`, `2h`, `30d`, `250ms`, or of a number of milliseconds; undefined where
 * it is none of these, negative, or above ten years.
 */
export function parseDuration(value: unknown): number | undefined {
  const ms = measure(value, DURATION);
  return ms !== undefined && ms <= LONGEST ? Math.round(ms) : undefined;
}

/** Bytes of `256mb`, `1gb`, `512kb`, or of a number of bytes; undefined where it is none of these. */
export function parseSize(value: unknown): number | undefined {
  return measure(value, SIZE);
}

function measure(value: unknown, units: Record<string, number>): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(value);
  if (!match) return undefined;
  const [, digits = '', unit = ''] = match;
  const factor = unit === '' ? (digits === '0' ? 1 : undefined) : units[unit.toLowerCase()];
  return factor === undefined ? undefined : Number(digits) * factor;
}

/** The shortest exact form: 90000 → `90s`, 300000 → `5m`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms > 0 && ms % DURATION[unit] === 0) return `${ms / DURATION[unit]}${unit}`;
  }
  return ms === 0 ? '0' : `${ms}ms`;
}

/** One unit, rounded, for people: 93_784 → `94s`, 7_300_000 → `2h`. */
export function roughDuration(ms: number): string {
  if (ms <= 0) return '0s';
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 2 * DURATION.m) return `${Math.round(ms / DURATION.s)}s`;
  if (ms < 2 * DURATION.h) return `${Math.round(ms / DURATION.m)}m`;
  if (ms < 2 * DURATION.d) return `${Math.round(ms / DURATION.h)}h`;
  return `${Math.round(ms / DURATION.d)}d`;
}

/** `1 job`, `2 jobs`; `many` where it is not the word with an s. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** 1_572_864 → `1.5 MB`. */
export function formatSize(bytes: number): string {
  for (const [name, size] of [
    ['GB', SIZE.gb],
    ['MB', SIZE.mb],
    ['KB', SIZE.kb],
  ] as const) {
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))} ${name}`;
  }
  return `${bytes} B`;
}
