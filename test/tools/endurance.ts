/** A mixed load without an end, and what a supervisor takes of the machine under it, second by second. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Daemon, type Site } from './daemon.ts';
import { executable } from './executable.ts';

export const WORKERS = 4;

/** Producers wait while so many jobs lie ahead: the queue stays deep, and does not grow. */
export const DEEP = 15_000;

/** Lines of one producer. */
const BATCH = 10_000;

/** One look. Bytes, and numbers of things. */
export interface Sample {
  /** Seconds from the first look. */
  at: number;
  /** Jobs that were ever dispatched. */
  jobs: number;
  rows: number;
  resident: number;
  threads: number;
  descriptors: number;
  wal: number;
  file: number;
}

/** The job files, and a config by which jobs are deleted that ended `keep` seconds ago, as often as that. */
export function prepareEndurance(site: Site, keep: number): void {
  site.job('Noop', '');
  site.job('Sleep', 'await sleep(payload.ms);');
  site.job('Flaky', `if (context.attempt < 2) throw new Error('not yet');`, `backoff: { base: '100ms' },`);
  site.job('Wrong', `discard('never');`);
  site.job('Later', `if (!context.dependencies.length && Math.random() < 0.5) snooze('50ms');`);
  site.job('Cpu', 'const end = performance.now() + payload.ms; while (performance.now() < end);');
  site.job('Result', 'return { text: "x".repeat(200), list: [payload.n] };');
  site.job('Big', 'return payload.text.length;');
  site.job('Parent', `await context.dispatch('Noop', {});`);
  site.job('Spin', 'for (;;);', `timeout: '100ms', maxAttempts: 1,`);
  site.write(
    'passito.config.json',
    JSON.stringify({
      jobs: { Program: { command: ['/bin/true'] } },
      schedules: { 'prune-jobs': { cron: `*/${keep} * * * * *` } },
    }),
  );
  Object.assign(site.env, { PASSITO_KEEP_COMPLETED: `${keep}s`, PASSITO_KEEP_FAILED: `${keep}s` });
}

/** Line `i` of the load: mostly nothing, and in every thousand some of all that there is. */
function lineOf(i: number): object {
  const n = i % 1000;
  if (n < 10) return { type: 'Flaky' };
  if (n < 20) return { type: 'Big', payload: { text: 'y'.repeat(10_000) } };
  if (n < 24) return { type: 'Sleep', payload: { ms: 20 } };
  if (n < 28) return { type: 'Cpu', payload: { ms: 5 } };
  if (n < 32) return { type: 'Wrong' };
  if (n < 36) return { type: 'Later' };
  if (n < 40) return { type: 'Noop', unique_key: `k${n}` };
  if (n < 44) return { type: 'Noop', delay: '1s' };
  if (n < 50) return { type: 'Parent' };
  if (n < 51) return { type: 'Program' };
  // Its thread must be ended, and another one begun.
  if (i % 20_000 === 51) return { type: 'Spin' };
  if (n < 80) return { type: 'Result', payload: { n }, ref: `a${i}` };
  if (n < 100) return { type: 'Result', payload: { n }, depends_on: [`a${i - 20}`] };
  return { type: 'Noop', priority: n % 5 };
}

/** Dispatches batch after batch through the executable, until `limit`. */
export class Load {
  dispatched = 0;
  limit: number;
  /** Resolves once everything is dispatched. */
  readonly over: Promise<void>;
  readonly #site: Site;

  constructor(site: Site, limit = Number.POSITIVE_INFINITY) {
    this.#site = site;
    this.limit = limit;
    this.over = this.#produce();
  }

  async #produce(): Promise<void> {
    while (this.dispatched < this.limit) {
      const count = Math.min(BATCH, this.limit - this.dispatched);
      await dispatch(
        this.#site,
        Array.from({ length: count }, (_, i) => lineOf(this.dispatched + i)),
      );
      this.dispatched += count;
      while (this.dispatched < this.limit && waiting(this.#site) > DEEP) await sleep(20);
    }
  }
}

function dispatch(site: Site, lines: object[]): Promise<void> {
  const child: ChildProcess = spawn(executable, ['dispatch', '--ndjson', '-', '--json'], {
    cwd: site.folder,
    env: site.env,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr!.on('data', (text: Buffer) => (said += text.toString()));
  child.stdin!.end(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
  return new Promise((resolve, reject) => {
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`a producer: ${code} ${said}`))));
  });
}

function waiting({ sql }: Site): number {
  return sql
    .prepare<[number], number>(`SELECT count(*) FROM (SELECT 1 FROM jobs WHERE status = 'pending' LIMIT ?)`)
    .pluck()
    .get(DEEP + 1)!;
}

/** What the supervisor and its files take at this moment. */
export function look(site: Site, { pid }: Daemon, began: number): Sample {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1];
  return {
    at: (performance.now() - began) / 1000,
    jobs: site.value(`SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'jobs'`),
    rows: site.value('SELECT count(*) FROM jobs'),
    resident: Number(kilobytes) * 1024,
    threads: readdirSync(`/proc/${pid}/task`).length,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    wal: statSync(`${site.db}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    file: statSync(site.db).size,
  };
}

/** Looks every `ms` until `over` has resolved. */
export async function watch(site: Site, daemon: Daemon, over: Promise<void>, ms: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const began = performance.now();
  const timer = setInterval(() => samples.push(look(site, daemon, began)), ms);
  await over.finally(() => clearInterval(timer));
  return samples;
}

/** What went wrong that was not meant to. */
export function troubles({ log }: Daemon): string[] {
  return log.split('\n').filter((line) => / error /.test(line) && !/ type=(?:Spin|Wrong) /.test(line));
}

/** The quarters of a run; in the first everything warms up. */
export function quarter(samples: readonly Sample[], n: 1 | 2 | 3 | 4): Sample[] {
  const at = (part: number) => Math.floor((part * samples.length) / 4);
  return samples.slice(at(n - 1), at(n));
}

export function median(samples: readonly Sample[], name: keyof Sample): number {
  const sorted = samples.map((sample) => sample[name]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

export function most(samples: readonly Sample[], name: keyof Sample): number {
  return Math.max(...samples.map((sample) => sample[name]));
}

/** Throws where the median of the last quarter lies above that of the second, times `slack` and with `room`. */
export function assertFlat(samples: readonly Sample[], name: keyof Sample, slack: number, room = 0): void {
  assert.ok(samples.length >= 8, `only ${samples.length} looks`);
  const [before, after] = [median(quarter(samples, 2), name), median(quarter(samples, 4), name)];
  assert.ok(
    after <= before * slack + room,
    `${name} grew from ${before} to ${after}: ${story(samples, name)}`,
  );
}

export function assertBelow(samples: readonly Sample[], name: keyof Sample, limit: number): void {
  const peak = most(samples, name);
  assert.ok(peak <= limit, `${name} reached ${peak}, which is above ${limit}: ${story(samples, name)}`);
}

function story(samples: readonly Sample[], name: keyof Sample): string {
  const every = Math.ceil(samples.length / 40);
  const some = samples.filter((_, i) => i % every === 0);
  return some.map((sample) => `${sample.jobs} jobs ${sample[name]}`).join(', ');
}
