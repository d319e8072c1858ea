/** Another process in the middle of a dispatch: holds the lock, and waits to be killed. */

import { systemClock } from '../../../src/engine/clock.ts';
import { SqliteStore } from '../../../src/store/sqlite/store.ts';
import { newJob } from '../../tools/store.ts';

const [file = ''] = process.argv.slice(2);
const options = { mode: 'existing', migrate: false, synchronous: 'full', patience: 5000 } as const;
const store = await SqliteStore.open(file, options, systemClock);
store.db.exec('BEGIN IMMEDIATE');
store.insertNow([newJob('Half'), newJob('Half')], Date.now());
console.log('holding');
setInterval(() => undefined, 1000);
