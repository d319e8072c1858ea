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

/**
 * What the built-in jobs ask of the office; nothing else of it can be reached from a thread. `office` is asked for at each
 * call, so that it may be opened at the first; calls that `instead` names never get there.
 */
export function serveOffice(
  pool: Pool,
  office: () => SqliteOffice | Promise<SqliteOffice>,
  instead: Partial<Record<(typeof OFFICE_CALLS)[number], () => unknown>> = {},
): void {
  pool.services.add('office', async (_chunk, _index, method, args) => {
    const name = OFFICE_CALLS.find((call) => call === method);
    if (name === undefined) throw new Error(`the office has no '${method}'`);
    const answer = instead[name];
    if (answer !== undefined) return answer();
    const callable = (await office()) as unknown as Record<string, (...args: unknown[]) => unknown>;
    return callable[name]?.(...args);
  });
}
