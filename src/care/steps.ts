/** What long work tells whoever waits for it, and how it is stopped. */

import { closeSync, fsyncSync, openSync } from 'node:fs';
import { errors } from '../errors.ts';

export interface Steps {
  /** What is done now. */
  say(text: string): void;
  /** A bar over so many bytes. */
  bar(total: number): { step(bytes: number): void; end(): void };
  /** Aborted where somebody wants it to stop; what was begun is then removed. */
  signal: AbortSignal;
  /** What is interrupted, in words. */
  what: string;
}

/** Ends the work where it was asked to. */
export function checked({ signal, what }: Steps): void {
  if (signal.aborted) throw errors.interrupted(what);
}

/** Does work that tells of every byte, and ends it at the next one where it was asked to. */
export async function withBar<T>(
  steps: Steps,
  total: number,
  work: (step: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  const bar = steps.bar(total);
  try {
    return await work((bytes) => {
      checked(steps);
      bar.step(bytes);
    });
  } finally {
    bar.end();
  }
}

/** A name survives a power cut only once its folder is on the disk. */
export const syncFolder = syncFile;

/** What was written survives a power cut from then on. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
