/** Who takes part, how each is set up, and what could not be started here. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contestant, Passito, PeerContestant, subfolder } from './contestant.ts';
import { Missing, type Server, startPostgres, startRedis } from './servers.ts';
import type { Mode } from './systems/peer.ts';

export interface Roster {
  contestants: Contestant[];
  /** One line for each that is missing. */
  missing: string[];
  stop(): Promise<void>;
}

const ONE: Record<Mode, number> = { throughput: 1, latency: 1, slow: 1, cpu: 1 };
/** They run a job in the process that fetched it: two cores need two. */
const TWO_FOR_CPU: Record<Mode, number> = { ...ONE, cpu: 2 };

/** Starts the servers that are there. */
export async function enlist(folder: string): Promise<Roster> {
  const missing: string[] = [];
  const orMissing = async (starting: Promise<Server>): Promise<Server | undefined> => {
    try {
      return await starting;
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      missing.push(error.message);
      return undefined;
    }
  };
  const redis = await orMissing(startRedis(folder));
  const postgres = await orMissing(startPostgres(folder));
  const contestants: Contestant[] = [new Passito()];
  if (postgres !== undefined) {
    const under = `${postgres.version} ${postgres.settings}, over a Unix socket`;
    const server = { where: postgres.where, server: postgres.pid, processes: TWO_FOR_CPU };
    contestants.push(
      new PeerContestant({
        name: 'graphile-worker',
        system: 'graphile-worker',
        settings: `${version('graphile-worker')}: 24 concurrent jobs, local queue of 500, completions batched without delay; ${under}; CPU jobs: 2 processes of 1`,
        ...server,
      }),
      new PeerContestant({
        name: 'pg-boss',
        system: 'pg-boss',
        settings: `${version('pg-boss')}: 4 fetchers of 500 jobs, burst while batches are full, woken by NOTIFY; ${under}; CPU jobs: 2 processes, batches of 2`,
        ...server,
      }),
    );
  }
  if (redis !== undefined) {
    contestants.push(
      new PeerContestant({
        name: 'BullMQ',
        system: 'bullmq',
        settings: `${version('bullmq')}: concurrency 300; ${redis.version} ${redis.settings}, over a Unix socket; CPU jobs: 2 sandboxed child processes`,
        where: redis.where,
        server: redis.pid,
        processes: ONE,
      }),
    );
  }
  contestants.push(
    new PeerContestant({
      name: 'plainjob',
      system: 'plainjob',
      settings: `${version('plainjob')} on better-sqlite3 ${version('better-sqlite3')}: one process, polling every millisecond where pickup is measured and every second (its default) elsewhere; SQLite WAL, synchronous FULL; CPU jobs: 2 processes`,
      where: subfolder(folder, 'plainjob'),
      processes: TWO_FOR_CPU,
    }),
  );
  return {
    contestants,
    missing,
    async stop() {
      for (const contestant of contestants) await contestant.close();
      await redis?.stop();
      await postgres?.stop();
    },
  };
}

function version(name: string): string {
  const path = join(import.meta.dirname, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
