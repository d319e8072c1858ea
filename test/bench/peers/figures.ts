/** What is measured of each system; each figure is one run from an empty queue. */

import { setTimeout as sleep } from 'node:timers/promises';
import { cpuOfTree, monotonic } from '../measure.ts';
import type { Contestant } from './contestant.ts';
import type { Mode } from './systems/peer.ts';

export const JOBS = 20_000;
const CPU_JOBS = 200;
const PICKUPS = 200;
const IDLE_SECONDS = 10;
/** No run takes longer. */
const LIMIT_MS = 120_000;

/** Waits until nothing is left, looking every millisecond; gives that moment. */
export async function drained(contestant: Contestant, count: number): Promise<number> {
  const deadline = monotonic() + LIMIT_MS;
  while (await contestant.left(count)) {
    if (monotonic() > deadline) throw new Error(`${contestant.name} did not finish in time`);
    await sleep(1);
  }
  return monotonic();
}

export function numbered(from: number, count: number): { i: number }[] {
  return Array.from({ length: count }, (_, k) => ({ i: from + k }));
}

/** Jobs a second, from the start of the first to the durable end of the last. */
export async function drain(contestant: Contestant): Promise<number> {
  await contestant.reset();
  for (let i = 0; i < JOBS; i += 1000) await contestant.add('noop', numbered(i, 1000));
  await contestant.start('noop', 'throughput');
  const end = await drained(contestant, JOBS);
  const rate = JOBS / ((end - (await contestant.first())) / 1000);
  await contestant.stop();
  return rate;
}

/** Jobs a second, from the first bulk of another process to the durable end of the last job. */
export async function drainBeside(contestant: Contestant): Promise<number> {
  await contestant.reset();
  await contestant.start('noop', 'throughput');
  const feeder = await contestant.feeder('noop');
  await sleep(300);
  const { began } = await feeder.ask({ ask: 'add', count: JOBS, size: 100, every: 0 }, 'added');
  const end = await drained(contestant, JOBS);
  await feeder.end();
  await contestant.stop();
  return JOBS / ((end - began) / 1000);
}

/** Milliseconds each. */
export interface Pickup {
  /** The call itself: one durable commit. */
  calling: number[];
  /** From the call in the other process to the handler's start. */
  called: number[];
  /** From that call's return. */
  returned: number[];
  /** CPU seconds a minute of workers and server while nothing is to do. */
  idle: number;
}

export async function pickup(contestant: Contestant, mode: Mode): Promise<Pickup> {
  await contestant.reset();
  await contestant.start('stamp', mode);
  const feeder = await contestant.feeder('stamp');
  await sleep(1000);
  const { calls } = await feeder.ask({ ask: 'add', count: PICKUPS, size: 1, every: 15 }, 'added');
  await drained(contestant, PICKUPS);
  const stamps = await contestant.stamps();
  await feeder.end();
  await sleep(3000);
  const before = cpuOfTree(contestant.pids());
  await sleep(IDLE_SECONDS * 1000);
  const idle = ((cpuOfTree(contestant.pids()) - before) * 60) / IDLE_SECONDS;
  await contestant.stop();
  return { ...waits(calls, stamps), idle };
}

/** From each call to the start of its job. The first are left out: code is compiled there. */
export function waits(
  calls: readonly (readonly [before: number, after: number])[],
  stamps: ReadonlyMap<number, number>,
): Omit<Pickup, 'idle'> {
  const starts = calls.map((_, i) => stamps.get(i) ?? Number.NaN);
  return {
    calling: calls.map(([before, after]) => after - before).slice(20),
    called: starts.map((at, i) => at - (calls[i]?.[0] ?? 0)).slice(20),
    returned: starts.map((at, i) => at - (calls[i]?.[1] ?? 0)).slice(20),
  };
}

/** Milliseconds for 200 jobs that spin for 20 ms each, on 2 workers. */
export async function cpuJobs(contestant: Contestant): Promise<number> {
  await contestant.reset();
  await contestant.add('cpu', numbered(0, CPU_JOBS));
  await contestant.start('cpu', 'cpu');
  const end = await drained(contestant, CPU_JOBS);
  const took = end - (await contestant.first());
  await contestant.stop();
  return took;
}
