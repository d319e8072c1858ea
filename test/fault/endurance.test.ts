/** Tens of thousands of jobs of all kinds through one supervisor; `npm run soak -- million` has the long form. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Site } from '../tools/daemon.ts';
import {
  assertBelow,
  assertFlat,
  Load,
  look,
  most,
  prepareEndurance,
  troubles,
  watch,
  WORKERS,
} from '../tools/endurance.ts';

const JOBS = 60_000;

const MB = 1024 * 1024;

test(`memory, threads, descriptors and WAL stay bounded over ${JOBS} jobs (behaviour 48)`, async (t) => {
  const here = new Site((clean) => t.after(clean));
  prepareEndurance(here, 1);
  const daemon = await here.start(['--min-workers', String(WORKERS), '--max-workers', String(WORKERS)]);
  const began = performance.now();
  const samples = await watch(here, daemon, new Load(here, JOBS).over, 200);
  await here.drained(60_000);
  // What is old is deleted while new ones come, and in the end all of it.
  await here.until('SELECT NOT EXISTS (SELECT 1 FROM jobs)', [], 30_000);
  const end = look(here, daemon, began);
  t.diagnostic(`after ${samples.length} looks: ${JSON.stringify(end)}, most rows ${most(samples, 'rows')}`);

  assert.ok(end.jobs > JOBS, 'handlers dispatched some, too');
  assertFlat(samples, 'resident', 1.25);
  // About 210 MB; what keeps a kilobyte of each job is above this.
  assertBelow([...samples, end], 'resident', 256 * MB);
  // The main thread, V8's and libuv's, and one worker that ends while another begins.
  assertBelow([...samples, end], 'threads', WORKERS + 10);
  assertFlat([...samples, end], 'descriptors', 1, 10);
  assertBelow([end], 'descriptors', samples[0]!.descriptors + 10);
  // SQLite begins to write it back at 4 MB.
  assertBelow(samples, 'wal', 32 * MB);
  assertBelow([...samples, end], 'file', 48 * MB);
  assert.deepEqual(troubles(daemon), []);
  assert.equal((await daemon.stop()).code, 0);
});
