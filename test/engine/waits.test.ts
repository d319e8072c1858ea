/** Waiting for a job: every way in which one can end wakes whoever waits for it, and nobody else. */

import assert from 'node:assert/strict';
import { after, suite, test, type TestContext } from 'node:test';

import { type Endings, Waits } from '../../src/engine/waits.ts';
import { systemClock } from '../../src/engine/clock.ts';
import type { SqliteStore } from '../../src/store/sqlite/store.ts';
import { add, Claimer, COMPLETE, openStore } from '../tools/store.ts';

/** A store of which only the ends are known. */
class FakeEndings implements Endings {
  readonly over = new Set<number>();
  readonly asked: number[][] = [];
  listener: ((ids: readonly number[] | undefined) => void) | undefined;
  broken: Error | undefined;
  async ended(ids: readonly number[]): Promise<number[]> {
    this.asked.push([...ids]);
    if (this.broken !== undefined) throw this.broken;
    return ids.filter((id) => this.over.has(id));
  }
  onSettled(listener: (ids: readonly number[] | undefined) => void): () => void {
    this.listener = listener;
    return () => (this.listener = undefined);
  }
  tell(ids: readonly number[] | undefined): void {
    this.listener?.(ids);
  }
}

const never = () => new AbortController().signal;

suite('waits', () => {
  test('a job that has ended is not waited for; one that ends wakes those who wait for it', async () => {
    const endings = new FakeEndings();
    const waits = new Waits(endings);
    endings.over.add(1);
    assert.equal(await waits.until(1, never()), true);
    assert.equal(endings.listener, undefined, 'nobody listens where nobody waits');
    const both = Promise.all([waits.until(2, never()), waits.until(2, never())]);
    let third = false;
    const stop = new AbortController();
    const other = waits.until(3, stop.signal).then((ended) => (third = ended));
    endings.over.add(2).add(3);
    endings.asked.length = 0;
    endings.tell([7, 2]);
    assert.deepEqual(await both, [true, true]);
    assert.deepEqual([endings.asked, third], [[[2]], false]);
    stop.abort();
    assert.equal(await other, false);
    assert.equal(endings.listener, undefined);
  });

  test('commits of others are looked at together', async () => {
    const endings = new FakeEndings();
    const waits = new Waits(endings);
    const all = Promise.all([1, 2, 3].map((id) => waits.until(id, never())));
    endings.asked.length = 0;
    for (const id of [1, 2, 3]) {
      endings.over.add(id);
      for (let i = 0; i < 100; i++) endings.tell(undefined);
    }
    await all;
    assert.ok(endings.asked.length <= 2, `${endings.asked.length} looks`);
  });

  test('a signal that has aborted already, and a store that breaks', async () => {
    const endings = new FakeEndings();
    const waits = new Waits(endings);
    assert.equal(await waits.until(1, AbortSignal.abort()), false);
    const waiting = waits.until(1, never());
    endings.broken = new Error('disk');
    endings.tell(undefined);
    await assert.rejects(waiting, /disk/);
    assert.equal(endings.listener, undefined);
  });
});

suite('a store tells of every end', () => {
  const ends: Record<string, (store: SqliteStore, id: number) => Promise<unknown>> = {
    'a settle': async (store) => (await Claimer.join(store, ['A'])).work(COMPLETE),
    'a cancel': (store, id) => store.cancel([id]),
    'a cancel by another process': async (store, id) => {
      const other = await openStore(later, systemClock, { file: store.file });
      await other.cancel([id]);
    },
    'a delete': (store, id) => store.remove([id]),
    'the third crash': async (store, id) => {
      store.db.prepare('UPDATE jobs SET crashes = 2 WHERE id = ?').run(id);
      const claimer = await Claimer.join(store, ['A']);
      await claimer.one({ suspects: 'any' });
      await store.expire(claimer.process);
    },
  };
  const cleaning: (() => unknown)[] = [];
  const later = { after: (clean: () => unknown) => void cleaning.unshift(clean) } as Pick<
    TestContext,
    'after'
  >;
  after(async () => {
    for (const clean of cleaning) await clean();
  });
  for (const [name, end] of Object.entries(ends)) {
    test(name, { timeout: 5000 }, async () => {
      const store = await openStore(later, systemClock);
      const [id, other] = [await add(store, 'A'), await add(store, 'B')];
      const waits = new Waits(store);
      const stop = new AbortController();
      const otherEnds = waits.until(other, stop.signal);
      const waiting = waits.until(id, new AbortController().signal);
      await end(store, id);
      assert.equal(await waiting, true);
      stop.abort();
      assert.equal(await otherEnds, false, 'the other job still waits');
    });
  }
});
