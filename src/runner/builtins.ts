/**
 * Whether a handler has changed the built-in objects that all code of its thread shares, `JSON.parse` or the prototype of
 * promises: the jobs after it, and what calls them, would work with its version. Job files may, while they are loaded.
 * `process` is left out: well-known libraries put their own `cwd` and `emit` there when they are first needed.
 */

// Taken now, as all that is used below.
const { getOwnPropertyDescriptor, is } = Object;
const { ownKeys } = Reflect;

/** What is looked at: 700 functions, in 15 µs. */
const WATCHED: readonly [name: string, owner: object][] = [
  ['Object', Object],
  ['Array', Array],
  ['Promise', Promise],
  ['JSON', JSON],
  ['Math', Math],
  ['console', console],
  ['Reflect', Reflect],
  ['Atomics', Atomics],
  ['Symbol', Symbol],
  ['Number', Number],
  ['String', String],
  ['Object.prototype', Object.prototype],
  ['Function.prototype', Function.prototype],
  ['Array.prototype', Array.prototype],
  ['Promise.prototype', Promise.prototype],
  ['Map.prototype', Map.prototype],
  ['Set.prototype', Set.prototype],
  ['WeakMap.prototype', WeakMap.prototype],
  ['String.prototype', String.prototype],
  ['Number.prototype', Number.prototype],
  ['RegExp.prototype', RegExp.prototype],
  ['Error.prototype', Error.prototype],
  ['Date', Date],
  ['Date.prototype', Date.prototype],
  ['Buffer', Buffer],
  ['Buffer.prototype', Buffer.prototype],
  ['typed arrays', Reflect.getPrototypeOf(Uint8Array.prototype) as object],
  ['iterators of arrays', Reflect.getPrototypeOf([][Symbol.iterator]()) as object],
  ['BigInt.prototype', BigInt.prototype],
  ['globalThis', globalThis],
];

/** What is looked at of the global object: to look at its other properties loads what they stand for, 4 MB a thread (`fetch`). */
const GLOBALS =
  'Object Function Array Promise Map Set WeakMap Symbol Error Date RegExp Number String Boolean BigInt Math JSON Reflect Proxy Atomics ArrayBuffer SharedArrayBuffer Int32Array Uint8Array setTimeout clearTimeout setInterval clearInterval setImmediate queueMicrotask console'.split(
    ' ',
  );

interface Known {
  name: string;
  owner: Record<PropertyKey, unknown>;
  key: PropertyKey;
  value: unknown;
}

export class Builtins {
  #known: Known[] = [];
  #keysOfAll = 0;

  constructor() {
    this.accept();
  }

  /** All is right as it is now. */
  accept(): void {
    this.#known = [];
    for (const [name, owner] of WATCHED) {
      for (const key of owner === globalThis ? GLOBALS : ownKeys(owner)) {
        const value: unknown = getOwnPropertyDescriptor(owner, key)?.value;
        if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) continue;
        this.#known.push({ name, owner: owner as Known['owner'], key, value });
      }
    }
    this.#keysOfAll = keysOfAll();
  }

  /** The name of something that was changed; undefined where nothing was. Uses nothing that may have been. */
  changed(): string | undefined {
    for (let i = 0; i < this.#known.length; i++) {
      const { name, owner, key, value } = this.#known[i] as Known;
      if (!is(owner[key], value)) return `${name}.${typeof key === 'symbol' ? 'of a symbol' : key}`;
    }
    return keysOfAll() === this.#keysOfAll ? undefined : 'Object.prototype';
  }
}

/** What every object, and every list, seems to have. */
function keysOfAll(): number {
  return ownKeys(objects).length + ownKeys(arrays).length;
}

const objects = Object.prototype;
const arrays = Array.prototype;
