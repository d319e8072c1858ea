/** `passito migrate`: make the database, or bring its tables up to date. */

import { existsSync } from 'node:fs';
import { openStore } from '../../app.ts';
import type { Command } from './command.ts';

export const migrate: Command = {
  name: 'migrate',
  about: 'Make the database, or bring its tables up to date',
  example: 'passito migrate --db /var/lib/passito/passito.db',
  async run(input) {
    const config = await input.config();
    const existed = existsSync(config.settings.db);
    let copy: string | undefined;
    const store = await openStore(config, 'create', { migrate: (told) => (copy = told.copy) });
    try {
      if (copy !== undefined) input.print(`Kept the database as it was: ${copy}`);
      input.print(
        existed ? `The tables of ${store.file} are up to date.` : `Made the database ${store.file}.`,
      );
      return 0;
    } finally {
      await store.close();
    }
  },
};
