/** `passito migrate`: make the database, or bring its tables up to date. */

import { existsSync } from 'node:fs';
import { openStore } from '../../app.ts';
import { systemClock } from '../../engine/clock.ts';
import { errors } from '../../errors.ts';
import { Queries } from '../../store/sqlite/queries.ts';
import type { Command } from './command.ts';
import { isAlive } from './health.ts';

export const migrate: Command = {
  name: 'migrate',
  about: 'Make the database, or bring its tables up to date',
  example: 'passito migrate --db /var/lib/passito/passito.db',
  async run(input) {
    const config = await input.config();
    const existed = existsSync(config.settings.db);
    const store = await openStore(config, 'create', { migrate: true });
    try {
      const alive = new Queries(store.db, systemClock).processes().filter(isAlive);
      if (alive.length > 0 && !existed) throw errors.processesAlive(alive.map(({ pid }) => pid).join(', '));
      input.print(
        existed ? `The tables of ${store.file} are up to date.` : `Made the database ${store.file}.`,
      );
      return 0;
    } finally {
      await store.close();
    }
  },
};
