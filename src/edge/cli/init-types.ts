/** The types of `import … from 'passito'` for an editor; a test checks them against the program's own. */

export const TYPES = `declare module 'passito' {
  export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
  /** Milliseconds, or text such as '90s', '5m', '2h', '30d'. */
  export type Duration = number | string;

  export interface JobOptions {
    /** Default 3. */
    maxAttempts?: number;
    /** Default { base: '10s', factor: 2, max: '1h' }. */
    backoff?: { base?: Duration; factor?: number; max?: Duration };
    /** Default '10m'; 0 means none. */
    timeout?: Duration;
    /** Default '256mb'. */
    memoryLimit?: number | string;
    /** 0 to 9, higher first. */
    priority?: number;
    queue?: string;
    /** How many jobs of the type may run at once. */
    concurrency?: number;
  }

  export interface DispatchRef {
    ref: string;
  }

  export interface HandlerContext {
    readonly id: number;
    readonly type: string;
    readonly attempt: number;
    readonly maxAttempts: number;
    readonly log: Record<'debug' | 'info' | 'warn' | 'error', (message: string, fields?: Record<string, unknown>) => void>;
    /** Aborts at the timeout and at a cancel; the thread is ended 2 s later. */
    readonly signal: AbortSignal;
    progress(percent: number, note?: string): Promise<void>;
    readonly dependencies: readonly { id: number; type: string; result: Json }[];
    /** Written in the transaction that completes this job, or not at all. */
    dispatch(
      type: string,
      payload?: unknown,
      options?: JobOptions & { delay?: Duration; at?: Date; uniqueKey?: string; dependsOn?: readonly (number | DispatchRef)[] },
    ): DispatchRef;
    mail(message: {
      to: string | readonly string[];
      subject: string;
      text: string;
      html?: string;
      attachments?: readonly { filename: string; path?: string; content?: Uint8Array; contentType?: string; cid?: string }[];
    }): Promise<{ messageId: string; via: 'smtp' | 'outbox'; response: string }>;
    readonly files: {
      readonly root: string;
      path(name: string): string;
      write(name: string, data: string | Uint8Array): Promise<string>;
      read(name: string): Promise<Uint8Array>;
    };
  }

  export interface JobDefinition<Payload> extends JobOptions {
    /** Default: the file's name. */
    type?: string;
    unique?: string | ((payload: Payload) => string);
    /** Any Standard Schema: zod, valibot, arktype. */
    schema?: { readonly '~standard': { readonly version: 1; readonly vendor: string; readonly validate: (value: unknown) => unknown } };
    redact?: readonly string[];
    override?: boolean;
    handle(payload: Payload, context: HandlerContext): unknown;
  }

  export function defineJob<Payload>(definition: JobDefinition<Payload>): JobDefinition<Payload>;
  /** Gives the job up: failed, and not tried again. */
  export function discard(reason: string): never;
  /** Tries again later without spending an attempt. The reason is shown while the job waits. */
  export function snooze(delay: Duration, reason?: string): never;

  export class JobPayloadBuilder {
    set(key: string, value: unknown): this;
    dependsOn(...ids: (number | readonly number[])[]): this;
  }
}
`;
