/** The parent's side of client.ts. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Ask, Tell } from './client.ts';
import type { Kind, Mode } from './systems/peer.ts';

/** How long a stop may take before the process is ended. */
const PATIENCE_MS = 5000;

export class Child {
  readonly #process: ChildProcess;
  /** The moment at which its first job began; 0 before. */
  first = 0;
  /** How many jobs it has begun. */
  ran = 0;

  private constructor(args: string[]) {
    this.#process = fork(join(import.meta.dirname, 'client.ts'), args, {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#process.on('message', (message: Tell) => {
      if (message.tell === 'ran') ({ first: this.first, count: this.ran } = message);
    });
  }

  static async work(system: string, where: string, kind: Kind, mode: Mode): Promise<Child> {
    return Child.#start([system, where, 'work', kind, mode]);
  }

  static async feed(system: string, where: string, kind: Kind): Promise<Child> {
    return Child.#start([system, where, 'feed', kind]);
  }

  static async #start(args: string[]): Promise<Child> {
    const child = new Child(args);
    await child.#next('ready');
    return child;
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  /** Asks, and resolves with the answer of that name. */
  async ask<K extends Tell['tell']>(question: Ask, answer: K): Promise<Extract<Tell, { tell: K }>> {
    const said = this.#next(answer);
    this.tell(question);
    return said;
  }

  tell(word: Ask): void {
    this.#process.send(word);
  }

  async end(): Promise<void> {
    const ended = once(this.#process, 'exit');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE_MS);
    this.tell({ ask: 'end' });
    await ended;
    clearTimeout(timer);
  }

  #next<K extends Tell['tell']>(wanted: K): Promise<Extract<Tell, { tell: K }>> {
    return new Promise((resolve, reject) => {
      const exited = (code: number | null) => reject(new Error(`a client ended with ${code}`));
      const listen = (message: Tell) => {
        if (message.tell !== wanted) return;
        this.#process.off('message', listen);
        this.#process.off('exit', exited);
        resolve(message as Extract<Tell, { tell: K }>);
      };
      this.#process.on('message', listen);
      this.#process.on('exit', exited);
    });
  }
}
