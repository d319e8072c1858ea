/** Handlers that do their worst: each costs its own attempts, and nothing else. */

import assert from 'node:assert/strict';
import path from 'node:path';
import { suite, test } from 'node:test';

import { systemClock } from '../../src/engine/clock.ts';
import { newJob, readAttempts, temporaryFolder } from '../tools/store.ts';
import { type Engine, openEngine } from './harness.ts';

const limit = { timeout: 10_000 };
const GOOD = `export default { handle: () => 'good' };`;
const SPIN = `export default { maxAttempts: 1, timeout: '50ms', async handle(_, { log }) {
  log.info('spinning'); await new Promise((r) => setTimeout(r, 5)); while (true) {} } };`;

/** The engine still works. */
async function stillWorks(engine: Engine): Promise<void> {
  const job = await engine.run('Good');
  assert.equal(job.result, '"good"');
  assert.equal(job.attempts, 1);
}

suite('threads inside a call of the system', () => {
  const CALL = `import { execSync } from 'node:child_process';
    export default { timeout: '100ms', maxAttempts: 1, async handle({ ms }, { log }) {
      log.info('calling'); await new Promise((r) => setTimeout(r, 5)); execSync('sleep ' + ms / 1000); } };`;

  test('nobody waits for their word about memory', limit, async (t) => {
    const engine = await openEngine(t, { jobs: { Call: CALL }, hurry: 1 });
    const id = await engine.add('Call', { ms: 3000 });
    await engine.said(id, 'calling');
    // It calls a little later.
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    const [one] = engine.dispatcher.running;
    const { threadId } = one!.chunk;
    const from = performance.now();
    for (let i = 0; i < 3; i++) {
      const told = (await engine.pool.memories()).find((thread) => thread.threadId === threadId);
      assert.equal(told?.memory, undefined);
    }
    assert.ok(performance.now() - from < 2000, `${performance.now() - from} ms`);
  });

  test('an answer about memory that comes late counts', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Wait: `export default { maxAttempts: 1, memoryLimit: '64mb', handle: () => new Promise((r) => setTimeout(r, 5000)) };`,
      },
      hurry: 1,
    });
    let asked = 0;
    engine.pool.memory = async () => {
      asked += 1;
      await new Promise((resolve) => {
        setTimeout(resolve, 400);
      });
      return { heap: 10 ** 9, external: 0 };
    };
    assert.match((await engine.run('Wait')).lastError ?? '', /^Used .* of memory; its limit is 64 MB/);
    assert.equal(asked, 1, 'and nobody else asks meanwhile');
  });

  test('they are told to end once, not every millisecond', limit, async (t) => {
    const engine = await openEngine(t, { jobs: { Call: CALL } });
    const kill = engine.pool.kill.bind(engine.pool);
    let kills = 0;
    engine.pool.kill = (...args) => {
      kills += 1;
      kill(...args);
    };
    assert.equal((await engine.run('Call', { ms: 700 })).status, 'failed');
    assert.equal(kills, 1);
  });
});

suite('threads that die', () => {
  const cases: [string, string, RegExp][] = [
    ['[20] process.exit', `handle() { process.exit(3); }`, /process\.exit\(3\)/],
    [
      '[20] process.exit(0), later',
      `async handle() { await new Promise((r) => setTimeout(r, 5)); process.exit(0); }`,
      /process\.exit\(0\)|ended its thread/,
    ],
    [
      '[22] an unhandled rejection',
      `async handle() { Promise.reject(new Error('left alone')); await new Promise((r) => setTimeout(r, 500)); }`,
      /left alone/,
    ],
    [
      '[22] a late throw',
      `async handle() { setTimeout(() => { throw new Error('late'); }, 1); await new Promise((r) => setTimeout(r, 500)); }`,
      /late/,
    ],
    [
      '[22] a late throw of null',
      `async handle() { setTimeout(() => { throw null; }, 1); await new Promise((r) => setTimeout(r, 500)); }`,
      /null/,
    ],
  ];
  for (const [title, handle, error] of cases) {
    test(`${title} costs its own attempts`, limit, async (t) => {
      const engine = await openEngine(t, {
        jobs: { Bad: `export default { maxAttempts: 2, backoff: { base: '1ms' }, ${handle} };`, Good: GOOD },
      });
      const job = await engine.run('Bad');
      assert.equal(job.status, 'failed');
      assert.equal(job.attempts, 2);
      assert.equal(job.crashes, 0);
      assert.match(job.lastError ?? '', error);
      assert.equal(readAttempts(engine.store, job.id).length, 2);
      await stillWorks(engine);
    });
  }

  test('[22] whatever is thrown, it is told as well as it can be', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Bad: `const things = [null, undefined, 'text', 7, { a: 1 }, Symbol('s'), 5n, new Error(''),
            Object.assign(new Error('x'), { message: 'm'.repeat(9000) }),
            { toJSON() { throw 1; }, toString() { throw 2; } }, new Proxy({}, { get() { throw 3; }, getPrototypeOf() { throw 4; } }),
            Object.defineProperty(new Error('z'), 'stack', { get() { throw 5; } })];
          export default { maxAttempts: 1, handle: ({ n, late }) => { if (late) return Promise.reject(things[n]); throw things[n]; } };`,
        Good: GOOD,
      },
    });
    for (let n = 0; n < 12; n++) {
      for (const late of [false, true]) {
        const job = await engine.run('Bad', { n, late });
        assert.equal(job.status, 'failed', `thing ${n}`);
        assert.ok(
          (job.lastError ?? '').length > 0 && (job.lastError ?? '').length <= 4100,
          `thing ${n}: ${job.lastError}`,
        );
      }
    }
    assert.equal(engine.deaths.length, 0, 'no thread died of it');
    await stillWorks(engine);
  });

  test('[21] memory without end, on the heap', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Heap: `export default { maxAttempts: 1, memoryLimit: '48mb', handle() { const all = []; for (;;) all.push(new Array(1000).fill(Math.random())); } };`,
        Good: GOOD,
      },
    });
    const job = await engine.run('Heap');
    assert.equal(job.status, 'failed');
    assert.match(job.lastError ?? '', /of memory; its limit is 48 MB/);
    await stillWorks(engine);
  });

  test('[21] memory without end, in buffers', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Buffers: `export default { maxAttempts: 1, memoryLimit: '48mb', async handle() { const all = [];
          for (let i = 0; i < 200; i++) { all.push(Buffer.alloc(4e6, 1)); await new Promise((r) => setTimeout(r, 2)); } } };`,
        Good: GOOD,
      },
    });
    const job = await engine.run('Buffers');
    assert.equal(job.status, 'failed');
    assert.match(job.lastError ?? '', /of memory; its limit is 48 MB/);
    await stillWorks(engine);
  });

  test('a job file that can no longer be read fails its attempts, and says why', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Bad: `if (globalThis.second) throw new Error('cannot load'); globalThis.second = true; export default { maxAttempts: 1, handle() { process.exit(1); } };`,
        Good: GOOD,
      },
    });
    await engine.run('Bad');
    await stillWorks(engine);
  });
});

suite('handlers that do not stop', () => {
  test('[35] a timeout ends while(true){}, and frees the processor', limit, async (t) => {
    const engine = await openEngine(t, { jobs: { Spin: SPIN, Good: GOOD } });
    const job = await engine.run('Spin');
    assert.equal(job.status, 'failed');
    assert.equal(job.lastError, 'Timed out after 50ms.');
    await stillWorks(engine);
    const before = process.cpuUsage();
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    const used = process.cpuUsage(before);
    assert.ok((used.user + used.system) / 1000 < 200, `${(used.user + used.system) / 1000} ms of 300`);
  });

  test('[35] the handler is asked first, and ended 2 s later', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: { Spin: `export default { maxAttempts: 1, timeout: '50ms', handle() { while (true) {} } };` },
      clock: systemClock,
    });
    const from = performance.now();
    const job = await engine.run('Spin');
    const took = performance.now() - from;
    assert.equal(job.lastError, 'Timed out after 50ms.');
    assert.ok(took > 2000 && took < 4000, `${took} ms`);
  });

  test(
    '[35] a handler that heeds its signal ends at once, and the reason is the timeout',
    limit,
    async (t) => {
      const engine = await openEngine(t, {
        jobs: {
          Polite: `export default { maxAttempts: 2, backoff: { base: '1ms' }, timeout: '30ms', handle: (_, { signal }) => new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason))) };`,
          Good: GOOD,
        },
        clock: systemClock,
      });
      const from = performance.now();
      const job = await engine.run('Polite');
      assert.equal(job.lastError, 'Timed out after 30ms.');
      assert.equal(job.attempts, 2);
      assert.ok(performance.now() - from < 1500);
      assert.equal(engine.deaths.length, 0, 'no thread had to be ended');
      await stillWorks(engine);
    },
  );

  test('the timeout counts for one attempt, and one job may have its own', limit, async (t) => {
    const engine = await openEngine(t, {
      jobs: {
        Wait: `export default { maxAttempts: 1, timeout: '30ms', async handle({ ms }) { await new Promise((r) => setTimeout(r, ms)); } };`,
        Good: GOOD,
      },
      hurry: 50,
    });
    assert.equal((await engine.run('Wait', { ms: 5 })).status, 'completed');
    assert.equal((await engine.run('Wait', { ms: 500 })).lastError, 'Timed out after 30ms.');
    assert.equal((await engine.run('Wait', { ms: 100 }, { options: '{"timeout":0}' })).status, 'completed');
    assert.equal(
      (await engine.run('Wait', { ms: 100 }, { options: '{"timeout":5000}' })).status,
      'completed',
    );
  });

  for (const [how, handle] of [
    [
      'while(true){}',
      `async handle(_, { log }) { log.info('began'); await new Promise((r) => setTimeout(r, 5)); while (true) {} }`,
    ],
    ['a promise that never settles', `handle: (_, { log }) => (log.info('began'), new Promise(() => {}))`],
    [
      'one that heeds its signal',
      `handle: (_, { log, signal }) => new Promise((_, no) => { signal.addEventListener('abort', () => no(signal.reason)); log.info('began'); })`,
    ],
  ]) {
    test(`[34] a cancel from another process ends ${how}`, limit, async (t) => {
      const engine = await openEngine(t, {
        jobs: { Long: `export default { maxAttempts: 5, timeout: 0, ${handle} };`, Good: GOOD },
      });
      const id = await engine.add('Long');
      await engine.said(id, 'began');
      const admin = await engine.beside(t);
      const lost = engine.events.next('lost', (event) => event.id === id);
      assert.deepEqual(await admin.cancel([id]), [{ id, from: 'processing', to: 'cancelled' }]);
      await lost;
      assert.equal(engine.job(id).status, 'cancelled', '[26]');
      await stillWorks(engine);
      assert.equal(engine.job(id).status, 'cancelled');
      assert.equal(engine.job(id).attempts, 1);
    });
  }
});

suite('neighbours', () => {
  test("a handler that writes to its thread's own port harms nobody", limit, async (t) => {
    const engine = await openEngine(t, {
      workers: 1,
      jobs: {
        Good: GOOD,
        Chatty: `import { MessageChannel, parentPort, workerData } from 'node:worker_threads';
          export default { maxAttempts: 1, handle() {
            for (const word of ['x', null, 5, { kind: 'hello' }, { kind: 'hello', threadId: 1, port: {} }]) parentPort.postMessage(word);
            // As libraries for remote calls do.
            const { port1, port2 } = new MessageChannel();
            parentPort.postMessage({ kind: 'hello', threadId: 4242, port: port2, ...workerData }, [port2]);
            for (const word of [null, 5, { kind: 'call' }]) port1.postMessage(word);
            return new Promise((resolve) => setTimeout(resolve, 20, Object.keys(workerData))); } };`,
      },
    });
    const thrown: unknown[] = [];
    const note = (error: unknown) => thrown.push(error);
    process.on('uncaughtExceptionMonitor', note);
    t.after(() => process.off('uncaughtExceptionMonitor', note));
    const chatty = await engine.run('Chatty');
    assert.deepEqual(thrown, []);
    assert.equal(chatty.status, 'completed');
    assert.ok(!(engine.result(chatty.id) as string[]).includes('secret'));
    await stillWorks(engine);
  });

  test('a handler that spoils the globals of its thread spoils no other job', limit, async (t) => {
    const engine = await openEngine(t, {
      workers: 1,
      jobs: {
        Good: `export default { handle: () => JSON.parse('"good"') };`,
        Vandal: `export default { handle() {
          JSON.parse = JSON.stringify = null; process.hrtime = null;
          Atomics.store = Atomics.load = Atomics.compareExchange = null; return 'done'; } };`,
      },
    });
    assert.equal((await engine.run('Vandal')).status, 'completed');
    await stillWorks(engine);
    assert.deepEqual(
      engine.deaths.map(({ reason }) => reason),
      ['a handler has changed a built-in object: JSON.parse'],
    );
  });

  for (const [name, spoil] of [
    ['Math.random', 'Math.random = () => 0.5'],
    ['console.log', 'console.log = () => {}'],
    ['Buffer.prototype.toString', `Buffer.prototype.toString = () => 'x'`],
    [
      'iterators of arrays.next',
      `Object.getPrototypeOf([][Symbol.iterator]()).next = () => ({ done: true })`,
    ],
  ]) {
    test(`a handler that replaces ${name}: its thread is not used again`, limit, async (t) => {
      const engine = await openEngine(t, {
        workers: 1,
        jobs: { Good: GOOD, Vandal: `export default { handle() { ${spoil}; } };` },
      });
      await engine.run('Vandal');
      await stillWorks(engine);
      assert.deepEqual(
        engine.deaths.map(({ reason }) => reason),
        [`a handler has changed a built-in object: ${name}`],
      );
    });
  }

  test('what a handler does to the environment is not found by the next', limit, async (t) => {
    process.env['PASSITO_TEST_WORD'] = 'kept';
    t.after(() => Reflect.deleteProperty(process.env, 'PASSITO_TEST_WORD'));
    const file = path.join(temporaryFolder(t), 'env');
    const engine = await openEngine(t, {
      workers: 1,
      jobs: {
        Vandal: `export default { handle() {
          process.env.PATH = ''; process.env.EVIL = 1; delete process.env.PASSITO_TEST_WORD; } };`,
        Replacer: `export default { handle() { process.env = {}; } };`,
        Loads: `import { writeFileSync } from 'node:fs'; writeFileSync('${file}', 'LOADED=yes');
          process.loadEnvFile('${file}'); export default { handle: () => structuredClone(process.env).LOADED };`,
        Look: `export default { handle: () => [process.env.PATH, process.env.EVIL, process.env.PASSITO_TEST_WORD] };`,
      },
    });
    await engine.run('Vandal');
    await engine.run('Replacer');
    assert.equal((await engine.run('Loads')).result, '"yes"', 'what a job file sets stays');
    assert.equal((await engine.run('Loads')).result, '"yes"');
    const { id } = await engine.run('Look');
    assert.deepEqual(engine.result(id), [process.env['PATH'], null, 'kept']);
    assert.deepEqual(engine.deaths, []);
  });

  test('what a job file changes while it is loaded costs no thread', limit, async (t) => {
    const engine = await openEngine(t, {
      workers: 1,
      jobs: {
        Patched: `import { threadId } from 'node:worker_threads'; const { parse } = JSON; JSON.parse = (text) => parse(text);
          export default { handle: () => threadId };`,
      },
    });
    const first = await engine.run('Patched');
    assert.equal((await engine.run('Patched')).result, first.result);
    assert.deepEqual(engine.deaths, []);
  });

  test('a thread in which no job begins is ended, and its jobs go on elsewhere', limit, async (t) => {
    const engine = await openEngine(t, {
      workers: 1,
      stillMs: 1000,
      // A timer of Node may come a little before its time: whoever asks the clock then, and not the timer, waits for ever.
      clock: { ...systemClock, after: (ms, then) => systemClock.after(ms - 3, then) },
      jobs: {
        Good: GOOD,
        // It has ended before it blocks the thread, which takes the next job and never begins it.
        Blocker: `export default { maxAttempts: 1, handle() { setTimeout(() => { for (;;); }, 20); } };`,
      },
    });
    assert.equal((await engine.run('Blocker')).status, 'completed');
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    await stillWorks(engine);
    assert.match(engine.deaths[0]?.reason ?? '', /^it began no job for 1s$/);
  });

  test('what a job left behind throws as its own, and not as the next one', limit, async (t) => {
    const engine = await openEngine(t, {
      workers: 3,
      jobs: {
        Wait: `export default { maxAttempts: 1, async handle() {
          globalThis.waits = true; await new Promise((r) => setTimeout(r, 150)); globalThis.waits = false; return 'waited'; } };`,
        Careless: `export default { maxAttempts: 1, handle({ how }) { const timer = setInterval(() => {
          if (!globalThis.waits) return;
          clearInterval(timer);
          if (how === 'throw') throw new Error('left over');
          if (how === 'reject') Promise.reject(new Error('left over')); else process.exit(5); }, 5); } };`,
      },
    });
    for (const [how, error] of [
      ['throw', 'left over'],
      ['reject', 'left over'],
      ['exit', 'process.exit(5)'],
    ] as const) {
      const told = engine.events.next('log', ({ type }) => type === 'Careless');
      const careless = await engine.add('Careless', { how });
      const heard: unknown[] = [];
      void told.then((line) => heard.push(line));
      // In every thread, since one cannot be chosen.
      while (heard.length === 0) {
        for (const next of await Promise.all([1, 2, 3].map(() => engine.run('Wait')))) {
          assert.deepEqual([next.status, next.result], ['completed', '"waited"'], how);
        }
      }
      assert.equal(engine.job(careless).status, 'completed');
      const { id, level, fields } = await told;
      assert.deepEqual([id, level, fields], [careless, 'warn', { error }]);
    }
    assert.deepEqual(engine.deaths, []);
  });

  test('two jobs whose strays take turns are told of once each', limit, async (t) => {
    const engine = await openEngine(t, {
      workers: 1,
      jobs: {
        Wait: `export default { maxAttempts: 1, async handle() {
          globalThis.waits = true; await new Promise((r) => setTimeout(r, 200)); globalThis.waits = false; return 'waited'; } };`,
        Careless: `export default { maxAttempts: 1, handle() { setInterval(() => { if (globalThis.waits) throw new Error('left over'); }, 1); } };`,
      },
    });
    const told: number[] = [];
    engine.events.on('log', ({ type, id }) => {
      if (type === 'Careless') told.push(Number(id));
    });
    const careless = [await engine.run('Careless'), await engine.run('Careless')].map(({ id }) => id);
    assert.equal((await engine.run('Wait')).result, '"waited"');
    assert.deepEqual(
      told.toSorted((a, b) => a - b),
      careless,
    );
  });

  for (const [what, spoil] of [
    ['gives every object a toJSON', `Object.prototype.toJSON = () => 'hey'`],
    ['breaks the iteration of arrays', `Array.prototype[Symbol.iterator] = null`],
    ['gives every object a schema', `Object.prototype.schema = {}`],
    ['patches TextEncoder and promises', `TextEncoder.prototype.encodeInto = Promise.prototype.then = null`],
  ] as const) {
    test(
      `a handler that ${what}: the jobs after it complete, each in its first attempt`,
      limit,
      async (t) => {
        const engine = await openEngine(t, {
          workers: 1,
          jobs: {
            Good: `export default { maxAttempts: 1, handle: () => 'good' };`,
            Vandal: `export default { maxAttempts: 1, handle() { ${spoil}; } };`,
          },
        });
        await warm(engine, 'Good');
        await engine.run('Vandal');
        const inserted = await engine.store.insert(Array.from({ length: 100 }, () => newJob('Good')));
        const all = await Promise.all(inserted.map(({ id }) => engine.ended(id)));
        assert.deepEqual(
          [...new Set(all.map(({ status, attempts }) => `${status} ${attempts}`))],
          ['completed 1'],
        );
      },
    );
  }

  test(
    'an outcome that cannot be read is a failed attempt, and its thread is not used again',
    limit,
    async (t) => {
      const engine = await openEngine(t, {
        workers: 1,
        jobs: {
          Good: `import { threadId } from 'node:worker_threads'; export default { handle: () => threadId };`,
          Forger: `import { threadId } from 'node:worker_threads'; export default { maxAttempts: 2, backoff: { base: '1ms' }, handle(_, { attempt, dispatch }) {
          if (attempt > 1) return threadId;
          const dispatches = dispatch('Good', {}); Object.prototype.kind = 'completed';
          Object.defineProperty(Array.prototype, 'toJSON', { value: () => 'hey', configurable: true }); } };`,
        },
      });
      const before = engine.result((await engine.run('Good')).id);
      const forger = await engine.run('Forger');
      assert.equal(forger.status, 'completed');
      assert.equal(forger.attempts, 2);
      assert.match(readAttempts(engine.store, forger.id)[0]?.error ?? '', /changed built-in objects/);
      assert.notEqual(engine.result(forger.id), before);
      assert.match(engine.deaths[0]?.reason ?? '', /changed a built-in object/);
    },
  );

  /** Runs short jobs until the engine takes them in chunks of many. */
  async function warm(engine: Engine, type: string): Promise<void> {
    const inserted = await engine.store.insert(
      Array.from({ length: 200 }, () => newJob(type, { payload: '{}' })),
    );
    const last = inserted.at(-1);
    assert.ok(last);
    await engine.ended(last.id);
  }

  for (const [how, bad, error] of [
    ['spins', `while (true) {}`, /Timed out/],
    ['ends its thread', `process.exit(7)`, /process\.exit\(7\)/],
  ] as const) {
    test(`one of 64 short jobs ${how}: the others complete with one attempt each`, limit, async (t) => {
      const engine = await openEngine(t, {
        jobs: {
          Short: `export default { timeout: '60ms', maxAttempts: 1, handle({ bad }) { if (bad) ${bad}; } };`,
          Good: GOOD,
        },
      });
      await warm(engine, 'Short');
      for (const place of [0, 31, 63]) {
        const inserted = await engine.store.insert(
          Array.from({ length: 64 }, (_, i) =>
            newJob('Short', { payload: JSON.stringify({ bad: i === place }) }),
          ),
        );
        await Promise.all(inserted.map(({ id }) => engine.ended(id)));
        inserted.forEach(({ id }, i) => {
          const job = engine.job(id);
          assert.equal(job.attempts, 1, `job ${i}`);
          assert.equal(job.status, i === place ? 'failed' : 'completed', `job ${i}`);
          if (i === place) assert.match(job.lastError ?? '', error);
        });
      }
      await stillWorks(engine);
    });
  }

  test('jobs behind a slow one go to the other worker at once', limit, async (t) => {
    const engine = await openEngine(t, {
      workers: 2,
      jobs: {
        Short: `export default { timeout: 0, async handle({ ms }) { if (ms) await new Promise((r) => setTimeout(r, ms)); } };`,
      },
      clock: systemClock,
    });
    await warm(engine, 'Short');
    const slow = 3000;
    const inserted = await engine.store.insert(
      Array.from({ length: 64 }, (_, i) =>
        newJob('Short', { payload: JSON.stringify({ ms: i === 3 ? slow : 0 }) }),
      ),
    );
    const from = performance.now();
    await Promise.all(inserted.filter((_, i) => i !== 3).map(({ id }) => engine.ended(id)));
    const took = performance.now() - from;
    assert.ok(took < slow / 2, `the others took ${took} ms`);
  });
});
