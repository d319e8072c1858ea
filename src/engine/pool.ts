/**
 * The Piscina adapter: all that passito knows of Piscina is in this file. A task is a chunk of jobs;
 * admission is the dispatcher's (Piscina has no resize call and needs none), and nothing is ever
 * queued inside the pool, where a task can be forgotten when threads die.
 */

import { randomUUID } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { type Arena, CODE, createArena, readOutcome, resetArena, stored } from './arena.ts';
import { Chunk, type ToldOutcome } from './chunk.ts';
import { PLAIN, readOutcomeText } from './outcome.ts';
import { Programs } from './programs.ts';
import { Services } from './services.ts';
import { ThreadMemories, type ThreadMemory } from './thread-memory.ts';
import { ThreadPorts } from './thread-ports.ts';
import { formatDuration } from './units.ts';
import type { CheckRequest, ChunkTask, Description, FromWorker, Task, WireJob, WorkerSetup } from './wire.ts';

/** An idle thread above the minimum ends after this time without work. */
const IDLE_MS = 5000;

/** A thread inside a call of the system dies when that returns; nobody waits longer than this, in milliseconds. */
const BURIAL_MS = 1000;

/** Where no thread could be started, the next is tried after this time, in milliseconds. */
const AGAIN_MS = 1000;

/** How the pool is made. */
export interface PoolOptions {
  /** The file that worker threads run. */
  entry: string;
  minThreads: number;
  /** The ceiling; the dispatcher keeps below it. */
  maxThreads: number;
  setup: WorkerSetup;
  /**
   * The largest memory limit of any type, in bytes. The watchdog enforces limits; the heap itself gets
   * ample room above, since V8 ends the whole process where a single allocation (a growing Map) does
   * not fit under the ceiling.
   */
  heapLimit: number;
}

/** What a handler has logged. */
export type LogLine = Omit<Extract<FromWorker, { kind: 'log' }>, 'kind' | 'size'>;

/** What the pool tells. */
export interface PoolListener {
  message(message: LogLine): void;
  /** A thread has died, or is not used again. */
  threadDied(threadId: number, error: unknown): void;
}

/** A pool of worker threads. */
export class Pool {
  readonly #piscina: Piscina;
  readonly #ports: ThreadPorts;
  readonly #chunks = new Map<number, Chunk>();
  readonly #programs = new Programs();
  readonly #memories = new ThreadMemories();
  /** Answers what handlers call. */
  readonly services = new Services();
  readonly #arenas: Arena[] = [];
  /** Told to end, and not dead yet. */
  readonly #doomed = new Map<Worker, Promise<void>>();
  readonly #listener: PoolListener;
  readonly heapLimit: number;
  readonly #ceiling: number;
  #lastChunk = 0;
  #again: NodeJS.Timeout | undefined;
  #loading: string | undefined;

  constructor(options: PoolOptions, listener: PoolListener) {
    this.#listener = listener;
    const secret = randomUUID();
    this.heapLimit = options.heapLimit;
    // One more than run jobs: a payload is checked at once also where all of those are busy.
    this.#ceiling = options.maxThreads + 1;
    this.#piscina = new Piscina({
      filename: options.entry,
      minThreads: Math.max(options.minThreads, 1),
      maxThreads: this.#ceiling,
      idleTimeout: IDLE_MS,
      // The default freezes an idle thread's event loop: what job A left behind then threw into job B.
      atomics: 'async',
      recordTiming: false,
      workerData: { ...options.setup, secret },
      // As it is now, also for threads that start later: a reload changes it. What handlers start bears the holder's name,
      // by which it is found when this process is gone without a word.
      env: {
        ...(process.env as Record<string, string>),
        PASSITO_HOLDER: options.setup.holder,
        PASSITO_GROUP: options.setup.group,
      },
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil((2 * options.heapLimit) / 1024 ** 2) + 512 },
    });
    this.#ports = new ThreadPorts(secret, (threadId, message) => this.#receive(threadId, message));
    this.#piscina.on('message', (message: unknown) => this.#ports.greet(message));
    this.#piscina.on('error', (error) => {
      listener.threadDied(0, error);
      if (this.threads.length === 0) this.#again ??= setTimeout(() => this.#startAgain(), AGAIN_MS).unref();
    });
  }

  /** Threads that there are now. */
  get threads(): Worker[] {
    return this.#piscina.threads;
  }

  /** Chunks under way. */
  get chunks(): IterableIterator<Chunk> {
    return this.#chunks.values();
  }

  get busy(): number {
    return this.#chunks.size;
  }

  /** Asks one thread what the job files define. A file that ends its thread, or takes longer than `timeout` ms, is named. */
  async describe(timeout: number): Promise<Description> {
    const task: Task = { kind: 'describe' };
    try {
      return (await this.#piscina.run(task, { signal: AbortSignal.timeout(timeout) })) as Description;
    } catch (error) {
      this.#ports.drainAll();
      const path = this.#loading;
      if (path === undefined) throw error;
      const late = error instanceof Error && error.name === 'AbortError';
      const message = late
        ? `it has not finished loading within ${formatDuration(timeout)}`
        : `it ended its thread while it was loaded (${error instanceof Error ? error.message : String(error)})`;
      return { types: [], helpers: [], problems: [{ path, message }] };
    }
  }

  /** Has payloads checked by what their types say, in a thread. Rejects where that takes longer than `timeout` ms. */
  check(requests: CheckRequest[], timeout: number): Promise<unknown> {
    const task: Task = { kind: 'check', requests };
    return this.#piscina.run(task, { signal: AbortSignal.timeout(timeout) });
  }

  /** Gives jobs to a worker. `done` is told once, with the outcomes not yet harvested, and why the thread died if it did. */
  start(
    jobs: WireJob[],
    sources: Record<string, string>,
    done: (chunk: Chunk, outcomes: ToldOutcome[], error: unknown) => void,
  ): Chunk {
    const chunk = new Chunk(++this.#lastChunk, jobs, this.#arenas.pop() ?? createArena());
    this.#chunks.set(chunk.number, chunk);
    // Where a thread dies while it starts, Piscina starts others up to its ceiling for what waits: no more than are of use.
    // One beyond the chunks for payloads that are checked, and one to spare.
    const useful = this.#chunks.size + this.#doomed.size + 2;
    this.#piscina.options.maxThreads = Math.min(this.#ceiling, useful);
    const task: ChunkTask = {
      kind: 'chunk',
      chunk: chunk.number,
      jobs,
      sources,
      arena: chunk.arena,
      base: chunk.base,
    };
    const ended = async (error: unknown) => {
      const { threadId } = chunk;
      await this.#ports.settled(threadId);
      this.#ports.drain(threadId);
      const outcomes = this.harvest(chunk);
      const whole = error === undefined && chunk.harvested >= chunk.end;
      if (whole && !chunk.tainted) {
        this.#chunks.delete(chunk.number);
        resetArena(chunk.arena);
        this.#arenas.push(chunk.arena);
        done(chunk, outcomes, undefined);
        return;
      }
      // Its arena is not used again: the thread may still run for a moment, and write.
      if (!isUnborn(error)) await this.#bury(threadId);
      this.#chunks.delete(chunk.number);
      done(chunk, outcomes, whole ? undefined : (error ?? new Error('null')));
    };
    // Piscina takes a thread that threw null for one that returned: its missing outcomes tell.
    this.#piscina.run(task, { signal: chunk.abort.signal }).then(() => ended(undefined), ended);
    return chunk;
  }

  /** Reads the outcomes that have come since the last call. */
  harvest(chunk: Chunk): ToldOutcome[] {
    const outcomes: ToldOutcome[] = [];
    const upTo = Math.min(stored(chunk.arena), chunk.jobs.length);
    for (; chunk.harvested < upTo; chunk.harvested++) {
      const index = chunk.harvested;
      const { code, text, microseconds } = readOutcome(chunk.arena, index);
      if (code === CODE.port && !chunk.elsewhere.has(index)) {
        this.#ports.drain(chunk.threadId);
        // Its port is still on its way here, by another road than the end of its first chunk.
        if (!chunk.elsewhere.has(index) && !this.#ports.isSettled(chunk.threadId)) break;
      }
      const told = code === CODE.port ? chunk.elsewhere.get(index) : text;
      const outcome = code === CODE.plain ? PLAIN : readOutcomeText(told);
      if (outcome === undefined) chunk.tainted = true;
      outcomes.push({ index, outcome, microseconds });
    }
    return outcomes;
  }

  /** Ends the thread that has the chunk, and the programs it started. `done` is told with an error, which bears the reason. */
  kill(chunk: Chunk, reason?: string): void {
    this.#programs.end(chunk.threadId);
    this.#ports.drain(chunk.threadId);
    const thread = this.threads.find(({ threadId }) => threadId === chunk.threadId);
    if (thread !== undefined) void this.#doom(thread);
    chunk.abort.abort(reason);
  }

  /** Tells the handler that runs as job `index` to give up. */
  abort(chunk: Chunk, index: number, reason: string): void {
    this.#ports.send(chunk.threadId, { kind: 'abort', chunk: chunk.number, index, reason });
  }

  /** Ends each thread as soon as it is idle: that closes all files that handlers have left open in it. */
  refresh(): void {
    for (const chunk of this.#chunks.values()) chunk.tainted = true;
    void this.#bury(0);
  }

  /** No thread is left, and the last could not be started: chunks wait inside Piscina, for whom only another task starts one. */
  #startAgain(): void {
    this.#again = undefined;
    if (this.#chunks.size > 0) this.check([], AGAIN_MS).catch(() => undefined);
  }

  /** The memory of a thread, whenever it answers; undefined where it is gone. Asked by one at a time. */
  async memory(threadId: number): Promise<ThreadMemory | undefined> {
    const thread = this.threads.find((one) => one.threadId === threadId);
    return thread === undefined ? undefined : this.#memories.of(thread);
  }

  /** The memory of each thread, as far as they answer soon. */
  memories(): Promise<{ threadId: number; memory: ThreadMemory | undefined }[]> {
    return Promise.all(
      this.threads.map(async (thread) => ({
        threadId: thread.threadId,
        memory: await this.#memories.soon(thread),
      })),
    );
  }

  /**
   * Ends every thread at once, and the programs that they started. Resolves with whether the threads are
   * gone: one inside a call of the system (a pipe that nobody opens) cannot be ended before that returns.
   */
  async destroy(): Promise<boolean> {
    clearTimeout(this.#again);
    this.#programs.endAll(this.threads.map(({ threadId }) => threadId));
    this.#ports.closeAll();
    const ends = [...this.threads, ...this.#doomed.keys()].map((thread) => this.#doom(thread));
    const gone = Promise.all([...ends, this.#piscina.destroy()]).then(() => true);
    return Promise.race([gone, wait(BURIAL_MS).then(() => false)]);
  }

  #receive(threadId: number, message: FromWorker): void {
    switch (message.kind) {
      case 'outcome':
        this.#chunks.get(message.chunk)?.elsewhere.set(message.index, message.text);
        return;
      case 'log': {
        const { kind: _kind, size: _size, ...line } = message;
        this.#listener.message(line);
        return;
      }
      case 'tainted':
        this.#taint(threadId);
        this.#listener.threadDied(threadId, `a handler has changed a built-in object: ${message.changed}`);
        return;
      case 'stray':
        this.#stray(threadId, message);
        return;
      case 'child':
        this.#programs.note(threadId, message.pid, message.running);
        return;
      case 'loading':
        this.#loading = message.path;
        return;
      case 'call':
        void this.services.answer(message).then((answer) => this.#ports.send(threadId, answer));
    }
  }

  /** What runs there may end, and no other job begins. */
  #taint(threadId: number): void {
    for (const chunk of this.#chunks.values()) if (chunk.threadId === threadId) chunk.tainted = true;
  }

  /** The thread may throw again at any moment. */
  #stray(threadId: number, { kind: _kind, error, ...job }: Extract<FromWorker, { kind: 'stray' }>): void {
    this.#taint(threadId);
    this.#listener.message({
      ...job,
      level: 'warn',
      message: 'what a job left behind threw after its end; its thread is not used again',
      fields: { error },
    });
  }

  /**
   * Forgets a thread, and ends it where it still lives: a handler has broken what calls the handlers. Number 0
   * stands for one that failed before it could say which it is: all that are idle go, but those that still start, or
   * what waits for them in Piscina would wait for ever. Resolves when they are dead, since Piscina would give them the
   * next chunk until then.
   */
  async #bury(threadId: number): Promise<void> {
    const busy = new Set([...this.#chunks.values()].map((chunk) => chunk.threadId));
    const doomed = this.threads.filter((thread) =>
      threadId === 0
        ? !busy.has(thread.threadId) && this.#ports.isSettled(thread.threadId)
        : thread.threadId === threadId,
    );
    this.#programs.end(threadId);
    const ends = doomed.map((thread) => this.#doom(thread));
    this.#ports.close(threadId);
    await Promise.race([Promise.all(ends), wait(BURIAL_MS)]);
  }

  /** Ends a thread, and remembers it until it is dead: Piscina forgets it at once. */
  #doom(thread: Worker): Promise<void> {
    const doom = this.#doomed.get(thread) ?? thread.terminate().then(() => void this.#doomed.delete(thread));
    this.#doomed.set(thread, doom);
    return doom;
  }
}

/** Whether the system granted no thread: then none has to go. */
function isUnborn(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_INIT_FAILED';
}

/** Resolves after `ms`. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
