/** Another process that works: claims and completes until nothing is due, then prints what it completed. */

import { once } from 'node:events';

import { systemClock } from '../../../src/engine/clock.ts';
import { SqliteStore } from '../../../src/store/sqlite/store.ts';
import type { Settle } from '../../../src/engine/store.ts';
import { claimOf, COMPLETE, identity, settleOf } from '../../tools/store.ts';

const [file = '', number = '1'] = process.argv.slice(2);
const options = { mode: 'existing', migrate: false, synchronous: 'normal', patience: 10_000 } as const;
const store = await SqliteStore.open(file, options, systemClock);
const id = await store.register(identity(Number(number)));
console.log('ready');
await once(process.stdin, 'data');

const done: number[] = [];
let settles: Settle[] = [];
for (;;) {
  const { claimed, settled } = await store.exchange(settles, claimOf(id, ['A'], { slots: 5 }));
  done.push(...settles.filter((_, i) => settled[i]).map((settle) => settle.id));
  if (claimed.length === 0) break;
  settles = claimed.map((job) => settleOf(job, COMPLETE));
}
await store.signOff(id);
await store.close();
console.log(JSON.stringify(done));
process.stdin.destroy();
