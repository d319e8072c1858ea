/** Resident memory of a supervisor, from the executable and from source. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../measure.ts';
import { Passito } from '../peers/contestant.ts';
import { drained, JOBS, numbered } from '../peers/figures.ts';
import type { Table } from '../table.ts';
import { executable } from '../../tools/executable.ts';

const ROUNDS = 3;
const MORE = 10;
const FROM_SOURCE = [join(import.meta.dirname, '..', '..', '..', 'bin', 'passito')];

/** The flags of the executable (build.config.ts) and of bin/passito. */
const YOUNG = ['--min-semi-space-size=1', '--max-semi-space-size=2'];

/** Megabytes of what passito is made of, with nothing of its own: Node, SQLite, and as many calls of two Piscina threads. */
function bare(): number {
  const text = `
    const Database = require('better-sqlite3');
    const { Piscina } = require('piscina');
    const { rss } = process.memoryUsage;
    const folder = process.argv[1];
    const db = new Database(':memory:');
    require('node:fs').writeFileSync(folder + '/noop.js', 'module.exports = () => 1;');
    const pool = new Piscina({ filename: folder + '/noop.js', minThreads: 2, maxThreads: 2 });
    (async () => {
      for (let i = 0; i < ${JOBS}; i += 100) await Promise.all(Array.from({ length: 100 }, () => pool.run(i)));
      setTimeout(() => { console.log(rss()); process.exit(); }, 2000);
    })();`;
  const folder = mkdtempSync(join(tmpdir(), 'passito-bare-'));
  const out = execFileSync(process.execPath, [...YOUNG, '-e', text, folder], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return Number(out) / 2 ** 20;
}

/** Megabytes, two seconds after 20,000 jobs are done. */
async function afterDrain(command: readonly string[]): Promise<number> {
  const passito = new Passito();
  await passito.reset();
  for (let i = 0; i < JOBS; i += 1000) await passito.add('noop', numbered(i, 1000));
  await passito.bench.superviseAs(command, '--min-workers', '2', '--max-workers', '2');
  await drained(passito, JOBS);
  await sleep(2000);
  const resident = passito.bench.resident();
  await passito.close();
  return resident;
}

/** Megabytes with so many workers that have had nothing to do. */
async function idle(workers: number): Promise<number> {
  const passito = new Passito(workers);
  await passito.reset();
  await passito.start();
  await sleep(2000);
  const resident = passito.bench.resident();
  await passito.close();
  return resident;
}

export async function memoryPart(table: Table): Promise<void> {
  const packaged: number[] = [];
  const source: number[] = [];
  const further: number[] = [];
  const raw: number[] = [];
  // The first start fills the cache of erased types.
  await afterDrain(FROM_SOURCE);
  for (let i = 0; i < ROUNDS; i++) {
    packaged.push(await afterDrain([executable]));
    raw.push(bare());
    source.push(await afterDrain(FROM_SOURCE));
    further.push(((await idle(2 + MORE)) - (await idle(2))) / MORE);
  }
  table.tell('raw: Node, SQLite and two Piscina threads, after as many calls', 'MB', raw, { text: '' });
  table.tell('resident, 2 workers, after the drain, executable', 'MB', packaged, { atMost: 140 });
  table.tell('resident, 2 workers, after the drain, from source', 'MB', source, { atMost: 110 });
  table.tell('each further idle worker', 'MB', further, { atMost: 12 });
}
