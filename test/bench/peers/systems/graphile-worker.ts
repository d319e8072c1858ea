/** graphile-worker on PostgreSQL, over a Unix socket, as its page on performance sets it up for throughput. */

import { Logger, makeWorkerUtils, run, WorkerPreset } from 'graphile-worker';
import pg from 'pg';
import { type Open, type Payload, spin } from './peer.ts';

const quiet = new Logger(() => (level, message) => {
  if (level === 'error') console.error(message);
});

const BATCHED = {
  concurrentJobs: 24,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};

export const open: Open = async (where) => {
  const pgPool = new pg.Pool({ host: where, user: 'postgres', database: 'graphile', max: 25 });
  pgPool.on('error', console.error);
  pgPool.on('connect', (client) => client.on('error', console.error));
  const utils = await makeWorkerUtils({ pgPool, logger: quiet });
  return {
    async reset() {
      await pgPool.query('DROP SCHEMA IF EXISTS graphile_worker CASCADE');
      await utils.migrate();
      await pgPool.query('CHECKPOINT');
    },
    async add(kind, payloads) {
      await utils.addJobs(payloads.map((payload) => ({ identifier: kind, payload })));
    },
    async addOne(kind, payload) {
      await utils.addJob(kind, payload);
    },
    async work(kind, mode, started) {
      const runner = await run({
        pgPool,
        logger: quiet,
        noHandleSignals: true,
        taskList: {
          [kind]: async (payload) => {
            started(payload as Payload);
            if (kind === 'cpu') spin();
          },
        },
        preset: { extends: [WorkerPreset], worker: mode === 'cpu' ? { concurrentJobs: 1 } : BATCHED },
      });
      return () => runner.stop();
    },
    async left() {
      return (await pgPool.query('SELECT 1 FROM graphile_worker._private_jobs LIMIT 1')).rowCount !== 0;
    },
    async close() {
      await utils.release();
      await pgPool.end();
    },
  };
};
