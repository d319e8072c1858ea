/**
 * The ports between the main thread and its workers. A thread opens its own and posts one end with a greeting, which
 * comes by another road than the end of the thread's first chunk: either may be first.
 */

import { MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { FromWorker, Hello, ToWorker } from './wire.ts';

/** A thread's greeting comes no later than this behind the end of its first chunk, in milliseconds. */
const GREETING_MS = 1000;

export class ThreadPorts {
  readonly #secret: string;
  readonly #receive: (threadId: number, message: FromWorker) => void;
  readonly #ports = new Map<number, MessagePort>();
  /** By how much each thread's log is ahead of what was read here. */
  readonly #unread = new Map<number, Int32Array>();
  /** Threads that have greeted, or will not any more. Outlives the port: it may close before the thread's end is told. */
  readonly #settled = new Set<number>();
  readonly #awaited = new Map<number, () => void>();

  /** Threads know the secret; handlers, which can post where threads greet, do not. */
  constructor(secret: string, receive: (threadId: number, message: FromWorker) => void) {
    this.#secret = secret;
    this.#receive = receive;
  }

  /** Takes a greeting; whatever else was posted is none of ours. */
  greet(message: unknown): void {
    if (!isHello(message, this.#secret) || this.#ports.has(message.threadId)) return;
    const { threadId, port, unread } = message;
    this.#ports.set(threadId, port);
    this.#settled.add(threadId);
    this.#awaited.get(threadId)?.();
    this.#unread.set(threadId, unread);
    port.on('message', (told: FromWorker) => this.#read(threadId, told));
    port.on('close', () => {
      this.#ports.delete(threadId);
      this.#unread.delete(threadId);
    });
    port.unref();
  }

  /** Whether what the thread posted can be had: then what is missing is missing. */
  isSettled(threadId: number): boolean {
    return this.#settled.has(threadId);
  }

  /** Resolves once a thread has greeted, or will not. No thread has the number 0. */
  async settled(threadId: number): Promise<void> {
    if (threadId === 0 || this.#settled.has(threadId)) return;
    await new Promise<void>((resolve) => {
      this.#awaited.set(threadId, resolve);
      setTimeout(resolve, GREETING_MS).unref();
    });
    this.#awaited.delete(threadId);
    this.#settled.add(threadId);
  }

  send(threadId: number, message: ToWorker): void {
    this.#ports.get(threadId)?.postMessage(message);
  }

  /** Receives what was posted and is not delivered yet. */
  drain(threadId: number): void {
    const port = this.#ports.get(threadId);
    if (port === undefined) return;
    for (let entry = receiveMessageOnPort(port); entry !== undefined; entry = receiveMessageOnPort(port)) {
      this.#read(threadId, entry.message as FromWorker);
    }
  }

  #read(threadId: number, message: FromWorker): void {
    const unread = this.#unread.get(threadId);
    if (message.kind === 'log' && unread !== undefined) Atomics.sub(unread, 0, message.size);
    this.#receive(threadId, message);
  }

  drainAll(): void {
    for (const threadId of this.#ports.keys()) this.drain(threadId);
  }

  /** Forgets a thread that has no chunk any more. */
  close(threadId: number): void {
    this.#ports.get(threadId)?.close();
    this.#ports.delete(threadId);
    this.#unread.delete(threadId);
    this.#settled.delete(threadId);
  }

  closeAll(): void {
    for (const threadId of this.#ports.keys()) this.close(threadId);
  }
}

function isHello(message: unknown, secret: string): message is Hello & { port: MessagePort } {
  return (
    typeof message === 'object' &&
    message !== null &&
    'secret' in message &&
    message.secret === secret &&
    'port' in message &&
    message.port instanceof MessagePort
  );
}
