/** Jobs from their dispatch to their end, on real threads and a real database. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { systemClock } from '../../src/engine/clock.ts';
import { newJob, readAttempts } from '../tools/store.ts';
import { openEngine } from './harness.ts';

const limit = { timeout: 10_000 };

suite('ordinary jobs', () => {
  test('a job completes with its result, a job without one with none', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Double: `export default defineJob({ async handle({ n }) { return { twice: 2 * n }; } });`,
        Nothing: `export default { type: 'Nothing', handle() {} };`,
        Guide: `export default class Guide { handle(payload) { return payload; } }`,
      },
    });
    const double = await engine.run('Double', { n: 21 });
    assert.equal(double.status, 'completed');
    assert.equal(double.result, '{"twice":42}');
    assert.equal(double.attempts, 1);
    assert.equal((await engine.run('Nothing')).result, null);
    assert.equal((await engine.run('Guide', { a: 'é' })).result, '{"a":"é"}');
  });

  test('a thousand short jobs each complete once, with the result of their own payload', limit, async (t) => {
    const engine = await openEngine(t, {
      workers: 2,
      jobs: {
        Echo: `export default { handle: ({ n }) => (n % 10 === 0 ? undefined : n % 7 === 0 ? { n, long: 'x'.repeat(3000) } : { n }) };`,
      },
    });
    let completed = 0;
    const all = new Promise<void>((resolve) => {
      engine.events.on('completed', () => {
        if (++completed === 1000) resolve();
      });
    });
    const inserted = await engine.store.insert(
      Array.from({ length: 1000 }, (_, n) => newJob('Echo', { payload: JSON.stringify({ n }) })),
    );
    await all;
    inserted.forEach(({ id }, n) => {
      const job = engine.job(id);
      assert.equal(job.status, 'completed');
      assert.equal(job.attempts, 1);
      const result = engine.result(id) as { n: number } | null;
      assert.equal(result?.n, n % 10 === 0 ? undefined : n);
    });
  });

  test(
    'results of 200 KB and of 1 MB come whole, from a new thread too; several in one chunk',
    limit,
    async (t) => {
      const engine = await openEngine(t, {
        jobs: {
          Big: `export default { handle: ({ n, c }) => c.repeat(n) };`,
        },
      });
      assert.equal(
        engine.result((await engine.run('Big', { n: 1_000_000, c: 'é' })).id),
        'é'.repeat(1_000_000),
      );
      assert.equal(engine.result((await engine.run('Big', { n: 200_000, c: 'x' })).id), 'x'.repeat(200_000));
      for (let i = 0; i < 30; i++) await engine.run('Big', { n: 1, c: 'y' });
      const ids = await engine.store.insert(
        Array.from({ length: 40 }, (_, i) =>
          newJob('Big', { payload: JSON.stringify({ n: i % 3 === 0 ? 50_000 : 5, c: String(i % 10) }) }),
        ),
      );
      const last = ids.at(-1);
      assert.ok(last);
      await engine.ended(last.id);
      ids.forEach(({ id }, i) =>
        assert.equal(engine.result(id), String(i % 10).repeat(i % 3 === 0 ? 50_000 : 5), `job ${i}`),
      );
    },
  );

  test('a result that JSON cannot hold fails the attempt, and says so', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Cyclic: `export default { maxAttempts: 1, handle() { const a = {}; a.a = a; return a; } };`,
        Big: `export default { maxAttempts: 1, handle: () => 10n };`,
        Huge: `export default { maxAttempts: 1, handle: () => 'x'.repeat(11 * 1024 * 1024) };`,
        Hostile: `export default { maxAttempts: 1, handle: () => ({ toJSON() { throw null; } }) };`,
        Function: `export default { handle: () => () => 1 };`,
      },
    });
    for (const type of ['Cyclic', 'Big', 'Hostile']) {
      const job = await engine.run(type);
      assert.equal(job.status, 'failed', type);
      assert.match(job.lastError ?? '', /cannot be stored as JSON/, type);
    }
    assert.match((await engine.run('Huge')).lastError ?? '', /11 MB.*10 MB/);
    assert.equal((await engine.run('Function')).result, null);
  });

  test('[41] a child reads the results of its parents, in the order it named them', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Qr: `export default { handle: ({ n }) => ({ path: n + '.png' }) };`,
        Mail: `export default { handle: (_, { dependencies }) => dependencies };`,
      },
      started: false,
    });
    const [one, two, child] = await engine.store.insert([
      newJob('Qr', { payload: '{"n":1}' }),
      newJob('Qr', { payload: '{"n":2}' }),
      newJob('Mail', { dependsOn: [{ index: 1 }, { index: 0 }] }),
    ]);
    assert.ok(one && two && child);
    engine.dispatcher.start();
    await engine.ended(child.id);
    assert.deepEqual(engine.result(child.id), [
      { id: two.id, type: 'Qr', result: { path: '2.png' } },
      { id: one.id, type: 'Qr', result: { path: '1.png' } },
    ]);
  });

  test('jobs that a handler dispatches are written with its completion, in their order', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Parent: `export default { handle(_, { dispatch, id }) {
          const qr = dispatch('Step', { name: 'qr' });
          const pdf = dispatch('Step', { name: 'pdf' }, { dependsOn: [qr, id], priority: 9 });
          dispatch('Last', {}, { dependsOn: [qr, pdf] });
          return 'parent';
        } };`,
        Step: `export default { handle: ({ name }) => name };`,
        Last: `export default { handle: (_, { dependencies }) => dependencies.map(({ result }) => result) };`,
      },
    });
    const last = engine.events.next('completed', ({ type }) => type === 'Last');
    await engine.run('Parent');
    assert.deepEqual(engine.result((await last).id), ['qr', 'pdf']);
  });

  test(
    'jobs of an attempt that throws, or that dispatches what is refused, are not written',
    limit,
    async (t) => {
      const engine = await openEngine(t, {
        jobs: {
          Throws: `export default { maxAttempts: 1, handle(_, { dispatch }) { dispatch('Child'); throw new Error('after all'); } };`,
          Refused: `export default { maxAttempts: 1, handle(_, { dispatch }) { dispatch('Child'); dispatch('Child', {}, { dependsOn: [4711] }); } };`,
          Wrong: `export default { maxAttempts: 1, handle(_, { dispatch }) { dispatch('no such name', {}); } };`,
          Priority: `export default { maxAttempts: 1, handle(_, { dispatch }) { dispatch('Child', {}, { priority: 12 }); } };`,
          Key: `export default { maxAttempts: 1, handle(_, { dispatch }) { dispatch('Child', {}, { uniqueKey: '' }); } };`,
          // Fewer than 10 million characters, and 27 MB.
          Large: `export default { maxAttempts: 1, handle(_, { dispatch }) { dispatch('Child', 'அ'.repeat(9e6)); } };`,
        },
      });
      assert.match((await engine.run('Throws')).lastError ?? '', /after all/);
      assert.match((await engine.run('Refused')).lastError ?? '', /refused.*#4711/);
      assert.match((await engine.run('Wrong')).lastError ?? '', /type cannot be/);
      assert.match((await engine.run('Priority')).lastError ?? '', /priority cannot be 12/);
      assert.match((await engine.run('Key')).lastError ?? '', /unique key must be of 1 to 500 characters/);
      assert.match((await engine.run('Large')).lastError ?? '', /at most 10 MB/);
      assert.equal(
        engine.store.db.prepare(`SELECT count(*) FROM jobs WHERE type = 'Child'`).pluck().get(),
        0,
      );
    },
  );

  test('progress and log come at once, while the handler runs', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Long: `export default { async handle(_, { progress, log, signal }) {
          await progress(40, 'half of it');
          log.info('at work', { rows: 7, skip: () => 1 });
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          return 'told to stop';
        }, timeout: '150ms' };`,
      },
    });
    const id = await engine.add('Long');
    const line = await engine.said(id, 'at work');
    assert.deepEqual(line, {
      id,
      type: 'Long',
      attempt: 1,
      level: 'info',
      message: 'at work',
      fields: { rows: 7 },
    });
    assert.equal(engine.job(id).status, 'processing');
    assert.deepEqual(JSON.parse(engine.job(id).progress as string), { percent: 40, note: 'half of it' });
    const job = await engine.ended(id);
    assert.equal(job.status, 'completed', 'a handler that ends well after it was told to stop has completed');
    assert.equal(job.result, '"told to stop"');
  });

  test('redacted fields are dropped at completion', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Secret: `export default defineJob({ redact: ['password'], maxAttempts: 2, backoff: { base: 0 },
          handle({ password }, { attempt }) { if (attempt === 1) throw new Error('once'); return password.length; } });`,
      },
    });
    const job = await engine.run('Secret', { user: 'a', password: 'hunter2' });
    assert.equal(job.status, 'completed');
    assert.equal(job.result, '7', 'the second attempt still had it');
    assert.deepEqual(JSON.parse(job.payload), { user: 'a' });
  });
});

suite('when jobs start', () => {
  test('[4] a delayed job starts at its time, not at the next poll', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: { Now: `export default { handle: () => Date.now() };` },
      clock: systemClock,
    });
    await engine.run('Now');
    const late: number[] = [];
    for (const delay of [150, 40, 90]) {
      const due = Date.now() + delay;
      const job = await engine.run('Now', {}, { availableAt: due });
      late.push(Number(job.result) - due);
    }
    t.diagnostic(`late by ${late.join(', ')} ms`);
    assert.ok(
      late.every((ms) => ms >= -1 && ms < 100),
      `late by ${late.join(', ')} ms`,
    );
  });

  test('a job from another process is started at once', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: { Now: `export default { handle: () => Date.now() };` },
      clock: systemClock,
    });
    await engine.run('Now');
    const portal = await engine.beside(t);
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      const before = Date.now();
      const { lastInsertRowid } = portal.db.prepare(`INSERT INTO jobs (type) VALUES ('Now')`).run();
      const job = await engine.ended(Number(lastInsertRowid));
      waits.push(Number(job.result) - before);
    }
    t.diagnostic(`started after ${waits.join(', ')} ms`);
    assert.ok((waits.sort((a, b) => a - b)[2] ?? Infinity) < 100, `after ${waits.join(', ')} ms`);
  });

  test('[5] only the queues that it serves', limit, async (t) => {
    const engine = await openEngine(t, { jobs: { A: `export default { handle() {} };` }, queues: ['mail'] });
    const other = await engine.add('A', {}, { queue: 'reports', priority: 9 });
    assert.equal((await engine.run('A', {}, { queue: 'mail' })).status, 'completed');
    assert.equal(engine.job(other).status, 'pending');
    assert.equal(engine.job(other).attempts, 0);
  });

  test('[31] an unknown type waits and spends nothing', limit, async (t) => {
    const engine = await openEngine(t, { jobs: { A: `export default { handle() {} };` } });
    const unknown = await engine.add('Nobody', {}, { priority: 9 });
    for (let i = 0; i < 5; i++) await engine.run('A');
    assert.equal(engine.job(unknown).status, 'pending');
    assert.equal(engine.job(unknown).attempts, 0);
  });

  test('a type with a concurrency of one runs one after another, and none is forgotten', limit, async (t) => {
    const engine = await openEngine(t, {
      workers: 2,
      jobs: {
        One: `export default { concurrency: 1, async handle() { const from = performance.timeOrigin + performance.now();
          await new Promise((r) => setTimeout(r, 30)); return [from, performance.timeOrigin + performance.now()]; } };`,
      },
    });
    const inserted = await engine.store.insert(Array.from({ length: 4 }, () => newJob('One')));
    for (const { id } of inserted) if (engine.job(id).status !== 'completed') await engine.ended(id);
    const spans = inserted.map(({ id }) => engine.result(id) as [number, number]).sort((a, b) => a[0] - b[0]);
    for (let i = 1; i < spans.length; i++) assert.ok(spans[i]![0] >= spans[i - 1]![1] - 1, 'they overlapped');
  });

  test('[37] fewer workers: what runs goes on, and no more than that many start', limit, async (t) => {
    const engine = await openEngine(t, {
      workers: 3,
      jobs: {
        Wait: `export default { async handle(_, { log }) { log.info('began'); await new Promise((r) => setTimeout(r, 80)); } };`,
      },
    });
    let running = 0;
    let most = 0;
    const began = Promise.all([1, 2, 3].map((n) => engine.events.next('log', ({ id }) => id === n)));
    // Before they start: on a busy machine the first has completed when the third begins.
    const ended = engine.ended(8);
    await engine.store.insert(Array.from({ length: 8 }, () => newJob('Wait')));
    await began;
    engine.dispatcher.target = 1;
    engine.events.on('completed', ({ id }) => {
      if (id > 3) running--;
    });
    engine.events.on('log', () => {
      most = Math.max(most, ++running);
    });
    await ended;
    for (let id = 1; id <= 8; id++) assert.equal(engine.job(id).attempts, 1);
    assert.equal(engine.deaths.length, 0);
    assert.ok(most <= 2, `${most} at once`);
  });
});

suite('when jobs fail', () => {
  test('[25] tried again, then failed at the last attempt with the error of each kept', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Bad: `export default { maxAttempts: 3, backoff: { base: '1ms' },
          handle(_, { attempt, maxAttempts }) { throw new TypeError('attempt ' + attempt + ' of ' + maxAttempts); } };`,
      },
    });
    const retried: number[] = [];
    engine.events.on('retried', ({ attempt }) => retried.push(attempt));
    const job = await engine.run('Bad');
    assert.equal(job.status, 'failed');
    assert.equal(job.attempts, 3);
    assert.equal(job.lastError, 'TypeError: attempt 3 of 3');
    assert.deepEqual(retried, [1, 2]);
    assert.deepEqual(
      readAttempts(engine.store, job.id).map(({ outcome, error }) => [outcome, error]),
      [
        ['failed', 'TypeError: attempt 1 of 3'],
        ['failed', 'TypeError: attempt 2 of 3'],
        ['failed', 'TypeError: attempt 3 of 3'],
      ],
    );
    const stack = engine.store.db.prepare('SELECT stack FROM attempts WHERE job_id = ?').pluck().get(job.id);
    assert.match(String(stack), /Bad\.js/, 'the stack names the file');
  });

  test('what is set for one job goes before what its type says', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Bad: `export default { maxAttempts: 9, backoff: { base: '1ms' }, handle() { throw new Error('no'); } };`,
      },
    });
    assert.equal((await engine.run('Bad', {}, { maxAttempts: 1 })).attempts, 1);
  });

  test('discard fails at once, with attempts left', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: { A: `export default { maxAttempts: 5, handle() { discard('no such student'); } };` },
    });
    const failed = engine.events.next('failed');
    const job = await engine.run('A');
    assert.equal(job.status, 'failed');
    assert.equal(job.attempts, 1);
    assert.equal(job.lastError, 'no such student');
    assert.equal((await failed).discarded, true);
  });

  test('[27] snooze waits and spends no attempt', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        A: `let times = 0; export default { maxAttempts: 1, handle(_, { attempt }) { if (++times <= 3) snooze('5ms'); return { attempt, times }; } };`,
      },
    });
    const job = await engine.run('A');
    assert.deepEqual(JSON.parse(job.result ?? ''), { attempt: 1, times: 4 });
    assert.deepEqual(readAttempts(engine.store, job.id), []);
  });

  test('[27] the reason of a snooze is kept while the job waits, and told', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        A: `let times = 0; export default { maxAttempts: 1, handle() {
          times++;
          if (times === 1) snooze('5ms', 'the server is busy');
          if (times === 2) snooze('5ms');
          if (times === 3) snooze('5ms', 'x'.repeat(9000));
          if (times === 4) snooze('5ms', ''); } };`,
      },
    });
    const told: unknown[] = [];
    engine.events.on('released', ({ id, error }) => {
      told.push([error?.message.slice(0, 20), engine.job(id).lastError?.slice(0, 20)]);
    });
    const job = await engine.run('A');
    assert.equal(job.status, 'completed');
    assert.equal(job.attempts, 1);
    assert.equal(job.lastError, null);
    const long = 'x'.repeat(20);
    assert.deepEqual(told, [
      ['the server is busy', 'the server is busy'],
      [undefined, 'the server is busy'],
      [long, long],
      [undefined, long],
    ]);
    assert.deepEqual(readAttempts(engine.store, job.id), []);
  });

  test('[28] a payload that fails its schema is an ordinary failure, tried again', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        A: `const schema = { '~standard': { version: 1, vendor: 'test', validate: (value) => typeof value.id === 'number'
            ? { value: { id: value.id + 1 } } : { issues: [{ message: 'expected number', path: ['id'] }, { message: 'bad' }] } } };
          export default { maxAttempts: 2, backoff: { base: '1ms' }, schema, handle: ({ id }) => id };`,
        Throws: `export default { maxAttempts: 1, schema: { '~standard': { version: 1, vendor: 'test', validate() { throw new Error('broken schema'); } } }, handle() {} };`,
      },
    });
    const bad = await engine.run('A', { id: 'x' });
    assert.equal(bad.status, 'failed');
    assert.equal(bad.attempts, 2);
    assert.equal(bad.lastError, 'The payload does not fit: id: expected number; bad.');
    assert.equal(
      (await engine.run('A', { id: 1 })).result,
      '2',
      'the handler gets what the schema made of it',
    );
    assert.match((await engine.run('Throws')).lastError ?? '', /broken schema/);
  });

  test('[30] a listener that throws stops nothing', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: { A: `export default { handle() {} };` },
      expectTrouble: true,
    });
    for (const name of ['completed', 'launched', 'claimed', 'idle'] as const) {
      engine.events.on(name, () => {
        throw new Error('broken listener');
      });
    }
    for (let i = 0; i < 3; i++) assert.equal((await engine.run('A')).status, 'completed');
    assert.ok(engine.troubles.length >= 3);
    assert.ok(engine.troubles.every(({ where }) => where.startsWith('listener of ')));
  });
});
