/**
 * `npm run bench:peers`: passito beside other job systems, on this machine, in interleaved runs.
 *
 *   npm run bench:peers -- drain beside     only some of: drain, beside, pickup, cpu
 *   npm run bench:peers -- --write          puts the result into docs/
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit, percentile } from '../measure.ts';
import { asked } from '../report.ts';
import type { Contestant } from './contestant.ts';
import { cpuJobs, drain, drainBeside, pickup } from './figures.ts';
import { enlist } from './roster.ts';
import { Results } from './results.ts';

const ROUNDS = Number(process.env['PASSITO_BENCH_ROUNDS'] ?? 5);

/** What is measured in a round. Systems take turns within each, so that a slow minute of the machine meets all. */
const MEASURES: Record<string, (contestant: Contestant, results: Results) => Promise<void>> = {
  async drain(contestant, results) {
    results.add('drain', contestant.name, await drain(contestant));
  },
  async beside(contestant, results) {
    results.add('beside', contestant.name, await drainBeside(contestant));
  },
  async cpu(contestant, results) {
    results.add('cpu', contestant.name, await cpuJobs(contestant));
  },
  async pickup(contestant, results) {
    const { name } = contestant;
    const { called, returned, idle } = await pickup(contestant, 'latency');
    results.add('p50', name, percentile(returned, 0.5));
    results.add('p99', name, percentile(returned, 0.99));
    results.add('p50 called', name, percentile(called, 0.5));
    results.add('p99 called', name, percentile(called, 0.99));
    results.add('idle', name, idle);
    if (name === 'plainjob') results.add('idle', `${name}, 1 s`, (await pickup(contestant, 'slow')).idle);
  },
};

execFileSync('npm', ['ci', '--silent'], { cwd: import.meta.dirname, stdio: 'inherit' });
const folder = mkdtempSync(join(process.env['PASSITO_BENCH_FOLDER'] ?? tmpdir(), 'passito-peers-'));
atExit(() => rmSync(folder, { recursive: true, force: true }));
const roster = await enlist(folder);
try {
  for (const line of roster.missing) console.error(`left out: ${line}`);
  const results = new Results();
  for (let i = 0; i < ROUNDS; i++) {
    for (const [part, measure] of Object.entries(MEASURES)) {
      if (!asked(part)) continue;
      for (const contestant of roster.contestants) await measure(contestant, results);
    }
  }
  results.publish(roster.contestants, ROUNDS);
} finally {
  await roster.stop();
}
