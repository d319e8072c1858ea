/**
 * `npm run bench`: the figures of docs/performance.md, measured on this machine with the real executable.
 * Each is taken several times; the table gives the median and the worst.
 */

import { statSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { executable } from '../tools/executable.ts';
import { mainThreadDelay } from './delay.ts';
import { Bench, percentile, sleep } from './measure.ts';

const rows: string[][] = [];

function tell(what: string, samples: number[], unit: string, goal: string, digits = 0): void {
  const best = unit === '/s' ? Math.min(...samples) : Math.max(...samples);
  const row = [
    what,
    `${percentile(samples, 0.5).toFixed(digits)} ${unit}`,
    `${best.toFixed(digits)} ${unit}`,
    goal,
  ];
  rows.push(row);
  console.error(row.join('  '));
}

async function withBench<T>(action: (bench: Bench) => Promise<T>): Promise<T> {
  const bench = new Bench();
  try {
    await bench.run('migrate');
    return await action(bench);
  } finally {
    await bench.stop();
    bench.remove();
  }
}

async function times(count: number, action: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) samples.push(await action());
  return samples;
}

const WORKERS = ['--min-workers', '2', '--max-workers', '2'];

const drain = () =>
  withBench(async (bench) => {
    bench.fill(20_000, 'Noop', (i) => ({ i }));
    await bench.supervise(...WORKERS);
    return 20_000 / ((await bench.drained()) / 1000);
  });

const cpuJobs = () =>
  withBench(async (bench) => {
    bench.fill(200, 'Cpu', () => ({ ms: 20 }));
    await bench.supervise(...WORKERS);
    return bench.drained();
  });

/** From just after the commit in another process to the handler's start. */
const pickups = () =>
  withBench(async (bench) => {
    await bench.supervise(...WORKERS);
    const db = bench.open();
    db.pragma('synchronous = full');
    const insert = db.prepare(`INSERT INTO jobs (type) VALUES ('Stamp')`);
    const result = db
      .prepare<[number | bigint], string | null>('SELECT result FROM jobs WHERE id = ?')
      .pluck();
    const samples: number[] = [];
    for (let i = 0; i < 200; i++) {
      const { lastInsertRowid: id } = insert.run();
      const [seconds, nanoseconds] = process.hrtime();
      await sleep(10 + Math.random() * 10);
      const stamp = result.get(id);
      if (stamp !== null && stamp !== undefined && i >= 20) {
        samples.push(Number(stamp) - seconds * 1000 - nanoseconds / 1e6);
      }
    }
    db.close();
    return samples;
  });

const MILLION = 1_000_000;

const beside = (rowsBeside: boolean) =>
  withBench(async (bench) => {
    if (rowsBeside) {
      bench.fill(MILLION, 'Noop', () => ({}), {
        status: 'completed',
        finished_at: '2026-01-01 00:00:00.000',
      });
      bench.fill(MILLION, 'Noop', () => ({}), { available_at: '2999-01-01 00:00:00.000' });
      bench.fill(MILLION, 'Noop', () => ({}), { status: 'blocked', waiting_for: 1 });
    }
    bench.fill(20_000, 'Noop', (i) => ({ i }));
    await bench.supervise(...WORKERS);
    const db = bench.open();
    const left = db.prepare(
      `SELECT 1 FROM jobs INDEXED BY jobs_due WHERE status = 'pending' AND priority = 0 AND queue = 'default' AND type = 'Noop' AND available_at < '2998' LIMIT 1`,
    );
    while (left.get() !== undefined) await sleep(10);
    const span = db
      .prepare<[], number>(
        `SELECT (julianday(max(finished_at)) - julianday(min(started_at))) * 86400000 FROM (SELECT started_at, finished_at FROM jobs ORDER BY id DESC LIMIT 20000)`,
      )
      .pluck()
      .get();
    db.close();
    const health = rowsBeside ? await times(5, async () => (await bench.run('health')).ms) : [];
    return { rate: 20_000 / ((span ?? 0) / 1000), health };
  });

const ready = () => withBench((bench) => bench.supervise(...WORKERS));

const idle = () =>
  withBench(async (bench) => {
    await bench.supervise(...WORKERS);
    // What the start left behind is collected first.
    await sleep(10_000);
    const before = bench.cpuSeconds();
    const seconds = Number(process.env['PASSITO_BENCH_IDLE'] ?? 30);
    await sleep(seconds * 1000);
    return { cpu: ((bench.cpuSeconds() - before) * 60) / seconds, resident: bench.resident() };
  });

console.error(
  `${executable}: ${(statSync(executable).size / 1e6).toFixed(0)} MB; ${availableParallelism()} × ${cpus()[0]?.model}; synchronous=FULL\n`,
);
tell('drain, 20,000 no-op jobs, 2 workers', await times(5, drain), '/s', '≥ 40,000');
tell('200 jobs of 20 ms CPU, 2 workers', await times(3, cpuJobs), 'ms', '< 2,400');
tell('main thread late meanwhile, p99.9', await times(3, () => withBench(mainThreadDelay)), 'ms', '< 20', 1);
const latency = await pickups();
tell('pickup from another process, median', [percentile(latency, 0.5)], 'ms', '< 3', 2);
tell('pickup from another process, p99', [percentile(latency, 0.99)], 'ms', '', 2);
tell('start to ready', await times(5, ready), 'ms', '< 400');
const rest = await idle();
tell('idle, a minute', [rest.cpu], 'CPU s', '< 0.1', 3);
tell('resident, 2 idle workers', [rest.resident], 'MB', '< 150');
const empty = await beside(false);
const full = await beside(true);
tell('drain beside 3 million rows', [full.rate], '/s', '');
tell('  cost against an empty table', [empty.rate / full.rate], '×', '≤ 1.3', 2);
tell('health on 3 million rows', full.health, 'ms', '< 250');

console.log(
  [
    '| what | median | worst | goal |',
    '| --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n'),
);
