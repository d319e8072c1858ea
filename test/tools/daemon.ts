/** A folder with a database and job files, and the real executable at work in it. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { executable, type Run, type RunOptions } from './executable.ts';

/** Between two looks at the database, in milliseconds. */
const LOOK_MS = 5;

/** What a process ended with. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** How a command is run. */
export interface SiteRun extends RunOptions {
  /** Given to its standard input. */
  input?: string;
  /** A copy of the executable. */
  file?: string;
  /** `kill -9` comes after so many milliseconds, if it has not ended. */
  killAfter?: number;
}

/** A `supervisor` or `worker` that runs. */
export class Daemon {
  readonly child: ChildProcess;
  readonly startedAt = Date.now();
  /** Resolves when the process has ended and its log is complete. */
  readonly ended: Promise<Exit>;
  /** What it wrote to stderr so far. */
  log = '';
  readonly #listeners = new Set<() => void>();
  #gone = false;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
      this.#tell();
    });
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.#gone = true;
        this.#tell();
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  get gone(): boolean {
    return this.#gone;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Resolves with the first log line, to come or behind the first `from` characters of the log, that fits. */
  line(pattern: RegExp, ms = 10_000, from = 0): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.log
          .slice(from)
          .split('\n')
          .find((line) => pattern.test(line));
        if (found === undefined && !this.#gone) return;
        clearTimeout(timer);
        this.#listeners.delete(look);
        if (found === undefined) reject(new Error(`ended without the line ${String(pattern)}:\n${this.log}`));
        else resolve(found);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(look);
        reject(new Error(`no line ${String(pattern)} within ${ms} ms:\n${this.log}`));
      }, ms);
      this.#listeners.add(look);
      look();
    });
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Asks a supervisor to reload, and waits until it has, or has refused to. */
  async reload(end = /reloaded; /): Promise<string> {
    const from = this.log.length;
    this.signal('SIGHUP');
    return this.line(end, 10_000, from);
  }

  /** Asks it to stop and waits for that. */
  async stop(): Promise<Exit> {
    this.signal('SIGTERM');
    return this.ended;
  }

  /** What `kill -9` does. */
  async kill(): Promise<Exit> {
    this.signal('SIGKILL');
    return this.ended;
  }
}

/** CPU seconds that a process has used. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** One machine as an admin sees it. */
export class Site {
  readonly folder = mkdtempSync(join(tmpdir(), 'passito-site-'));
  readonly db: string;
  readonly env: Record<string, string>;
  readonly #daemons: Daemon[] = [];
  #sql: Database.Database | undefined;

  /** Everything ends with the test, or suite, that `after` belongs to. `db`: where in the folder the database is. */
  constructor(
    after: (clean: () => Promise<void>) => void,
    env: Record<string, string> = {},
    db = 'passito.db',
  ) {
    this.db = join(this.folder, db);
    const path = process.env['PATH'] ?? '/usr/bin:/bin';
    this.env = { PATH: path, PASSITO_DB: this.db, TIME_ZONE: 'UTC', ...env };
    after(async () => {
      await Promise.all(this.#daemons.filter(({ gone }) => !gone).map((daemon) => daemon.kill()));
      this.#sql?.close();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** Writes a file below the folder. */
  write(name: string, text: string | Buffer): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Writes a job file whose handler has this body; `payload` and `context` are in its reach. */
  job(type: string, body: string, options = ''): void {
    const source = `import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob, discard, snooze } from 'passito';
const ledger = ${JSON.stringify(this.path('ledger'))};
export default defineJob({ ${options} async handle(payload: any, context) { ${body} } });
void [appendFileSync, sleep, discard, snooze, ledger];
`;
    this.write(`jobs/${type}.ts`, source);
  }

  /** Runs a command to its end. One that a signal ends, or that takes a minute, has the code -1. */
  run(
    args: readonly string[],
    { input = '', file = executable, killAfter = 60_000, ...options }: SiteRun = {},
  ): Promise<Run> {
    const env = { ...this.env, ...options.env };
    const ending = { timeout: killAfter, killSignal: 'SIGKILL' as const };
    const child = spawn(file, args, { cwd: this.folder, ...ending, ...options, env });
    const out = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => (out[name] += text));
    }
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? -1, ...out }));
    });
  }

  /** Runs a command that must succeed; resolves with what it printed. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    assert.equal(code, 0, `passito ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Runs a command that must succeed and print JSON. */
  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.ok(...args, '--json')) as T;
  }

  /** Starts a supervisor, or another command that stays. Does not wait until it is ready. */
  launch(
    args: readonly string[] = [],
    command = 'supervisor',
    { file = executable, uid }: Pick<SiteRun, 'file' | 'uid'> = {},
  ): Daemon {
    const child = spawn(file, [command, ...args], {
      cwd: this.folder,
      env: this.env,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(uid !== undefined && { uid, gid: uid }),
    });
    const daemon = new Daemon(child);
    this.#daemons.push(daemon);
    return daemon;
  }

  /** Starts one and waits until it is ready. */
  async start(args: readonly string[] = [], command = 'supervisor'): Promise<Daemon> {
    const daemon = this.launch(args, command);
    await daemon.line(/ ready /);
    return daemon;
  }

  /** The database as another program sees it. */
  get sql(): Database.Database {
    if (this.#sql === undefined) {
      assert.ok(existsSync(this.db), 'the database is there');
      this.#sql = new Database(this.db, { timeout: 5000 });
    }
    return this.#sql;
  }

  /** The first column of the first row. */
  value<T = number>(query: string, ...values: unknown[]): T {
    return this.sql
      .prepare<unknown[], T>(query)
      .pluck()
      .get(...values) as T;
  }

  /** Inserts a job as a foreign program would, and gives its id. */
  insert(type: string, payload: unknown = {}): number {
    const insert = this.sql.prepare('INSERT INTO jobs (type, payload) VALUES (?, ?)');
    return Number(insert.run(type, JSON.stringify(payload)).lastInsertRowid);
  }

  status(id: number): string | undefined {
    return this.value<string>('SELECT status FROM jobs WHERE id = ?', id);
  }

  /** Resolves once the query's first value is neither 0 nor null, with the milliseconds that it took. */
  async until(query: string, values: unknown[] = [], ms = 15_000): Promise<number> {
    const started = performance.now();
    const statement = this.sql.prepare(query).pluck();
    while (!statement.get(...values)) {
      const waited = performance.now() - started;
      if (waited > ms) {
        const counts = this.sql.prepare('SELECT type, status, count(*) AS n FROM jobs GROUP BY 1, 2').all();
        assert.fail(
          `not within ${ms} ms: ${query} ${JSON.stringify(values)}; jobs: ${JSON.stringify(counts)}`,
        );
      }
      await sleep(LOOK_MS);
    }
    return performance.now() - started;
  }

  /** Resolves once the job is in the state. */
  async reaches(id: number, status: string, ms = 15_000): Promise<void> {
    await this.until('SELECT 1 FROM jobs WHERE id = ? AND status = ?', [id, status], ms);
  }

  /** Resolves once no job waits or runs. */
  async drained(ms = 30_000): Promise<void> {
    await this.until(
      `SELECT NOT EXISTS (SELECT 1 FROM jobs WHERE status IN ('blocked','pending','processing'))`,
      [],
      ms,
    );
  }
}
