/** What handlers call that lives in the main thread: progress, the office's records. */

import type { FromWorker, ToWorker } from './wire.ts';

/** Answers a worker's call. */
export type Service = (chunk: number, index: number, method: string, args: unknown[]) => unknown;

export class Services {
  readonly #known = new Map<string, Service>();

  /** Answers the calls that workers make to `name`. */
  add(name: string, service: Service): void {
    this.#known.set(name, service);
  }

  /** What is sent back: the value, or why there is none. */
  async answer({
    call,
    chunk,
    index,
    service,
    method,
    args,
  }: Extract<FromWorker, { kind: 'call' }>): Promise<ToWorker> {
    try {
      const serve = this.#known.get(service);
      if (serve === undefined) throw new Error(`there is no service '${service}'`);
      return { kind: 'answer', call, value: await serve(chunk, index, method, args) };
    } catch (error) {
      return { kind: 'refusal', call, message: error instanceof Error ? error.message : String(error) };
    }
  }
}
