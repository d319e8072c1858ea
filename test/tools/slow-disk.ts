/** A disk that flushes slowly or takes no writing, and a wall clock that jumps, for every process of a site: see slow-disk.c. */

import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Site } from './daemon.ts';

/** Why there is none, as tests are given it as `skip`; false where there is. */
export const noCompiler: false | string =
  spawnSync('cc', ['--version']).status === 0
    ? false
    : 'there is no C compiler (cc) for the layer below the disk';

export class SlowDisk {
  readonly #file: number;

  /** Lies below all that the site starts from now on. Does nothing until it is told to. */
  constructor(site: Site, after: (clean: () => void) => void) {
    const source = join(import.meta.dirname, 'slow-disk.c');
    const layer = site.path('slow-disk.so');
    const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-Wall', '-o', layer, source]);
    if (status !== 0) throw new Error(`slow-disk.c: ${String(stderr)}`);
    const orders = site.write('slow-disk', Buffer.alloc(24));
    this.#file = openSync(orders, 'r+');
    after(() => closeSync(this.#file));
    site.env['LD_PRELOAD'] = layer;
    site.env['SLOW_DISK'] = orders;
  }

  /** Sets the wall clock so many seconds off the machine's. */
  shift(seconds: number): void {
    this.#order(0, seconds);
  }

  /** A flush takes this long at most, in milliseconds, and a tenth of it at least; 0: as the disk does it. */
  slow(ms: number): void {
    this.#order(1, ms);
  }

  readOnly(on: boolean): void {
    this.#order(2, on ? 1 : 0);
  }

  #order(place: number, value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    writeSync(this.#file, bytes, 0, 8, 8 * place);
  }
}
