/** The memory that the main thread shares with a worker: no outcome is lost and no job is charged wrongly. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import {
  type Arena,
  begun,
  CODE,
  createArena,
  MAX_CHUNK,
  readOutcome,
  recall,
  resetArena,
  runningSince,
  sharedClock,
  stored,
  threadOf,
  WorkerSide,
} from '../../src/engine/arena.ts';

function open(): { arena: Arena; side: WorkerSide } {
  const arena = createArena();
  return { arena, side: new WorkerSide(arena, sharedClock(), 7) };
}

test('outcomes are read as they were written', () => {
  const { arena, side } = open();
  assert.equal(threadOf(arena), 7);
  const texts = ['{"kind":"completed","result":"1"}', undefined, '', 'é😀\u0000'];
  texts.forEach((text, index) => {
    assert.equal(side.begin(index), true);
    assert.equal(begun(arena), index + 1);
    assert.equal(stored(arena), index);
    assert.equal(side.store(index, text), true);
    assert.equal(stored(arena), index + 1);
  });
  texts.forEach((text, index) => {
    const outcome = readOutcome(arena, index);
    assert.equal(outcome.code, text === undefined ? CODE.plain : CODE.text);
    assert.equal(outcome.text, text ?? '');
    assert.ok(outcome.microseconds >= 0);
  });
});

test('any texts that fit come back; one that does not says so and leaves the others whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary', maxLength: 4000 }), { maxLength: MAX_CHUNK }),
      (texts) => {
        const { arena, side } = open();
        const elsewhere = new Set<number>();
        texts.forEach((text, index) => {
          assert.equal(side.begin(index), true);
          if (side.store(index, text)) return;
          elsewhere.add(index);
          side.storeElsewhere(index);
        });
        assert.equal(stored(arena), texts.length);
        texts.forEach((text, index) => {
          const { code, text: read } = readOutcome(arena, index);
          if (elsewhere.has(index)) assert.equal(code, CODE.port);
          else assert.equal(read, text.toWellFormed());
        });
      },
    ),
    { numRuns: 200 },
  );
});

test('a text of 200 KB goes elsewhere, and the next one has its place', () => {
  const { arena, side } = open();
  side.begin(0);
  assert.equal(side.store(0, 'x'.repeat(200_000)), false);
  assert.equal(stored(arena), 0, 'it is not stored before its message was posted');
  side.storeElsewhere(0);
  side.begin(1);
  assert.equal(side.store(1, 'small'), true);
  assert.equal(readOutcome(arena, 0).code, CODE.port);
  assert.equal(readOutcome(arena, 1).text, 'small');
});

test('the time that a job takes is counted from its own start', async () => {
  const { arena, side } = open();
  await new Promise((resolve) => {
    setTimeout(resolve, 30);
  });
  side.begin(0);
  assert.ok(runningSince(arena) >= 25, `${runningSince(arena)}`);
  side.store(0, undefined);
  assert.ok(readOutcome(arena, 0).microseconds < 25_000);
});

test('after a recall nothing begins, and what had begun is told', () => {
  const { arena, side } = open();
  side.begin(0);
  side.store(0, undefined);
  side.begin(1);
  assert.equal(recall(arena), 2);
  assert.equal(recall(arena), 2, 'twice says the same');
  assert.equal(begun(arena), 2);
  assert.equal(side.store(1, 'done'), true, 'the one that runs may finish');
  assert.equal(stored(arena), 2);
  assert.equal(side.begin(2), false);
  assert.equal(begun(arena), 2);
});

test('a recall before the first job: none begins', () => {
  const { arena, side } = open();
  assert.equal(recall(arena), 0);
  assert.equal(side.begin(0), false);
  assert.equal(begun(arena), 0);
});

test('an arena is used again', () => {
  const { arena, side } = open();
  side.begin(0);
  side.store(0, 'old');
  recall(arena);
  resetArena(arena);
  assert.deepEqual([begun(arena), stored(arena), threadOf(arena)], [0, 0, 0]);
  const next = new WorkerSide(arena, sharedClock(), 8);
  assert.equal(next.begin(0), true);
  next.store(0, 'new');
  assert.equal(readOutcome(arena, 0).text, 'new');
  assert.equal(threadOf(arena), 8);
});

/** The steps of a worker that does `jobs` jobs; it stops where a job may not begin. */
function* work(side: WorkerSide, jobs: number, ran: number[]): Generator<undefined, void> {
  for (let index = 0; index < jobs; index++) {
    if (!side.begin(index)) return;
    ran.push(index);
    yield;
    side.store(index, `outcome ${index}`);
    yield;
  }
}

test('a recall at every moment: each job has run and is settled, or has not run and goes back', () => {
  const jobs = 4;
  for (let steps = 0; steps <= 2 * jobs; steps++) {
    for (let after = 0; after <= 2 * jobs; after++) {
      const { arena, side } = open();
      const ran: number[] = [];
      const worker = work(side, jobs, ran);
      for (let i = 0; i < steps; i++) worker.next();
      const kept = recall(arena);
      for (let i = 0; i < after; i++) worker.next();
      assert.deepEqual(
        ran,
        Array.from({ length: kept }, (_, i) => i),
        `after ${steps} steps`,
      );
      assert.equal(begun(arena), kept);
      assert.ok(stored(arena) >= kept - 1 && stored(arena) <= kept);
      for (let i = 0; i < stored(arena); i++) assert.equal(readOutcome(arena, i).text, `outcome ${i}`);
    }
  }
});

test('a kill at every moment charges the job that ran, and no other', () => {
  const jobs = 3;
  for (let steps = 0; steps <= 2 * jobs; steps++) {
    const { arena, side } = open();
    const ran: number[] = [];
    const worker = work(side, jobs, ran);
    for (let i = 0; i < steps; i++) worker.next();
    const kept = recall(arena);
    // The thread is gone now.
    const settled = stored(arena);
    const charged = settled < kept ? settled : undefined;
    const untouched = Array.from({ length: jobs - kept }, (_, i) => kept + i);
    assert.deepEqual(
      [
        ...Array.from({ length: settled }, (_, i) => i),
        ...(charged === undefined ? [] : [charged]),
        ...untouched,
      ],
      [0, 1, 2],
    );
    assert.ok(untouched.every((index) => !ran.includes(index)));
    if (charged !== undefined) assert.ok(ran.includes(charged));
  }
});

test('a recall from another thread, at any moment of a running worker', { timeout: 20_000 }, async () => {
  const { Worker } = await import('node:worker_threads');
  const source = `
    import { parentPort } from 'node:worker_threads';
    const { WorkerSide } = await import(${JSON.stringify(new URL('../../src/engine/arena.ts', import.meta.url).href)});
    parentPort.on('message', ({ arena, jobs }) => {
      const side = new WorkerSide(arena, 0, 1);
      let ran = 0;
      for (let i = 0; i < jobs && side.begin(i); i++) { ran++; const end = performance.now() + 0.02; while (performance.now() < end); side.store(i, 'x' + i); }
      parentPort.postMessage(ran);
    });
    parentPort.postMessage('ready');`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const died = new Promise((_, reject) => {
    worker.once('error', reject);
  });
  const answer = () => Promise.race([died, new Promise((resolve) => worker.once('message', resolve))]);
  await answer();
  let between = 0;
  for (let round = 0; round < 4000 && between < 100; round++) {
    const arena = createArena();
    const ended = answer();
    worker.postMessage({ arena, jobs: MAX_CHUNK });
    const waitFor = round % MAX_CHUNK;
    while (begun(arena) < waitFor);
    const kept = recall(arena);
    assert.equal(await ended, kept);
    assert.equal(stored(arena), kept);
    assert.equal(readOutcome(arena, Math.max(kept - 1, 0)).text, kept === 0 ? '' : `x${kept - 1}`);
    if (kept > 0 && kept < MAX_CHUNK) between++;
  }
  await worker.terminate();
  assert.equal(between, 100, `only ${between} recalls met a running worker`);
});
