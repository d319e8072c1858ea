/** What travels between the main thread and its workers: plain data that structured cloning can copy. */

import type { Arena } from './arena.ts';
import type { DependencyResult, JobDefinition } from './handler.ts';

/** A job as a worker gets it; the payload is parsed there. */
export interface WireJob {
  id: number;
  type: string;
  payload: string;
  attempt: number;
  maxAttempts: number;
  dependencies: DependencyResult[];
}

/** One Piscina task. */
export interface ChunkTask {
  kind: 'chunk';
  chunk: number;
  jobs: WireJob[];
  /** Where each type of the chunk is defined: see {@link DescribedType.source}. */
  sources: Record<string, string>;
  arena: Arena;
  /** What `sharedClock` said when the arena was handed out. */
  base: number;
}

/** Asks a worker what the job files define; once, at start and at reload. */
export interface DescribeTask {
  kind: 'describe';
}

/** Asks a worker whether payloads fit their types, before they are dispatched; for each, a {@link Verdict}. */
export interface CheckTask {
  kind: 'check';
  requests: CheckRequest[];
}

/** A payload to be checked. `source`: see {@link DescribedType.source}. */
export interface CheckRequest {
  type: string;
  source: string;
  payload: string;
}

/** What a type says of a payload: what is wrong with it, or under which key the job is unique. */
export interface Verdict {
  problem?: string;
  uniqueKey?: string;
}

export type Task = ChunkTask | DescribeTask | CheckTask;

/** Sources that are no file. */
export const BUILT_IN = 'built in';
export const COMMAND = 'command';

/** A type as a worker found it. Durations and sizes are as written there. */
export interface DescribedType extends Omit<JobDefinition<unknown>, 'type' | 'handle' | 'schema' | 'unique'> {
  type: string;
  /** An absolute path, {@link BUILT_IN} or {@link COMMAND}. */
  source: string;
  /** Whether it has a word to say of payloads: a schema, or what makes them unique. */
  checked?: boolean;
}

/** What a worker answers to {@link DescribeTask}. */
export interface Description {
  types: DescribedType[];
  problems: { path: string; message: string }[];
  /** Files without a default export: they help others. */
  helpers: string[];
}

/** What a worker is told once, as its `workerData`. */
export interface WorkerSetup {
  jobFiles: string[];
  /** TypeScript already turned into JavaScript, by absolute path. */
  compiled: Map<string, string>;
  commands: Record<string, CommandJob>;
  filesRoot: string;
  /** Names this process in the environment of the programs that it starts. */
  holder: string;
  /** This process's own group, in which its programs begin. */
  group: string;
  /** Whether the jobs of the gate-pass office are offered. */
  builtIns: boolean;
  /** Settings of the mailer, which only it reads. */
  mail: unknown;
  /** Makes Message-IDs unique to this database. */
  databaseId: string;
  /** Whether what handlers print is written by their thread itself: somebody watches. */
  prints?: boolean;
}

/** A thread's `workerData`. It takes the secret out before a handler can see it. */
export interface ThreadData extends WorkerSetup {
  /** Tells the greeting of passito's own code from whatever a handler may post. */
  secret?: string;
}

/** A job that is a program. */
export interface CommandJob extends Omit<DescribedType, 'type' | 'source'> {
  command: string[];
}

/** A mail's Message-ID: the same at every attempt of its job, and no other mail's. */
export function messageIdOf(jobId: number, key: string | number, databaseId: string): string {
  return `passito.${jobId}.${key}@${databaseId}.passito`;
}

/** What a worker's thread is called in `ps -T` and `top -H`; Linux keeps 15 characters. */
export function threadName(threadId: number): string {
  return `passito-w${threadId}`;
}

/** The first message of a worker's thread: its own port, open from then on. */
export interface Hello {
  secret: string;
  threadId: number;
  /** Shared: how much the thread has logged that is not read yet, in characters. */
  unread: Int32Array<SharedArrayBuffer>;
}

/** From a worker, through its port. */
export type FromWorker =
  | { kind: 'outcome'; chunk: number; index: number; text: string }
  | {
      kind: 'log';
      id: number;
      type: string;
      attempt: number;
      level: 'debug' | 'info' | 'warn' | 'error';
      message: string;
      fields?: Record<string, unknown>;
      /** What it counts in {@link Hello.unread}. */
      size: number;
    }
  /** A handler of the chunk has changed this built-in object. */
  | { kind: 'tainted'; changed: string }
  /** What a job left behind has thrown while another ran. */
  | { kind: 'stray'; id: number; type: string; attempt: number; error: string }
  | {
      kind: 'call';
      call: number;
      chunk: number;
      index: number;
      service: string;
      method: string;
      args: unknown[];
    }
  | { kind: 'child'; pid: number; running: boolean }
  /** This job file is being loaded; the last one told is the one that a thread died of. */
  | { kind: 'loading'; path: string };

/** To a worker, through its port. */
export type ToWorker =
  | { kind: 'answer'; call: number; value: unknown }
  | { kind: 'refusal'; call: number; message: string }
  | { kind: 'abort'; chunk: number; index: number; reason: string };
