/** What a handler is given beside its payload. Every part is made when it is first touched: most jobs touch none. */

import type {
  DependencyResult,
  HandlerContext,
  JobFiles,
  JobLog,
  MailMessage,
  MailReceipt,
  NestedDispatchOptions,
} from '../engine/handler.ts';
import type { NestedDispatch } from '../engine/job.ts';
import { isUniqueKey, NAME, optionProblems, storedOptions, UNIQUE_KEY } from '../engine/types.ts';
import { parseDuration } from '../engine/units.ts';
import type { WireJob } from '../engine/wire.ts';

/** The most that a payload (in bytes of JSON) or a result (in characters) may take. */
export const MAX_JSON = 10 * 1024 * 1024;

/** What a context needs of its thread. */
export interface ThreadServices {
  log(
    job: WireJob,
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields?: Record<string, unknown>,
  ): void;
  /** Calls something that lives in the main thread. */
  call(chunk: number, index: number, service: string, method: string, args: unknown[]): Promise<unknown>;
  mail(job: WireJob, key: string | number, message: MailMessage): Promise<MailReceipt>;
  files(job: WireJob): JobFiles;
}

/** A note is for a line of `passito jobs show`; longer ones are cut. Characters. */
const LONGEST_NOTE = 1000;

export class Context implements HandlerContext {
  readonly #job: WireJob;
  readonly #chunk: number;
  readonly #index: number;
  readonly #services: ThreadServices;
  #controller: AbortController | undefined;
  #abortReason: string | undefined;
  #files: JobFiles | undefined;
  #mails = 0;
  /** Jobs asked for so far; written when this job completes. */
  readonly dispatches: NestedDispatch[] = [];

  constructor(job: WireJob, chunk: number, index: number, services: ThreadServices) {
    this.#job = job;
    this.#chunk = chunk;
    this.#index = index;
    this.#services = services;
  }

  get id(): number {
    return this.#job.id;
  }

  get type(): string {
    return this.#job.type;
  }

  get attempt(): number {
    return this.#job.attempt;
  }

  get maxAttempts(): number {
    return this.#job.maxAttempts;
  }

  get dependencies(): readonly DependencyResult[] {
    return this.#job.dependencies;
  }

  get files(): JobFiles {
    return (this.#files ??= this.#services.files(this.#job));
  }

  get log(): JobLog {
    const at =
      (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: Record<string, unknown>) =>
        this.#services.log(this.#job, level, String(message), fields);
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(new Error(this.#abortReason));
    }
    return this.#controller.signal;
  }

  get progress(): HandlerContext['progress'] {
    return async (percent, note) => {
      if (typeof percent !== 'number' || !(percent >= 0 && percent <= 100)) {
        throw new TypeError('progress takes a number from 0 to 100, and a note if you like');
      }
      const value = JSON.stringify({
        percent,
        ...(note === undefined ? {} : { note: String(note).slice(0, LONGEST_NOTE) }),
      });
      await this.#services.call(this.#chunk, this.#index, 'job', 'progress', [value]);
    };
  }

  get mail(): HandlerContext['mail'] {
    return (message) => this.#services.mail(this.#job, mailKey(message.key) ?? ++this.#mails, message);
  }

  get dispatch(): HandlerContext['dispatch'] {
    return (type, payload, options) => {
      const ref = `d${this.dispatches.length}`;
      this.dispatches.push(nested(ref, type, payload, options ?? {}));
      return { ref };
    };
  }

  /** The office's records, for the built-in jobs: each method is a call to the main thread. */
  get office(): unknown {
    return new Proxy(
      {},
      {
        get: (_, method) =>
          typeof method === 'string' && method !== 'then'
            ? (...args: unknown[]) => this.#services.call(this.#chunk, this.#index, 'office', method, args)
            : undefined,
      },
    );
  }

  /** Tells the handler to give up. */
  abort(reason: string): void {
    this.#abortReason = reason;
    this.#controller?.abort(new Error(reason));
  }
}

function mailKey(key: unknown): string | undefined {
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[A-Za-z0-9-]{1,60}$/.test(key)) return key;
  throw new TypeError(
    `mail: the key cannot be ${JSON.stringify(key)}; it must be at most 60 letters, digits and hyphens`,
  );
}

function nested(ref: string, type: string, payload: unknown, options: NestedDispatchOptions): NestedDispatch {
  if (typeof type !== 'string' || !NAME.test(type)) {
    throw new TypeError(
      `dispatch: the type cannot be ${JSON.stringify(type)}; it must be at most 100 letters, digits and . _ : -`,
    );
  }
  const problems = optionProblems({ ...options });
  if (problems.length > 0) throw new TypeError(`dispatch ${type}: ${problems.join('; ')}`);
  const text = JSON.stringify(payload ?? {});
  if (text === undefined || Buffer.byteLength(text) > MAX_JSON) {
    throw new TypeError(`dispatch ${type}: the payload must be JSON of at most 10 MB`);
  }
  const uniqueKey = options.uniqueKey === undefined ? undefined : String(options.uniqueKey);
  if (uniqueKey !== undefined && !isUniqueKey(uniqueKey)) {
    throw new TypeError(`dispatch ${type}: the unique key must be ${UNIQUE_KEY}`);
  }
  const delay = options.delay === undefined ? undefined : parseDuration(options.delay);
  if (options.delay !== undefined && delay === undefined) {
    throw new TypeError(
      `dispatch ${type}: the delay cannot be ${JSON.stringify(options.delay)}; it must be a duration such as 5m`,
    );
  }
  const at = options.at?.getTime();
  if (at !== undefined && !(Math.abs(at) < 8.64e15)) {
    throw new TypeError(`dispatch ${type}: 'at' is no valid date`);
  }
  const kept = storedOptions(options);
  return {
    ref,
    type,
    payload: text,
    ...(delay === undefined ? {} : { delay }),
    ...(at === undefined ? {} : { at }),
    ...(options.priority === undefined ? {} : { priority: options.priority }),
    ...(options.queue === undefined ? {} : { queue: options.queue }),
    ...(options.maxAttempts === undefined ? {} : { maxAttempts: options.maxAttempts }),
    ...(uniqueKey === undefined ? {} : { uniqueKey }),
    ...(kept === null ? {} : { options: kept }),
    dependsOn: (options.dependsOn ?? []).map((parent) => (typeof parent === 'number' ? parent : parent.ref)),
  };
}
