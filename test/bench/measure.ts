/** What the benchmarks share: a supervisor of the real executable on a database of its own, and figures. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { executable } from '../tools/executable.ts';

/** Job types that a benchmark runs, as a user would write them. */
const JOBS: Record<string, string> = {
  'Noop.ts': `import { defineJob } from 'passito';
export default defineJob({ async handle(_payload: { i: number }) {} });`,
  'Cpu.ts': `import { defineJob } from 'passito';
export default defineJob({ handle(payload: { ms: number }) { const end = performance.now() + payload.ms; while (performance.now() < end); } });`,
  'Stamp.ts': `import { defineJob } from 'passito';
export default defineJob({ handle() { const [s, ns] = process.hrtime(); return s * 1000 + ns / 1e6; } });`,
};

/** A folder with jobs and a database; removed at the end. */
export class Bench {
  readonly folder = mkdtempSync(join(process.env['PASSITO_BENCH_FOLDER'] ?? tmpdir(), 'passito-bench-'));
  readonly file = join(this.folder, 'passito.db');
  #supervisor: ChildProcess | undefined;

  constructor() {
    mkdirSync(join(this.folder, 'jobs'));
    for (const [name, text] of Object.entries(JOBS)) writeFileSync(join(this.folder, 'jobs', name), text);
  }

  /** Runs a command to its end and gives its output and its milliseconds. */
  async run(...args: string[]): Promise<{ stdout: string; ms: number }> {
    const started = performance.now();
    const child = spawn(executable, args, { cwd: this.folder, env: { PASSITO_DB: this.file } });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    await new Promise((resolve) => child.on('close', resolve));
    return { stdout, ms: performance.now() - started };
  }

  /** Starts a supervisor and gives the milliseconds until it said that it is ready. */
  async supervise(...args: string[]): Promise<number> {
    const started = performance.now();
    const child = spawn(executable, ['supervisor', ...args], {
      cwd: this.folder,
      env: { PASSITO_DB: this.file },
    });
    this.#supervisor = child;
    await new Promise<void>((resolve, reject) => {
      let text = '';
      child.stderr.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('ready')) resolve();
      });
      child.on('exit', (code) => reject(new Error(`the supervisor ended with ${code}: ${text}`)));
    });
    return performance.now() - started;
  }

  async stop(): Promise<void> {
    const child = this.#supervisor;
    if (child === undefined) return;
    this.#supervisor = undefined;
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  /** Processor seconds that the supervisor has used, over all its threads. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#supervisor?.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Resident megabytes of the supervisor. */
  resident(): number {
    return (
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#supervisor?.pid}/status`, 'utf8'))?.[1]) / 1024
    );
  }

  threads(): number {
    return readdirSync(`/proc/${this.#supervisor?.pid}/task`).length;
  }

  open(): Database.Database {
    return new Database(this.file, { timeout: 10_000 });
  }

  /** Inserts rows by plain SQL, in one transaction. */
  fill(
    count: number,
    type: string,
    payload: (i: number) => object,
    columns: Record<string, string | number> = {},
  ): void {
    const db = this.open();
    const names = Object.keys(columns);
    const insert = db.prepare(
      `INSERT INTO jobs (type, payload${names.map((name) => `, ${name}`).join('')}) VALUES (?, ?${', ?'.repeat(names.length)})`,
    );
    db.transaction(() => {
      for (let i = 0; i < count; i++) insert.run(type, JSON.stringify(payload(i)), ...Object.values(columns));
    })();
    db.close();
  }

  /** Waits until no job is pending or running; gives the time from the first start to the last end, in milliseconds. */
  async drained(): Promise<number> {
    const db = this.open();
    const pending = db.prepare(`SELECT 1 FROM jobs INDEXED BY jobs_due WHERE status = 'pending' LIMIT 1`);
    const processing = db.prepare(
      `SELECT 1 FROM jobs INDEXED BY jobs_processing WHERE status = 'processing' LIMIT 1`,
    );
    while (pending.get() !== undefined || processing.get() !== undefined) await sleep(10);
    const span = db
      .prepare<[], number>(
        `SELECT (julianday(max(finished_at)) - julianday(min(started_at))) * 86400000 FROM jobs WHERE status = 'completed'`,
      )
      .pluck()
      .get();
    db.close();
    return span ?? 0;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** The value below which a share of the samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}
