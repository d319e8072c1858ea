/** pg-boss on PostgreSQL, over a Unix socket, woken by NOTIFY, fetching whole batches. */

import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { type Kind, type Open, type Payload, spin } from './peer.ts';

const KINDS: readonly Kind[] = ['noop', 'stamp', 'cpu'];
/** The fastest of 500 and 1,000 jobs, 2 and 4 fetchers. */
const BATCHED = { batchSize: 500, localConcurrency: 4, burstWhenBatchFull: true };

export const open: Open = async (where) => {
  const server = { host: where, user: 'postgres', database: 'pgboss' };
  const pool = new pg.Pool({ ...server, max: 1 });
  const connect = async () => {
    const made = new PgBoss({ ...server, max: 10, useListenNotify: true });
    made.on('error', console.error);
    await made.start();
    for (const kind of KINDS) await made.createQueue(kind, { notify: true });
    return made;
  };
  const held: { boss?: PgBoss } = {};
  const ready = async () => (held.boss ??= await connect());
  return {
    async reset() {
      await held.boss?.stop();
      await pool.query('DROP SCHEMA IF EXISTS pgboss CASCADE');
      held.boss = await connect();
      await pool.query('CHECKPOINT');
    },
    async add(kind, payloads) {
      await (
        await ready()
      ).insert(
        kind,
        payloads.map((data) => ({ data })),
      );
    },
    async addOne(kind, payload) {
      await (await ready()).send(kind, payload);
    },
    async work(kind, mode, started) {
      const options = mode === 'cpu' ? { batchSize: 2, burstWhenBatchFull: true } : BATCHED;
      const boss = await ready();
      await boss.work<Payload>(kind, options, async (jobs) => {
        for (const { data } of jobs) {
          started(data);
          if (kind === 'cpu') spin();
        }
      });
      return async () => boss.offWork(kind);
    },
    async left() {
      const { rowCount } = await pool.query(`SELECT 1 FROM pgboss.job WHERE state < 'completed' LIMIT 1`);
      return rowCount !== 0;
    },
    async close() {
      await held.boss?.stop();
      await pool.end();
    },
  };
};
