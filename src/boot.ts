/**
 * The first code that runs in the executable, in the main thread and again in each thread. The bundles lie
 * inside the executable (`node:sea` assets) and on no disk, so this gives them what Node's loader cannot:
 * `require` among themselves, and threads that start from a bundle. Nothing here touches the file system,
 * the home folder or the environment.
 */
import { getAsset, getAssetKeys, getRawAsset } from 'node:sea';
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
    if (typeof file !== 'string' || !file.startsWith(inside)) {
      super(file, options);
      return;
    }
    const entry = JSON.stringify(file.slice(inside.length));
    super(`const __PASSITO_THREAD__ = ${entry};\n${getAsset('boot.cjs', 'utf8')}`, {
      ...options,
      eval: true,
    });
  }
}

function requireBundle(id: string): unknown {
  if (id === 'node:worker_threads' || id === 'worker_threads') return { ...threads, Worker: Thread };
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
