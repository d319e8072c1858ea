/**
 * What a handler sees: the words shared by the engine, the built-in jobs and the jobs that users write.
 * Types and tiny constructors only, so that a thread can load it for nothing.
 */

/** A value that survives JSON unchanged. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A duration: milliseconds, or text such as `90s`, `5m`, `2h`, `30d`, `250ms`. */
export type Duration = number | string;

/** How long a failed attempt waits: `base`, then `factor` times as long each time, never above `max`. */
export interface Backoff {
  base: Duration;
  factor: number;
  max: Duration;
}

/** What may be set for one job at dispatch, or for all jobs of a type in its definition. */
export interface JobOptions {
  /** Attempts before the job is failed; default 3. */
  maxAttempts?: number;
  /** Default `{ base: '10s', factor: 2, max: '1h' }`. */
  backoff?: Partial<Backoff>;
  /** Time for one attempt, from its start; default `10m`; 0 means none. */
  timeout?: Duration;
  /** Memory that the job's thread may hold, such as `256mb` (the default). */
  memoryLimit?: number | string;
  /** 0 to 9, higher first; default 0. */
  priority?: number;
  /** Default `default`. */
  queue?: string;
  /** How many jobs of the type may run at once, over all processes; default no limit. */
  concurrency?: number;
}

/** The part of the Standard Schema interface that passito uses (https://standardschema.dev). */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  };
}

/** What a Standard Schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly unknown[] | undefined;
      }[];
    };

/** What a handler may return, or promise: anything that JSON can hold, stored as the job's result. */
export type HandlerResult = unknown;

/** A job type: its name, how it is treated, and the code that does it. */
export interface JobDefinition<Payload = any, Context extends HandlerContext = HandlerContext> // oxlint-disable-line no-explicit-any -- a list of definitions of different payloads needs the bivariance
  extends JobOptions {
  /** The name under which the job is dispatched; default: the file's name. */
  type?: string;
  /** While a job with the same key waits or runs, a second dispatch returns the first one's id. */
  unique?: string | ((payload: Payload) => string);
  /** Checks the payload at dispatch where it can, and before the handler always. */
  schema?: StandardSchema<Payload>;
  /** Payload fields that are masked wherever the job is shown, and dropped when it completes. */
  redact?: readonly string[];
  /** Lets this definition take the place of a built-in type. */
  override?: boolean;
  /** Does the work. Throwing means: try again, as far as the attempts go. */
  handle(payload: Payload, context: Context): HandlerResult;
}

/** What a parent left for its child. */
export interface DependencyResult {
  id: number;
  type: string;
  /** The parent's result, or null where it returned none. */
  result: Json;
}

/** A job asked for from inside a handler; it exists once the handler's own job completes. */
export interface DispatchRef {
  ref: string;
}

/** Options of a dispatch from inside a handler. */
export interface NestedDispatchOptions extends JobOptions {
  delay?: Duration;
  at?: Date;
  uniqueKey?: string;
  /** Ids of jobs, or references to jobs dispatched by the same handler. */
  dependsOn?: readonly (number | DispatchRef)[];
}

/** One mail. Addresses are checked, header fields cannot carry line breaks. */
export interface MailMessage {
  to: string | readonly string[];
  subject: string;
  text: string;
  html?: string;
  /** Tells this mail from the job's others in its Message-ID (letters, digits, hyphens); its number unless told. */
  key?: string;
  /** Files must lie in the files folder; nothing is ever fetched. */
  attachments?: readonly MailAttachment[];
}

/** A file to send along: a path below the files folder, or the bytes themselves. */
export interface MailAttachment {
  filename: string;
  path?: string;
  content?: Uint8Array;
  contentType?: string;
  /** Names an inline picture: `<img src="cid:…">`. */
  cid?: string;
}

/** How a mail left: taken by a server, or written to the outbox because no SMTP server is configured. */
export interface MailReceipt {
  messageId: string;
  via: 'smtp' | 'outbox';
  /** The server's answer, or the path of the `.eml` file. */
  response: string;
}

/** The folder beside the database where handlers keep files; names are relative, never outside it. */
export interface JobFiles {
  /** Absolute path of the folder. */
  readonly root: string;
  /** The absolute path for a relative name. Throws where it would lie outside. */
  path(name: string): string;
  /** Writes a file whole or not at all (written beside, then renamed; 0600). Returns its absolute path. */
  write(name: string, data: string | Uint8Array): Promise<string>;
  /** Reads a file of the folder. */
  read(name: string): Promise<Buffer>;
  /** A file's size in bytes; undefined where there is none. Throws where a link leads there. */
  size(name: string): Promise<number | undefined>;
  /** Removes a file and returns its size; undefined where there was none. Never follows a link. */
  remove(name: string): Promise<number | undefined>;
}

/** Log lines that carry the job's id, type and attempt by themselves. */
export interface JobLog {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** What a handler is given beside its payload. */
export interface HandlerContext {
  readonly id: number;
  readonly type: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly log: JobLog;
  /** Aborts at the timeout and at a cancel; the thread is ended 2 s later. */
  readonly signal: AbortSignal;
  /** Stores how far the job is, at once; `passito jobs show` prints it. */
  progress(percent: number, note?: string): Promise<void>;
  /** The results of the jobs that this one depended on, in the order of its dispatch. */
  readonly dependencies: readonly DependencyResult[];
  /** Dispatches a job in the transaction that completes this one, or not at all. */
  dispatch(type: string, payload?: unknown, options?: NestedDispatchOptions): DispatchRef;
  mail(message: MailMessage): Promise<MailReceipt>;
  readonly files: JobFiles;
}

const DISCARD = 'PASSITO_DISCARD';
const SNOOZE = 'PASSITO_SNOOZE';

/** Thrown by {@link discard}: the job fails at once, whatever attempts are left. */
export class DiscardError extends Error {
  readonly code = DISCARD;
}

/** Thrown by {@link snooze}: the job goes back and is tried again later, without spending an attempt. */
export class SnoozeError extends Error {
  readonly code = SNOOZE;
  readonly delay: Duration;
  readonly reason: string | undefined;
  constructor(delay: Duration, reason?: string) {
    super(reason ?? `snoozed for ${delay}`);
    this.delay = delay;
    this.reason = reason;
  }
}

/** Gives the job up: it fails with this reason and is not tried again. */
export function discard(reason: string): never {
  throw new DiscardError(reason);
}

/** Puts the job back for a while without spending an attempt. The reason is kept as its last error until it completes. */
export function snooze(delay: Duration, reason?: string): never {
  throw new SnoozeError(delay, reason);
}

/** Whether something thrown came from {@link discard}, also across copies of this module. */
export function isDiscard(error: unknown): error is DiscardError {
  return error instanceof Error && 'code' in error && error.code === DISCARD;
}

/** Whether something thrown came from {@link snooze}, also across copies of this module. */
export function isSnooze(error: unknown): error is SnoozeError {
  return error instanceof Error && 'code' in error && error.code === SNOOZE;
}

/** Gives a job definition its types; returns it unchanged. */
export function defineJob<Payload>(definition: JobDefinition<Payload>): JobDefinition<Payload> {
  return definition;
}
