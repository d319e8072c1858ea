/** Handlers that do their worst, for the quick test and the long run: what each does, and how it must end. */

/** One handler: its body as {@link Site.job} takes it. */
export interface Hell {
  name: string;
  body: string;
  /** Keys of its definition; one attempt, and 30 s, unless told. */
  options?: string;
  /** Of its error; a handler without one completes. */
  error?: RegExp;
  /** It may as well complete: its thread dies at its end or before. */
  either?: boolean;
}

const SHORT = `timeout: '200ms',`;
const TIMED_OUT = /^Timed out after 200ms\.$/;
const LATER = (what: string) => `setTimeout(() => { ${what} }, 30); return 1;`;
const THROWN_SOON = (what: string) => `setTimeout(() => { throw ${what}; }, 5); await sleep(5000);`;
const ALL_BUILTINS = `[Array, String, Object, Map, Set, Function, Promise, RegExp].map((one) => one.prototype as any)`;

const UNTOLD = /cannot be shown|ended its thread|Threw outside|cannot be read/;

/** Cost nobody much. */
export const LIGHT: readonly Hell[] = [
  // Ends.
  { name: 'Exit', body: `process.exit(3);`, error: /process\.exit\(3\)/ },
  { name: 'ReallyExit', body: `(process as any).reallyExit(4);`, error: /process\.exit\(4\)/ },
  { name: 'Abort', body: `process.abort();`, error: /not supported in workers/ },
  { name: 'Overflow', body: `const f = (): number => f() + 1; f();`, error: /Maximum call stack/ },
  {
    name: 'OverflowLater',
    body: `const f = async (): Promise<number> => (await f()) + 1; await f();`,
    error: /Maximum call stack/,
  },
  { name: 'Chdir', body: `process.chdir('/');`, error: /not supported in workers/ },
  { name: 'Umask', body: `process.umask(0o777);`, error: /not supported in workers/ },
  { name: 'EmitTerm', body: `process.emit('SIGTERM'); return 1;` },

  // Does not end.
  { name: 'Spin', body: `while (true) {}`, options: SHORT, error: TIMED_OUT },
  { name: 'Never', body: `await new Promise(() => {});`, options: SHORT, error: TIMED_OUT },
  {
    name: 'ThenLoops',
    body: `const t: any = { then(next: any) { setImmediate(next, t); } }; return t;`,
    options: SHORT,
    error: TIMED_OUT,
  },
  {
    name: 'GetterLoops',
    body: `return { get a() { while (true) {} } };`,
    options: SHORT,
    error: TIMED_OUT,
  },
  { name: 'ToJsonLoops', body: `return { toJSON() { while (true) {} } };`, options: SHORT, error: TIMED_OUT },
  {
    name: 'MessageLoops',
    body: `throw Object.defineProperty(new Error(), 'message', { get() { while (true) {} } });`,
    options: SHORT,
    error: TIMED_OUT,
  },
  {
    name: 'Shell',
    body: `(await import('node:child_process')).execSync('sleep 97');`,
    options: SHORT,
    error: TIMED_OUT,
  },
  {
    name: 'ChildAtCancel',
    body: `(await import('node:child_process')).spawn('sleep', ['97']); await sleep(60_000);`,
    options: SHORT,
    error: TIMED_OUT,
  },
  {
    name: 'GrowsInItsGrace',
    body: `const all: any[] = []; for (;;) all.push(new Array(1000).fill(Math.random()));`,
    options: `timeout: '20ms', memoryLimit: '64mb',`,
    error: /^Timed out after 20ms\.$|of memory; its limit is 64 MB/,
  },

  // Results.
  { name: 'Function', body: `return () => 1;` },
  { name: 'Symbol', body: `return Symbol('x');` },
  { name: 'LoneSurrogate', body: `return '\\ud800' + '\\u0000';` },
  { name: 'BigInt', body: `return 5n;`, error: /^Its result cannot be stored as JSON: .*BigInt/ },
  {
    name: 'Cycle',
    body: `const a: any = {}; a.a = a; return a;`,
    error: /cannot be stored as JSON: .*circular/,
  },
  {
    name: 'ProxyThrows',
    body: `return new Proxy({}, { ownKeys() { throw new Error('trap'); } });`,
    error: /cannot be stored as JSON: trap/,
  },
  {
    name: 'GetterThrows',
    body: `return { get a() { throw new Error('getter'); } };`,
    error: /cannot be stored as JSON: getter/,
  },
  {
    name: 'ToJsonThrows',
    body: `return { toJSON() { throw { toString() { throw 1; } }; } };`,
    error: /^The handler threw 1$/,
  },
  {
    name: 'ToJsonThrowsMuch',
    body: `return { toJSON() { throw new Error('y'.repeat(1e7)); } };`,
    error: /^Its result cannot be stored as JSON: y{3900,}$/,
  },
  {
    name: 'Deep',
    body: `let v: any = 0; for (let i = 0; i < 1e5; i++) v = [v]; return v;`,
    error: /cannot be stored as JSON: Maximum call stack/,
  },
  {
    name: 'AboveTheLimit',
    body: `return 'x'.repeat(10 * 1024 * 1024 - 1);`,
    error: /at most 10 MB are kept/,
  },
  { name: 'AtTheLimit', body: `return '\\u00e9'.repeat(10 * 1024 * 1024 - 2);` },

  // Errors.
  { name: 'ThrowsNull', body: `throw null;`, error: /^The handler threw null$/ },
  { name: 'RejectsNothing', body: `return Promise.reject();`, error: /^The handler threw undefined$/ },
  { name: 'ThrowsMuch', body: `throw 'm'.repeat(1e7);`, error: /^The handler threw m{3900,}$/ },
  {
    name: 'LongStack',
    body: `throw Object.assign(new Error('x'), { stack: 'line\\n'.repeat(1e6) });`,
    error: /^x$/,
  },
  {
    name: 'HostileError',
    body: `const e = new Error(); for (const key of ['stack', 'message', 'cause', 'name'])
      Object.defineProperty(e, key, { get() { throw new Error(key); } }); throw e;`,
    error: /cannot be shown/,
  },
  { name: 'CauseOfItself', body: `const e = new Error('x'); e.cause = e; throw e;`, error: /^x$/ },
  {
    name: 'UncaughtMuch',
    body: THROWN_SOON(`new Error('m'.repeat(1e7))`),
    error: /^Threw outside .*m{3900,}$/,
  },
  {
    name: 'UncaughtSymbol',
    body: THROWN_SOON(`Symbol('q')`),
    error: /Threw outside its promise: Symbol\(q\)/,
  },
  { name: 'UncaughtFunction', body: THROWN_SOON(`() => 1`), error: /Threw outside its promise/ },
  { name: 'SnoozeMuch', body: `throw snooze('z'.repeat(1e6));`, error: /^snooze cannot wait for "z{3900,}$/ },

  // Leaves something behind.
  { name: 'Timers', body: `for (let i = 0; i < 50; i++) setInterval(() => {}, 1); return 1;` },
  { name: 'ThrowsLater', body: LATER(`throw new Error('left behind');`) },
  { name: 'RejectsLater', body: LATER(`Promise.reject(new Error('left behind'));`) },
  { name: 'ExitsLater', body: LATER(`process.exit(9);`) },
  {
    name: 'ThrowsForEver',
    body: `setInterval(() => { throw new Error('left behind'); }, 1); return 1;`,
  },
  {
    name: 'Threads',
    body: `const { Worker } = await import('node:worker_threads');
      for (let i = 0; i < 3; i++) new Worker('setInterval(() => {}, 1000)', { eval: true }); await sleep(50); return 1;`,
  },

  // Spoils what it shares with others.
  {
    name: 'Globals',
    body: `const g: any = globalThis; for (const key of ['JSON', 'Promise', 'structuredClone', 'console', 'Atomics',
      'Array', 'Object', 'Error', 'process', 'setTimeout', 'Buffer', 'Symbol']) g[key] = null; return 1;`,
    either: true,
    error: UNTOLD,
  },
  {
    name: 'Prototypes',
    body: `for (const one of ${ALL_BUILTINS}) for (const key of Reflect.ownKeys(one))
      try { if (key !== 'constructor') one[key] = null; } catch {} return 1;`,
    either: true,
    error: UNTOLD,
  },
  { name: 'Patches', body: `JSON.parse = JSON.stringify = Promise.prototype.then = null as any; return 1;` },
  { name: 'Stacks', body: `(Error as any).prepareStackTrace = () => { while (true) {} }; return 1;` },
  {
    name: 'Freezes',
    body: `[Object, Array, Promise].forEach((one) => Object.freeze(one.prototype)); return 1;`,
  },

  // Talks too much.
  { name: 'Stdout', body: `for (let i = 0; i < 5000; i++) console.log('x'.repeat(1000)); return 1;` },
  { name: 'Log', body: `for (let i = 0; i < 50_000; i++) context.log.info('L'.repeat(1000)); return 1;` },
  {
    name: 'LogMuch',
    body: `context.log.info('L'.repeat(1e7), { field: 'F'.repeat(1e7) }); return 1;`,
  },
  { name: 'Progress', body: `for (let i = 0; i < 50_000; i++) void context.progress(i % 100); return 1;` },
];

const TOO_MUCH =
  /of memory; its limit is 256 MB|cannot be stored as JSON: Invalid (array|string) length|at most 10 MB/;

/** Take a gigabyte, and run one by one. */
export const HEAVY: readonly Hell[] = [
  { name: 'String', body: `return 'x'.repeat(5e8);`, error: TOO_MUCH },
  { name: 'Buffer', body: `return Buffer.alloc(1e9, 1);`, error: TOO_MUCH },
  { name: 'TypedArray', body: `return new Uint8Array(2e8).fill(7);`, error: TOO_MUCH },
  { name: 'List', body: `return Array.from({ length: 2e7 }, (_, i) => i);`, error: TOO_MUCH },
  {
    name: 'Nested',
    body: `let v: any = 0; for (let i = 0; i < 3e6; i++) v = { v }; return v;`,
    error: /Maximum call stack|of memory/,
  },
  { name: 'Error', body: `throw new Error('m'.repeat(1e8));`, error: /^m{4000}$|of memory/ },
  {
    name: 'Dispatches',
    body: `for (let i = 0; i < 100; i++) context.dispatch('Good', { x: 'p'.repeat(9e6) }); return 1;`,
    error: /of memory|Invalid string length/,
  },
];

/** End the whole process: a crash of theirs, and their neighbours' attempt is given back. */
export const DEADLY: readonly Hell[] = [
  {
    name: 'ClosesDescriptors',
    body: `const fs = await import('node:fs'); for (let i = 0; i <= 20; i++) try { fs.closeSync(i); } catch {}
      await sleep(60_000);`,
  },
  { name: 'Kills', body: `process.kill(process.pid, 'SIGKILL'); await sleep(60_000);` },
];
