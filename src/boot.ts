/**
 * The first code that runs in the executable, in the main thread and again in each thread. The bundles lie
 * inside the executable (`node:sea` assets) and on no disk, so this gives them what Node's loader cannot:
 * `require` among themselves, threads that start from a bundle, and `readFileSync` of the data files that
 * lie beside the bundles (`assets/`). Nothing here touches the disk, the home folder or the environment.
 */
import { EventEmitter } from 'node:events';
import * as fs from 'node:fs';
import { getAsset, getAssetKeys, getRawAsset } from 'node:sea';
import { fileURLToPath } from 'node:url';
import * as vm from 'node:vm';
import * as threads from 'node:worker_threads';

interface Bundle {
  exports: unknown;
  readonly id: string;
  readonly filename: string;
}

type Wrapper = (
  this: unknown,
  exports: unknown,
  require: unknown,
  module: Bundle,
  filename: string,
  dirname: string,
) => void;

/** Set by the line put before this file's text when a thread starts. */
declare const __PASSITO_THREAD__: string | undefined;

// A bundle is named as a file below the executable: stack traces stay readable, and since the executable is
// a file and no folder, no file on the disk can ever have such a name.
const folder = process.execPath;
const inside = `${folder}/`;
const names = new Set(getAssetKeys());
const loaded = new Map<string, Bundle>();

class Thread extends threads.Worker {
  constructor(file: string | URL, options: threads.WorkerOptions = {}) {
    try {
      if (typeof file !== 'string' || !file.startsWith(inside)) {
        super(file, options);
        return;
      }
      const entry = JSON.stringify(file.slice(inside.length));
      super(`const __PASSITO_THREAD__ = ${entry};\n${getAsset('boot.cjs', 'utf8')}`, {
        ...options,
        eval: true,
      });
    } catch (error) {
      return new Stillborn(error) as unknown as Thread;
    }
  }
}

/**
 * A thread that the system did not grant (TasksMax of the unit, ulimit -u). Node throws then, in the midst of Piscina's own
 * events, where nobody can catch it; so it dies as other threads do that fail at their start: a moment later.
 */
class Stillborn extends EventEmitter {
  readonly threadId = -1;
  readonly resourceLimits = {};

  constructor(error: unknown) {
    super();
    setImmediate(() => {
      this.emit('error', error);
      this.emit('exit', 1);
    });
  }

  ref(): void {}
  unref(): void {}
  postMessage(): void {}

  async terminate(): Promise<number> {
    return 1;
  }

  async getHeapStatistics(): Promise<never> {
    throw new Error('this thread never began');
  }
}

const readFileSync: typeof fs.readFileSync = ((
  path: fs.PathOrFileDescriptor,
  options?: object | BufferEncoding,
) => {
  const file = path instanceof URL ? fileURLToPath(path) : path;
  const isInside = typeof file === 'string' && file.startsWith(inside);
  if (!isInside) return fs.readFileSync(path, options as undefined);
  const bytes = Buffer.from(getAsset(file.slice(inside.length)));
  const encoding =
    typeof options === 'string' ? options : (options as { encoding?: BufferEncoding })?.encoding;
  return typeof encoding === 'string' ? bytes.toString(encoding) : bytes;
}) as typeof fs.readFileSync;

/** What the bundles see in place of Node's own; no other code does. */
const substitutes = new Map<string, object>([
  ['fs', { ...fs, readFileSync }],
  ['worker_threads', { ...threads, Worker: Thread }],
]);

function requireBundle(id: string): unknown {
  const own = substitutes.get(id.replace(/^node:/, ''));
  if (own !== undefined) return own;
  if (id.startsWith('./')) return load(id.slice(2));
  if (id.startsWith(inside)) return load(id.slice(inside.length));
  const builtin: unknown = process.getBuiltinModule(id);
  return builtin ?? missing(id);
}

function load(name: string): unknown {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  if (!names.has(name)) return missing(name);

  const filename = inside + name;
  const bundle: Bundle = { exports: {}, id: filename, filename };
  loaded.set(name, bundle);
  const wrapper = compile(name, filename).runInThisContext() as Wrapper;
  wrapper.call(bundle.exports, bundle.exports, requireBundle, bundle, filename, folder);
  return bundle.exports;
}

/** Each bundle is one function expression; V8 ignores a code cache that does not fit. */
function compile(name: string, filename: string): vm.Script {
  const cache = `${name}.cache`;
  return new vm.Script(getAsset(name, 'utf8'), {
    filename,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(names.has(cache) ? { cachedData: Buffer.from(getRawAsset(cache)) } : {}),
  });
}

function missing(id: string): never {
  throw Object.assign(new Error(`Cannot find module '${id}' in ${folder}`), { code: 'MODULE_NOT_FOUND' });
}

load(typeof __PASSITO_THREAD__ === 'undefined' ? 'main.cjs' : __PASSITO_THREAD__);
