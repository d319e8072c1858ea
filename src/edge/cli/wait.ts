/** Waiting for a job to end, told by the database's own changes. */

import type { SqliteStore } from '../../store/sqlite/store.ts';

const ENDED = new Set(['completed', 'failed', 'cancelled']);

/** Resolves with whether the job ended within `ms`. A deleted job has ended. */
export function waitFor(store: SqliteStore, id: number, ms: number): Promise<boolean> {
  const status = store.db.prepare<[number], string>('SELECT status FROM jobs WHERE id = ?').pluck();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(false), ms);
    const stop = store.onChange(() => void look());
    async function look(): Promise<void> {
      try {
        const now = await store.read(() => status.get(id));
        if (now === undefined || ENDED.has(now)) finish(true);
      } catch (error) {
        clearTimeout(timer);
        stop();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
    function finish(ended: boolean): void {
      clearTimeout(timer);
      stop();
      resolve(ended);
    }
    void look();
  });
}
