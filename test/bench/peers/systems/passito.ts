/** passito's other side: a program that dispatches through the library, and looks into the database. */

import { join } from 'node:path';
import Database from 'better-sqlite3';
import type * as Library from '../../../../src/library/passito.ts';
import type { Kind, Open } from './peer.ts';

const TYPES: Record<Kind, string> = {
  noop: 'Noop',
  stamp: 'Stamp',
  cpu: 'Cpu',
  slow: 'Slow',
  wait: 'Wait',
  other: 'Other',
};
const library = join(import.meta.dirname, '..', '..', '..', '..', 'dist', 'lib', 'passito.js');

export const open: Open = async (where) => {
  const file = join(where, 'passito.db');
  const { JobDispatcher } = (await import(library)) as typeof Library;
  const dispatcher = await JobDispatcher.open(file);
  const db = new Database(file, { readonly: true });
  const lane = `SELECT 1 FROM jobs INDEXED BY jobs_due WHERE status = 'pending' AND priority = 0 AND queue = 'default'`;
  const any = db.prepare(
    `${lane} AND type < 'Other' UNION ALL ${lane} AND type > 'Other'
     UNION ALL SELECT 1 FROM jobs INDEXED BY jobs_processing WHERE status = 'processing' LIMIT 1`,
  );
  return {
    reset: () => Promise.reject(new Error('each run has a file of its own')),
    async add(kind, payloads) {
      await dispatcher.dispatchMany(payloads.map((payload) => ({ type: TYPES[kind], payload })));
    },
    async addOne(kind, payload) {
      await dispatcher.dispatch(TYPES[kind], payload);
    },
    work: () => Promise.reject(new Error('the executable runs the jobs')),
    async left() {
      return any.get() !== undefined;
    },
    async close() {
      db.close();
      await dispatcher.close();
    },
  };
};
