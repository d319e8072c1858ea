/** Well-behaved jobs beside the others, and what a process has of threads, programs and descriptors. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { Site } from '../tools/daemon.ts';
import type { Hell } from './hell.ts';

/** Writes the files of such handlers, and of their neighbours: short ones, slow ones, and one that uses what others spoil. */
export function jobFiles(site: Site, hell: readonly Hell[]): void {
  const note = 'appendFileSync(ledger, `${context.id}\\n`);';
  site.job('Good', `${note} return 'good';`);
  site.job('Slow', `await sleep(60); ${note} return 'slow';`);
  site.job(
    'Picky',
    `await Promise.all([1, 2].map((n) => sleep(n))); ${note} return JSON.parse(JSON.stringify({ ...payload, at: [...'abc'] }));`,
  );
  for (const { name, body, options } of hell) {
    // It takes a moment, so that it is never one of many in a chunk: those share more than a thread.
    site.job(name, `await sleep(3); ${body}`, `maxAttempts: 1, ${options ?? "timeout: '30s',"}`);
  }
}

export class Neighbours {
  readonly #site: Site;
  readonly #ids: number[] = [];

  constructor(site: Site) {
    this.#site = site;
  }

  get count(): number {
    return this.#ids.length;
  }

  /** Dispatches so many, of each kind in turn. */
  add(count: number): void {
    const types = ['Good', 'Slow', 'Picky'];
    for (let i = 0; i < count; i++) this.#ids.push(this.#site.insert(types[i % 3]!));
  }

  /** All have completed in one attempt, and have run once, or once more for a crash of the process beneath them. */
  verify(): void {
    const ledger = readFileSync(this.#site.path('ledger'), 'utf8').trimEnd().split('\n').map(Number);
    const runs = Map.groupBy(ledger, (id) => id);
    const rows = this.#site.sql
      .prepare(
        `SELECT id, type, status, attempts, crashes, last_error FROM jobs WHERE type IN ('Good', 'Slow', 'Picky')`,
      )
      .all() as {
      id: number;
      type: string;
      status: string;
      attempts: number;
      crashes: number;
      last_error: unknown;
    }[];
    assert.deepEqual(
      rows.map(({ id }) => id).toSorted((a, b) => a - b),
      this.#ids.toSorted((a, b) => a - b),
    );
    for (const { id, type, status, attempts, crashes, last_error: said } of rows) {
      const told = this.#site.sql.prepare('SELECT error FROM attempts WHERE job_id = ?').pluck().all(id);
      const name = `${type} ${id}: ${String(said)} ${told.join('; ')}`;
      assert.deepEqual([status, attempts], ['completed', 1], name);
      const times = runs.get(id)?.length ?? 0;
      assert.ok(times >= 1 && times <= 1 + crashes, `${name}: ran ${times} times, ${crashes} crashes`);
    }
  }
}

/** What a process holds now. */
export interface Traces {
  threads: number;
  descriptors: number;
  /** Command lines of the programs it has started. */
  programs: string[];
  /** Megabytes. */
  resident: number;
}

export function traces(pid: number): Traces {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const read = (file: string) => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return ''; // It has ended meanwhile.
    }
  };
  const children = tasks.flatMap((tid) => read(`/proc/${pid}/task/${tid}/children`).match(/\d+/g) ?? []);
  return {
    threads: tasks.length,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    // A zombie has no command line: it is dead, and waits only to be counted.
    programs: children.map((child) => read(`/proc/${child}/cmdline`).replaceAll('\0', ' ')).filter(Boolean),
    resident: Math.round(Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024),
  };
}
