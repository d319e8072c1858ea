/** What handlers may call in the main thread. */

import type { Dispatcher } from './engine/dispatcher.ts';
import type { Pool } from './engine/pool.ts';
import type { Service } from './engine/services.ts';
import { OFFICE_CALLS } from './outpass/office.ts';
import type { SqliteOffice } from './store/sqlite/office.ts';
import type { SqliteStore } from './store/sqlite/store.ts';

/** What handlers ask of their own job. */
export function serveJobs(pool: Pool, dispatcher: Dispatcher, store: SqliteStore): void {
  const progress: Service = async (chunk, index, _method, [value]) => {
    const flight = dispatcher.flight(chunk, index);
    if (flight !== undefined) await store.progress(flight.job.id, flight.job.lease, String(value));
  };
  pool.services.add('job', progress);
}

/** What the built-in jobs ask of the office; nothing else of it can be reached from a thread. */
export function serveOffice(pool: Pool, office: SqliteOffice): void {
  const callable = office as unknown as Record<string, (...args: unknown[]) => unknown>;
  pool.services.add('office', (_chunk, _index, method, args) => {
    if (!OFFICE_CALLS.some((name) => name === method)) throw new Error(`the office has no '${method}'`);
    return callable[method]?.(...args);
  });
}
