/**
 * What a job leaves behind (a timer, a promise nobody awaits) may throw, or end the thread, when the job has long ended and
 * another runs there. Whose it is is known by the asynchronous context: the other job goes on.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from './context.ts';

export class Strays {
  readonly #owner = new AsyncLocalStorage<Context | undefined>();
  readonly #tell: (from: Context, error: unknown) => void;
  #running: Context | undefined;
  readonly #told = new WeakSet<Context>();

  /** `tell` hears once of a job's strays. */
  constructor(tell: (from: Context, error: unknown) => void) {
    this.#tell = tell;
    // Thrown on, it ends the thread: what runs there, or the thread itself, is at fault.
    process.on('uncaughtException', (error: unknown) => {
      if (!this.#isStray(() => error)) throw error;
    });
    const exit = process.exit.bind(process);
    process.exit = (code) => {
      const error = () => new Error(`process.exit(${code ?? ''})`);
      if (this.#isStray(error)) throw error();
      return exit(code);
    };
  }

  /** All that is begun from here on is this job's; without one, the thread's own. */
  begin(context: Context | undefined): void {
    this.#running = context;
    this.#owner.enterWith(context);
  }

  /** Where nothing runs, nobody is hurt if the thread ends. */
  #isStray(error: () => unknown): boolean {
    const owner = this.#owner.getStore();
    if (owner === undefined || this.#running === undefined || owner === this.#running) return false;
    // A timer may throw over and over.
    if (!this.#told.has(owner)) this.#tell(owner, error());
    this.#told.add(owner);
    return true;
  }
}
