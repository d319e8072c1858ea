/**
 * The programs that handlers have started: they end with their thread where it is ended, or a cancelled job would
 * go on in them. A thread inside `execSync` cannot be ended before its program is.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { threadName } from './wire.ts';

const TASKS = '/proc/self/task';

export class Programs {
  /** Those of command jobs, by thread; each has a group of its own. */
  readonly #groups = new Map<number, Set<number>>();

  /** A command job's program has started, or ended. */
  note(threadId: number, pid: number, running: boolean): void {
    const pids = this.#groups.get(threadId) ?? new Set();
    this.#groups.set(threadId, pids);
    if (running) pids.add(pid);
    else pids.delete(pid);
  }

  /** Ends all programs of a thread. Of one that is dead already, those of command jobs: the others are the process's in /proc. */
  end(threadId: number): void {
    for (const pid of this.#groups.get(threadId) ?? []) kill(-pid);
    this.#groups.delete(threadId);
    for (const pid of attachedTo(threadId)) kill(pid);
  }

  endAll(threadIds: readonly number[]): void {
    for (const threadId of new Set([...this.#groups.keys(), ...threadIds])) this.end(threadId);
  }
}

/** What a thread has started, and they in turn: `execSync` waits for all that hold its pipes. */
function attachedTo(threadId: number): number[] {
  const task = list(TASKS).find((tid) => read(`${TASKS}/${tid}/comm`).trim() === threadName(threadId));
  return task === undefined ? [] : descendants(`${TASKS}/${task}`);
}

/** Without those that were set free: a program that leads a group was meant to outlive its job. */
function descendants(task: string): number[] {
  const children = (read(`${task}/children`).match(/\d+/g) ?? []).map(Number);
  return children.flatMap((pid) =>
    groupOf(pid) === pid
      ? []
      : [pid, ...list(`/proc/${pid}/task`).flatMap((tid) => descendants(`/proc/${pid}/task/${tid}`))],
  );
}

/** The process group; the name before it, in brackets, may hold anything. */
function groupOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')')).split(' ')[3]);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Gone meanwhile; or not Linux, or /proc is closed.
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // Gone meanwhile.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
