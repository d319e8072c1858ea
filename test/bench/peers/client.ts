/**
 * A process of one system, told by its parent what to do: works, or adds jobs.
 *
 *   node client.ts SYSTEM WHERE work KIND MODE
 *   node client.ts SYSTEM WHERE feed KIND
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic } from '../measure.ts';
import type { Kind, Mode, Open, Peer } from './systems/peer.ts';

/** What the parent asks. */
export type Ask =
  /** `count` jobs in calls of `size`, each awaited; a call every `every` milliseconds, or 0: as fast as it goes. */
  | { ask: 'add'; count: number; size: number; every: number }
  /** Ends that early. */
  | { ask: 'enough' }
  | { ask: 'stamps' }
  | { ask: 'end' };

/** What the child tells. */
export type Tell =
  | { tell: 'ready' }
  | { tell: 'ran'; first: number; count: number }
  | { tell: 'added'; began: number; ended: number; calls: [before: number, after: number][] }
  | { tell: 'stamps'; stamps: [i: number, at: number][] };

/** Tells how far it is at least this often, so that the parent need not look into the store before the end. */
const EVERY_JOBS = 500;
const EVERY_MS = 5;

function tell(message: Tell): void {
  process.send?.(message);
}

async function work(peer: Peer, kind: Kind, mode: Mode): Promise<() => Promise<void>> {
  let first = 0;
  let count = 0;
  let told = 0;
  const stamps: [number, number][] = [];
  const report = () => {
    if (count === told) return;
    told = count;
    tell({ tell: 'ran', first, count });
  };
  setInterval(report, EVERY_MS).unref();
  process.on('message', (message: Ask) => {
    if (message.ask === 'stamps') tell({ tell: 'stamps', stamps });
  });
  return peer.work(kind, mode, ({ i }) => {
    if (count === 0) first = monotonic();
    if (kind === 'stamp') stamps.push([i, monotonic()]);
    if (++count % EVERY_JOBS === 0) report();
  });
}

/** What the parent has asked for since. */
const state = { enough: false };

async function add(peer: Peer, kind: Kind, { count, size, every }: Ask & { ask: 'add' }): Promise<void> {
  const began = monotonic();
  const calls: [number, number][] = [];
  for (let i = 0; i < count && !state.enough; i += size) {
    // Somewhere in its slot: steps of the same length could fall in with a system's own timers.
    if (every > 0) await sleep(Math.max(0, began + (i / size + Math.random()) * every - monotonic()));
    const payloads = Array.from({ length: size }, (_, k) => ({ i: i + k }));
    const before = monotonic();
    await (size === 1 ? peer.addOne(kind, { i }) : peer.add(kind, payloads));
    calls.push([before, monotonic()]);
  }
  tell({ tell: 'added', began, ended: monotonic(), calls });
}

const [, , system, where = '', role, kind = 'noop', mode = 'throughput'] = process.argv;
const { open } = (await import(`./systems/${system}.ts`)) as { open: Open };
const peer = await open(where);
const stop = role === 'work' ? await work(peer, kind as Kind, mode as Mode) : undefined;
process.on('message', (message: Ask) => {
  if (message.ask === 'add') void add(peer, kind as Kind, message);
  if (message.ask === 'enough') state.enough = true;
  if (message.ask === 'end') {
    void (async () => {
      await stop?.();
      await peer.close();
      process.exit(0);
    })();
  }
});
process.on('disconnect', () => process.exit(1));
tell({ tell: 'ready' });
