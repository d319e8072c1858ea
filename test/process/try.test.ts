/** `passito try`: what a handler does to its thread, it does to nothing else, and reads as in the queue. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Site } from '../tools/daemon.ts';

/** What `try --json` prints of an attempt that went wrong. */
interface Failed {
  kind: string;
  error: { message: string; stack?: string };
}

describe('try', { concurrency: 2 }, () => {
  const here = new Site(after, {}, 'state/passito.db');

  before(() => {
    here.job('Exits', 'process.exit(payload.code);');
    here.job('Spins', `console.log('one'); console.log('two'); for (;;) {}`, `timeout: '300ms',`);
    here.job('Sides', `Promise.reject(new TypeError('on the side')); await sleep(5000);`);
    here.job('Leaks', 'for (const kept = [];; await sleep(1)) kept.push(Buffer.alloc(1e6, 1));', LIMIT);
    here.job('Wide', 'return Buffer.alloc(3e8, 1).length;', `memoryLimit: '600mb',`);
    here.job('Prints', 'for (let n = 0; n < payload.lines; n++) console.log(`line ${n}`); return 7;');
    here.job('Reads', `(await import('node:fs')).readFileSync(payload.pipe);`, `timeout: '100ms',`);
    here.job('Again', `context.dispatch('Again', {}); return context.id;`);
    here.job('Mails', `return context.mail({ to: 'asha@example.org', subject: 'Hello', text: 'Hello' });`);
    here.job('GenerateQrCode', `return 'mine';`, 'override: true,');
    here.write('jobs/Throws.js', `throw new Error('as it is loaded');\n`);
    here.write('jobs/Ends.js', `process.exit(0);\n`);
    here.write('jobs/Needs.ts', `import './Torn.ts';\nexport default { handle() {} };\n`);
    here.write('jobs/Torn.ts', 'export default {\n  handle( {}\n};\n');
    here.write('whole/named-otherwise.js', `export default { type: 'Elsewhere', handle: () => 5 };\n`);
    here.write('whole/Throws.js', `throw new Error('as it is loaded');\n`);
    here.write('passito.config.ts', CONFIG);
  });

  /** The JSON of an attempt that failed: all that is on stdout. */
  async function failed(type: string, payload: unknown = {}): Promise<Failed> {
    const { code, stdout, stderr } = await here.run([
      'try',
      type,
      '--json',
      '--payload',
      JSON.stringify(payload),
    ]);
    assert.equal(code, 1, stderr);
    assert.doesNotMatch(stderr, /node:internal|Node\.js v/);
    const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Failed;
    assert.match(stderr, new RegExp(`^${type} failed: `, 'm'));
    assert.equal(told.kind, 'failed');
    return told;
  }

  for (const code of [0, 3]) {
    it(`a handler that calls process.exit(${code}) has failed`, async () => {
      assert.deepEqual(await failed('Exits', { code }), {
        kind: 'failed',
        error: { message: `The handler ended its thread: process.exit(${code}).` },
      });
    });
  }

  it('an endless loop ends at its timeout, and what it printed before is there', async () => {
    const started = performance.now();
    const { code, stdout, stderr } = await here.run(['try', 'Spins']);
    assert.ok(performance.now() - started < 4500, `after ${performance.now() - started} ms`);
    assert.deepEqual([code, stdout, stderr], [1, 'one\ntwo\n', 'Spins failed: Timed out after 300ms.\n']);
  });

  it('a promise that is rejected on the side is told with its stack, without a trace of Node', async () => {
    const { error } = await failed('Sides');
    assert.equal(error.message, 'Threw outside its promise: on the side');
    assert.match(error.stack ?? '', /^TypeError: on the side\n.*Sides\.ts:/);
    const { stdout, stderr } = await here.run(['try', 'Sides']);
    assert.equal(stdout, '');
    assert.match(stderr, /^Sides failed: Threw outside its promise: on the side\nTypeError: on the side\n/);
  });

  it('the memory limit counts, also one above the usual', async () => {
    const { error } = await failed('Leaks');
    assert.match(error.message, /^Used \d+(\.\d)? MB of memory; its limit is 64 MB\.$/);
    assert.match(await here.ok('try', 'Wide'), /Result: 300000000\n$/);
  });

  it('a call that cannot be interrupted holds up nothing', async () => {
    assert.equal((await here.run(['try', 'MakesPipe'])).code, 0);
    const { code, stdout } = await here.run([
      'try',
      'Reads',
      '--json',
      '--payload',
      `{"pipe":"${here.path('pipe')}"}`,
    ]);
    assert.equal(code, -1, 'ended by a signal');
    assert.equal((JSON.parse(stdout) as Failed).error.message, 'Timed out after 100ms.');
  });

  it('what a handler prints comes whole, and before its end', async () => {
    const printed = await here.ok('try', 'Prints', '--payload', '{"lines": 20000}');
    const lines = printed.trimEnd().split('\n');
    assert.equal(lines.length, 20_001);
    assert.equal(lines[19_999], 'line 19999');
    assert.match(lines[20_000] ?? '', /^Prints completed in \d+ ms\. Result: 7$/);
  });

  it('wants no database, and dispatches nothing', async () => {
    const told = await here.json<{ kind: string; result: unknown; dispatches: { type: string }[] }>(
      'try',
      'Again',
    );
    assert.deepEqual([told.kind, told.result, told.dispatches[0]?.type], ['completed', 0, 'Again']);
    assert.equal(existsSync(here.db), false);
  });

  it('sends a mail of its own each time, without a database', async () => {
    const ids = new Set<string>();
    for (let n = 0; n < 2; n++) {
      const { result } = await here.json<{ result: { messageId: string } }>('try', 'Mails');
      assert.match(result.messageId, /^<passito\.0\.1@[0-9a-f]{12}\.passito>$/);
      ids.add(result.messageId);
    }
    assert.equal(ids.size, 2);
    assert.equal(existsSync(here.db), false);
  });

  it('loads only the file that bears the name: others may be broken', async () => {
    assert.match(await here.ok('try', 'GenerateQrCode'), /Result: "mine"/);
    for (const [type, said] of [
      ['Throws', 'as it is loaded.'],
      ['Ends', 'it ended its thread while it was loaded (worker exited with code: 0).'],
      ['Torn', "line 3: Expected ',', got '}'."],
    ] as const) {
      const { code, stdout, stderr } = await here.run(['try', type]);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.ok(stderr.startsWith(`passito: ${here.path('jobs', type)}.`) && stderr.includes(said), stderr);
    }
    const { stderr } = await here.run(['try', 'Needs']);
    assert.match(
      stderr,
      /^passito: \S+Torn\.ts: line 3: /,
      'the file that is broken, not the one that needs it',
    );
  });

  it('looks into all files for a type that no file bears the name of', async () => {
    assert.match(await here.ok('try', 'Elsewhere', '--jobs', 'whole'), /Result: 5/);
    const { code, stderr } = await here.run(['try', 'Elsewher', '--jobs', 'whole']);
    assert.equal(code, 2);
    assert.match(stderr, /Throws\.js: as it is loaded/, 'it might be the one');
  });

  it('ends the program of a command job, at its timeout and by Ctrl+C', async () => {
    assert.equal((await failed('Deaf')).error.message, 'Timed out after 300ms.');
    await goes(pidIn('deaf.pid'));
    const tried = here.launch(['Stays'], 'try');
    while (!existsSync(here.path('stays.pid')) || pidIn('stays.pid') === 0) await sleep(5);
    tried.signal('SIGINT');
    assert.deepEqual(await tried.ended, { code: null, signal: 'SIGINT' });
    await goes(pidIn('stays.pid'));
  });

  function pidIn(name: string): number {
    return Number(readFileSync(here.path(name), 'utf8'));
  }

  /** Resolves once the process is gone, or waits only to be buried. */
  async function goes(pid: number): Promise<void> {
    for (const started = performance.now(); commandOf(pid) !== ''; await sleep(5)) {
      assert.ok(performance.now() - started < 3000, `process ${pid} is left behind`);
    }
  }

  function commandOf(pid: number): string {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  }
});

const LIMIT = `memoryLimit: '64mb',`;

const CONFIG = `const shell = (script: string) => ['/bin/sh', '-c', script];
export default {
  jobs: {
    MakesPipe: { command: ['mkfifo', 'pipe'] },
    Deaf: { command: shell('trap "" TERM; echo $$ > deaf.pid; while :; do sleep 0.1; done'), timeout: '300ms' },
    Stays: { command: shell('echo $$ > stays.pid; while :; do sleep 0.1; done') },
  },
};
`;
