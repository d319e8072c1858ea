/**
 * Counting in SQL, from 0 to what JavaScript counts exactly: another program may have set a counter to the ends of 64 bits,
 * one more of which is a fraction to SQLite, and refused by its column, with the whole transaction.
 */

export const MOST = Number.MAX_SAFE_INTEGER - 1;

/** `lease = lease + 1`. */
export function more(column: string): string {
  return `${column} = max(min(${column}, ${MOST}), 0) + 1`;
}

/** `attempts = attempts - 1`. */
export function less(column: string): string {
  return `${column} = max(min(${column}, ${MOST}), 1) - 1`;
}
