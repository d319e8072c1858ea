/** BullMQ on Redis, over a Unix socket. */

import { join } from 'node:path';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type Open, type Payload } from './peer.ts';

/** The fastest of 50, 100 and 300. */
const CONCURRENCY = 300;

export const open: Open = async (where) => {
  const path = join(where, 'redis.sock');
  const redis = new Redis({ path, maxRetriesPerRequest: null });
  const connection = { path, maxRetriesPerRequest: null };
  const queue = new Queue('bench', { connection });
  return {
    async reset() {
      await redis.flushall();
    },
    async add(kind, payloads) {
      await queue.addBulk(payloads.map((data) => ({ name: kind, data })));
    },
    async addOne(kind, payload) {
      await queue.add(kind, payload);
    },
    async work(kind, _mode, started) {
      // A file as the processor: BullMQ runs it in child processes of its own.
      const processor =
        kind === 'cpu'
          ? join(import.meta.dirname, 'bullmq-cpu.ts')
          : async (job: Job) => started(job.data as Payload);
      const worker = new Worker('bench', processor, {
        connection,
        concurrency: kind === 'cpu' ? 2 : CONCURRENCY,
      });
      if (kind === 'cpu') worker.on('active', (job) => started(job.data as Payload));
      await worker.waitUntilReady();
      return () => worker.close();
    },
    async left() {
      const counts = await queue.getJobCounts('wait', 'active');
      return Object.values(counts).some((count) => count > 0);
    },
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
};
