/** The most workers that an admin wants for now: a setting, so that every supervisor follows, until it lapses. */

import type { Database } from 'better-sqlite3';
import { type Clock, formatTime, parseTime } from '../../engine/clock.ts';

/** An admin's wish. Times are UTC text. */
export interface Scaling {
  max: number;
  /** Null: until it is reset. */
  until: string | null;
  by: string;
}

const KEY = 'scale';

/** Prepares reading and writing. `set` and `reset` must run inside a write transaction. */
export function prepareScaling(db: Database, clock: Clock) {
  const read = db.prepare<[string], string>('SELECT value FROM settings WHERE key = ?').pluck();
  const write = db.prepare(
    'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const remove = db.prepare('DELETE FROM settings WHERE key = ?');

  /** What is wanted now; one that has lapsed counts no more, though its row stays. */
  function wanted(): Scaling | undefined {
    const text = read.get(KEY);
    if (text === undefined) return undefined;
    const scaling = JSON.parse(text) as Scaling;
    return scaling.until === null || parseTime(scaling.until) > clock.now() ? scaling : undefined;
  }

  return {
    wanted,
    ceiling: (): number | undefined => wanted()?.max,
    /** `ms`: how long it holds; undefined means until it is reset. */
    set(max: number, ms: number | undefined, by: string): Scaling {
      const until = ms === undefined ? null : formatTime(clock.now() + ms);
      write.run(KEY, JSON.stringify({ max, until, by }));
      return { max, until, by };
    },
    reset: (): boolean => remove.run(KEY).changes > 0,
  };
}
