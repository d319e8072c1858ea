/** plainjob on better-sqlite3, in a file, with `synchronous = FULL`. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { better, defineQueue, defineWorker } from 'plainjob';
import { type Open, type Payload, spin } from './peer.ts';

const quiet = { error: console.error, warn: console.warn, info: () => {}, debug: () => {} };

export const open: Open = async (where) => {
  const file = join(where, 'plainjob.db');
  const connect = () => {
    const connection = new Database(file);
    const made = defineQueue({ connection: better(connection), logger: quiet });
    // It sets NORMAL itself; after that, so that ours stands.
    connection.pragma('synchronous = FULL');
    const any = connection.prepare('SELECT 1 FROM plainjob_jobs WHERE status IN (0, 1) LIMIT 1');
    return { queue: made, any };
  };
  let { queue, any } = connect();
  return {
    async reset() {
      queue.close();
      for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
      ({ queue, any } = connect());
    },
    async add(kind, payloads) {
      queue.addMany(kind, [...payloads]);
    },
    async addOne(kind, payload) {
      queue.add(kind, payload);
    },
    async work(kind, mode, started) {
      const worker = defineWorker(
        kind,
        (job) => {
          started(JSON.parse(job.data) as Payload);
          if (kind === 'cpu') spin();
        },
        { queue, logger: quiet, pollIntervall: mode === 'latency' ? 1 : 1000 },
      );
      void worker.start();
      return () => worker.stop();
    },
    async left() {
      return any.get() !== undefined;
    },
    async close() {
      queue.close();
    },
  };
};
