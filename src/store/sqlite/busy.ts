/**
 * Waiting for SQLite's lock without stopping the event loop. SQLite's own busy handler sleeps in the
 * calling thread (stalls of 2.2 s were measured beside an equal writer) and is unfair to whoever waits.
 */

import { SqliteError } from 'better-sqlite3';

/** Tries are repeated at once for this long: most transactions of others are shorter. */
const SPIN_MS = 1.5;

/** Then the loop turns for about this long before the next tries. */
const REST_MS = 1;

/** A lock that is held for longer than this is no other worker's short transaction: a hand at sqlite3, a backup. */
const LONG_MS = 250;

/** Then the loop turns for this long: to look again at once took more than half a core. */
const LONG_REST_MS = 10;

/** Whether another connection holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  return (
    error instanceof SqliteError && (error.code.startsWith('SQLITE_BUSY') || error.code === 'SQLITE_LOCKED')
  );
}

/**
 * Runs `action`, again and again while the database is busy, for at most `patience` milliseconds;
 * then throws the last busy error.
 */
export async function whenFree<T>(action: () => T, patience: number): Promise<T> {
  const began = performance.now();
  for (;;) {
    const spinUntil = performance.now() + SPIN_MS;
    let last: unknown;
    do {
      try {
        return action();
      } catch (error) {
        if (!isBusy(error)) throw error;
        last = error;
      }
    } while (performance.now() < spinUntil);
    const waited = performance.now() - began;
    if (waited >= patience) throw last;
    await rest(waited >= LONG_MS ? LONG_REST_MS : REST_MS);
  }
}

/** Lets the event loop, and whoever waits for the lock, have some milliseconds. */
export function rest(ms = REST_MS): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
