/** A worker thread: its port to the main thread, its definitions, and the loop over a chunk of jobs. */

import { writeFileSync } from 'node:fs';
import { MessageChannel, type MessagePort, parentPort, threadId } from 'node:worker_threads';
import { WorkerSide } from '../engine/arena.ts';
import type { MailMessage, MailReceipt } from '../engine/handler.ts';
import {
  BUILT_IN,
  type CheckRequest,
  type ChunkTask,
  COMMAND,
  messageIdOf,
  threadName,
  type DescribedType,
  type Description,
  type FromWorker,
  type Hello,
  type Task,
  type ToWorker,
  type Verdict,
  type WireJob,
  type WorkerSetup,
} from '../engine/wire.ts';
import { attempt, describe, failed } from './attempt.ts';
import { Builtins } from './builtins.ts';
import { checkPayload } from './check.ts';
import { commandJob } from './command.ts';
import { Context, type ThreadServices } from './context.ts';
import { Environment } from './environment.ts';
import { jobFiles } from './files.ts';
import { installHooks, type LoadedJob, loadJobFile, problemOf } from './loader.ts';
import { printDirectly } from './prints.ts';
import { Strays } from './strays.ts';
import { ThreadLog } from './thread-log.ts';

// Taken now: a handler that patches globals must not break the jobs after it.
const ThisError = Error;
const { set } = Reflect;

/** Calls that may wait for the main thread. */
const MOST_CALLS = 256;

/** What the composition root hands to a thread. */
export interface ThreadParts {
  setup: WorkerSetup;
  /** Given back with the greeting. */
  secret: string;
  /** The built-in jobs, loaded when first wanted. */
  builtIns: () => Promise<LoadedJob[]>;
  sendMail: (message: MailMessage, messageId: string) => Promise<MailReceipt>;
}

/** Starts the thread's side and returns the function that Piscina calls with each task. */
export function startThread({
  setup,
  secret,
  builtIns,
  sendMail,
}: ThreadParts): (task: Task) => Promise<Description | Verdict[] | undefined> {
  nameThread(threadName(threadId));
  if (setup.prints === true) printDirectly();
  installHooks(setup.compiled);
  const unread = new Int32Array(new SharedArrayBuffer(4));
  const port = greet(secret, unread);
  const calls = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const definitions = new Map<string, LoadedJob>();
  let lastCall = 0;
  let current: { chunk: number; index: number; context: Context } | undefined;

  const send = (message: FromWorker) => port.postMessage(message);
  const builtins = new Builtins();
  const environment = new Environment();
  const log = new ThreadLog(unread, send);
  const strays = new Strays(({ id, type, attempt: number }, error) =>
    send({ kind: 'stray', id, type, attempt: number, error: describe(error).message }),
  );
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'abort') {
      if (current?.chunk === message.chunk && current.index === message.index) {
        current.context.abort(message.reason);
      }
      return;
    }
    const call = calls.get(message.call);
    calls.delete(message.call);
    if (message.kind === 'answer') call?.resolve(message.value);
    else call?.reject(new Error(message.message));
  });
  port.unref();

  const services: ThreadServices = {
    files: ({ id }) => jobFiles(setup.filesRoot, String(id)),
    log: (job, level, message, fields) => log.write(job, level, message, fields),
    call: (chunk, index, service, method, args) =>
      new Promise((resolve, reject) => {
        // A loop that reports progress is faster than the disk: what comes between is left out.
        if (service === 'job' && calls.size >= MOST_CALLS) return resolve(undefined);
        const call = ++lastCall;
        calls.set(call, { resolve, reject });
        send({ kind: 'call', call, chunk, index, service, method, args });
      }),
    mail: (job, key, message) => sendMail(message, messageIdOf(job.id, key, setup.databaseId)),
  };

  async function definition(type: string, source: string): Promise<LoadedJob> {
    const known = definitions.get(type);
    if (known !== undefined) return known;
    // What its file sets is to stay, and nothing else.
    environment.restore();
    const loaded = await load(type, source);
    definitions.set(type, loaded);
    builtins.accept();
    environment.accept();
    return loaded;
  }

  async function load(type: string, source: string): Promise<LoadedJob> {
    const command = setup.commands[type];
    if (source === COMMAND && command !== undefined) {
      return commandJob(type, command, (pid, running) => send({ kind: 'child', pid, running }));
    }
    const found =
      source === BUILT_IN ? (await builtIns()).find((job) => job.type === type) : await loadJobFile(source);
    if (found === undefined) throw new Error(`${source} does not define ${type} any more`);
    return found;
  }

  async function runChunk({ chunk, jobs, sources, arena, base }: ChunkTask): Promise<void> {
    const side = new WorkerSide(arena, base, threadId);
    // Before the first begins: loading a file must not count as a job's own time.
    for (const [type, source] of Object.entries(sources)) {
      if (!definitions.has(type)) await definition(type, source).catch(() => undefined);
    }
    for (let index = 0; index < jobs.length; index++) {
      const job = jobs[index] as WireJob;
      if (!side.begin(index)) break;
      const context = new Context(job, chunk, index, services);
      current = { chunk, index, context };
      strays.begin(context);
      const { prepareStackTrace } = ThisError;
      let outcome: string | undefined;
      try {
        const known = definitions.get(job.type) ?? (await definition(job.type, sources[job.type] ?? ''));
        const ended = attempt(known, job, context);
        outcome = typeof ended === 'object' ? await ended : ended;
      } catch (error) {
        // The file could be read when it was described, and no more.
        outcome = failed(describe(error));
      }
      // The next one's errors are not for this handler to tell.
      set(ThisError, 'prepareStackTrace', prepareStackTrace);
      log.flush(job);
      if (!side.store(index, outcome)) {
        send({ kind: 'outcome', chunk, index, text: outcome as string });
        side.storeElsewhere(index);
      }
    }
    current = undefined;
    strays.begin(undefined);
    environment.restore();
    const changed = builtins.changed();
    if (changed !== undefined) send({ kind: 'tainted', changed });
  }

  async function describeAll(): Promise<Description> {
    const types: DescribedType[] = [];
    const problems: Description['problems'] = [];
    const helpers: string[] = [];
    const add = (job: LoadedJob, source: string) => {
      const { handle: _handle, schema: _schema, unique: _unique, ...rest } = job;
      const checked = job.schema !== undefined || job.unique !== undefined;
      types.push({ ...(plain(rest) as Omit<LoadedJob, 'handle'>), source, checked });
    };
    if (setup.builtIns) for (const job of await builtIns()) add(job, BUILT_IN);
    for (const [type, command] of Object.entries(setup.commands)) {
      types.push({ ...(plain(command) as unknown as DescribedType), type, source: COMMAND });
    }
    for (const path of setup.jobFiles) {
      send({ kind: 'loading', path });
      try {
        const job = await loadJobFile(path);
        if (job === undefined) helpers.push(path);
        else add(job, path);
      } catch (error) {
        const problem = problemOf(error, path);
        // Several files may import the broken one.
        if (problems.every((one) => one.path !== problem.path)) problems.push(problem);
      }
    }
    environment.accept();
    return { types, problems, helpers };
  }

  async function checkAll(requests: readonly CheckRequest[]): Promise<Verdict[]> {
    const verdicts: Verdict[] = [];
    for (const { type, source, payload } of requests) {
      try {
        verdicts.push(await checkPayload(await definition(type, source), payload));
      } catch (error) {
        verdicts.push({ problem: describe(error).message });
      }
    }
    return verdicts;
  }

  return async (task) => {
    if (task.kind === 'describe') return describeAll();
    if (task.kind === 'check') return checkAll(task.requests);
    await runChunk(task);
    return undefined;
  };
}

/** Opens this thread's own port and sends the other end along: Piscina's is not ours to use. */
function greet(secret: string, unread: Int32Array<SharedArrayBuffer>): MessagePort {
  const { port1, port2 } = new MessageChannel();
  const hello: Hello = { secret, threadId, unread };
  parentPort?.postMessage({ ...hello, port: port2 }, [port2]);
  return port1;
}

function nameThread(name: string): void {
  try {
    writeFileSync('/proc/thread-self/comm', name);
  } catch {
    // Not Linux, or /proc is closed: a name is a kindness, no more.
  }
}

/** A copy that structured cloning can take: functions and symbols are left out. */
function plain(value: object): Record<string, unknown> {
  try {
    return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
