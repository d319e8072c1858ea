/** Pauses: nothing is claimed, wholly or from a queue, until somebody resumes. Kept as settings, so that they survive a restart. */

import type { Database } from 'better-sqlite3';
import { formatTime } from '../../engine/clock.ts';

/** A pause; `queue` is null where everything is paused. */
export interface Pause {
  queue: string | null;
  /** UTC text. */
  since: string;
  by: string;
}

const WHOLE = 'paused';
const OF_QUEUE = `${WHOLE}:`;

/** The key of every pause lies between these. */
const [FIRST, LAST] = [WHOLE, `${WHOLE};`];

/** Says whether a queue is paused; asked once for each claim. */
export function preparePaused(db: Database): () => (queue: string) => boolean {
  const keys = db
    .prepare<[], string>(`SELECT key FROM settings WHERE key >= '${FIRST}' AND key < '${LAST}'`)
    .pluck();
  const never = () => false;
  return () => {
    const held = keys.all();
    if (held.length === 0) return never;
    if (held.includes(WHOLE)) return () => true;
    return (queue) => held.includes(OF_QUEUE + queue);
  };
}

/** Prepares what an admin does. `hold` and `release` must run inside a write transaction. */
export function preparePauses(db: Database) {
  const list = db.prepare<[], { key: string; value: string }>(
    `SELECT key, value FROM settings WHERE key >= '${FIRST}' AND key < '${LAST}' ORDER BY key`,
  );
  // Who paused first stays the one to ask.
  const hold = db.prepare('INSERT OR IGNORE INTO settings (key, value) VALUES (?, ?)');
  const release = db.prepare('DELETE FROM settings WHERE key = ?');
  const keyOf = (queue: string | null) => (queue === null ? WHOLE : OF_QUEUE + queue);
  return {
    /** False where it was paused before. */
    hold: (queue: string | null, by: string, now: number): boolean =>
      hold.run(keyOf(queue), JSON.stringify({ since: formatTime(now), by })).changes > 0,
    /** False where it was not paused. */
    release: (queue: string | null): boolean => release.run(keyOf(queue)).changes > 0,
    list: (): Pause[] =>
      list.all().map(({ key, value }) => ({
        queue: key === WHOLE ? null : key.slice(OF_QUEUE.length),
        ...told(value),
      })),
  };
}

/** Another program may have written the row. */
function told(value: string): { since: string; by: string } {
  const unknown = { since: '', by: 'somebody' };
  try {
    const { since, by } = JSON.parse(value) as Record<string, unknown>;
    return typeof since === 'string' && typeof by === 'string' ? { since, by } : unknown;
  } catch {
    return unknown;
  }
}
