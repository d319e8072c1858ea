/** What the benchmarks share: a supervisor of the real executable on a database of its own, and figures. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { executable } from '../tools/executable.ts';

/** The first job of a thread tells when it began: two rows with a result cost nothing. */
const FIRST = `let first = true;
function began() { if (!first) return; first = false; return Number(process.hrtime.bigint()) / 1e6; }`;

/** Job types that a benchmark runs, as a user would write them. */
const JOBS: Record<string, string> = {
  'Noop.ts': `import { defineJob } from 'passito';
${FIRST}
export default defineJob({ async handle(_payload: { i: number }) { return began(); } });`,
  'Cpu.ts': `import { defineJob } from 'passito';
${FIRST}
export default defineJob({ handle(_payload: { i: number }) {
  const at = began();
  const end = performance.now() + 20;
  while (performance.now() < end);
  return at;
} });`,
  'Slow.ts': `import { defineJob } from 'passito';
export default defineJob({ async handle() { await new Promise((resolve) => setTimeout(resolve, 1000)); } });`,
  'Wait.ts': `import { defineJob } from 'passito';
${FIRST}
export default defineJob({ async handle() {
  const at = began();
  await new Promise((resolve) => setTimeout(resolve, 20));
  return at;
} });`,
  'Stamp.ts': `import { defineJob } from 'passito';
export default defineJob({ handle() { return Number(process.hrtime.bigint()) / 1e6; } });`,
};

const leftovers = new Set<() => void>();
process.on('exit', () => {
  for (const action of leftovers) action();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** What must not outlive this process, however it ends; the function that is given back takes it off again. */
export function atExit(action: () => void): () => void {
  leftovers.add(action);
  return () => leftovers.delete(action);
}

/** A folder with jobs and a database; removed at the end. */
export class Bench {
  readonly folder = mkdtempSync(join(process.env['PASSITO_BENCH_FOLDER'] ?? tmpdir(), 'passito-bench-'));
  readonly file = join(this.folder, 'passito.db');
  readonly #forget = atExit(() => this.#abandon());
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
  supervise(...args: string[]): Promise<number> {
    return this.superviseAs([executable], ...args);
  }

  /** The same from source, or whatever `command` is. */
  async superviseAs([program = '', ...before]: readonly string[], ...args: string[]): Promise<number> {
    const started = performance.now();
    const child = spawn(program, [...before, 'supervisor', ...args], {
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

  /** The supervisor's process id. */
  get pid(): number {
    return this.#supervisor?.pid as number;
  }

  /** Resident megabytes of the supervisor. */
  resident(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]) / 1024;
  }

  open(): Database.Database {
    return new Database(this.file, { timeout: 10_000 });
  }

  /** Inserts rows of a status by one statement; `columns` are SQL expressions. */
  fillByRange(count: number, status: string, columns: Record<string, string> = {}): void {
    const all: Record<string, string> = { type: `'Noop'`, payload: `'{"i":' || value || '}'`, ...columns };
    const db = this.open();
    db.exec(
      `WITH RECURSIVE range (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM range WHERE value < ${count})
       INSERT INTO jobs (status, ${Object.keys(all).join(', ')})
       SELECT ${status}, ${Object.values(all).join(', ')} FROM range`,
    );
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
  }

  /** Clears the moments that earlier runs on this file have told. */
  forgetResults(): void {
    const db = this.open();
    db.exec('UPDATE jobs SET result = NULL WHERE result IS NOT NULL');
    db.close();
  }

  #abandon(): void {
    this.#supervisor?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  remove(): void {
    this.#forget();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Milliseconds on a clock that all processes of the machine share, and that nobody sets. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Processor seconds that these processes and their descendants have used, to the microsecond for those that live. */
export function cpuOfTree(roots: readonly number[]): number {
  let seconds = 0;
  for (const pid of roots) {
    const tasks = `/proc/${pid}/task`;
    for (const task of readdirSync(tasks)) {
      const [running] = readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ');
      seconds += Number(running) / 1e9;
      const children = readFileSync(`${tasks}/${task}/children`, 'utf8').trim();
      if (children !== '') seconds += cpuOfTree(children.split(' ').map(Number));
    }
    // What children used that have ended, in hundredths.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    seconds += (Number(fields[13]) + Number(fields[14])) / 100;
  }
  return seconds;
}

/** The value below which a share of the samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}
