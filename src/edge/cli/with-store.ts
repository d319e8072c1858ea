/** The database for the time of one command. */

import { openStore } from '../../app.ts';
import type { Config } from '../../config.ts';
import { systemClock } from '../../engine/clock.ts';
import { Queries } from '../../store/sqlite/queries.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import type { Input } from './command.ts';

/** Opens the database for one command, and closes it whatever happens. */
export async function withStore(
  input: Input,
  action: (store: SqliteStore, queries: Queries, config: Config) => Promise<number>,
): Promise<number> {
  const config = await input.config();
  const store = await openStore(config, 'existing');
  try {
    return await action(store, new Queries(store.db, systemClock), config);
  } finally {
    await store.close();
  }
}
