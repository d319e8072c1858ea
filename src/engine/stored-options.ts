/** The options of a job's row, as they may be believed: another program may have written them. */

import type { StoredOptions } from './store.ts';
import { parseDuration, parseSize } from './units.ts';

/** Only what is well formed counts; for the rest, the type's rules do. Never throws, lest one row stops them all. */
export function readOptions(text: string | null): StoredOptions {
  if (text === null) return {};
  const { backoff, timeout, memoryLimit, concurrency, redact } = fieldsOf(text);
  const own: StoredOptions = {};
  if (isBackoff(backoff)) own.backoff = backoff;
  if (isNumber(timeout) && parseDuration(timeout) !== undefined) own.timeout = timeout;
  if (isNumber(memoryLimit) && parseSize(memoryLimit) !== undefined) own.memoryLimit = memoryLimit;
  if (isNumber(concurrency)) own.concurrency = concurrency;
  if (Array.isArray(redact)) own.redact = redact.filter((field) => typeof field === 'string');
  return own;
}

function fieldsOf(text: string): Record<string, unknown> {
  try {
    // SQLite's json_valid() reads as far as a NUL; JSON.parse reads on, and throws.
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Waits that dates can hold: a wait without an end could not be written, again and again. */
function isBackoff(value: unknown): value is NonNullable<StoredOptions['backoff']> {
  const { base, factor, max } = Object(value) as Record<string, unknown>;
  return (
    [base, max].every((wait) => isNumber(wait) && parseDuration(wait) !== undefined) &&
    isNumber(factor) &&
    factor >= 0
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
