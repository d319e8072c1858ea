/**
 * What handlers print, written by their thread itself. Node hands it to the main thread, and keeps all but the first line
 * until that has answered: where the thread spins or is ended before, the rest is lost, and with it what its author looks for.
 */

import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';

/** Between two looks at a pipe that is full, in milliseconds. */
const FULL_MS = 5;

/** From here on `console` and `process.stdout` write at once, in this thread. */
export function printDirectly(): void {
  for (const [name, descriptor] of [
    ['stdout', 1],
    ['stderr', 2],
  ] as const) {
    const value = new Writable({
      write(chunk: Buffer, _encoding, done) {
        writeWhole(descriptor, chunk);
        done();
      },
    });
    Object.defineProperty(process, name, { value, configurable: true, enumerable: true });
  }
}

/** Waits where a slow reader has to catch up. A reader that has gone, or a full disk, is no fault of the handler's. */
function writeWhole(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_MS);
    }
  }
}
