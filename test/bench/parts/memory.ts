/** Resident memory of a supervisor, from the executable and from source. */

import { join } from 'node:path';
import { sleep } from '../measure.ts';
import { Passito } from '../peers/contestant.ts';
import { drained, JOBS, numbered } from '../peers/figures.ts';
import type { Table } from '../table.ts';
import { executable } from '../../tools/executable.ts';

const ROUNDS = 3;
const MORE = 10;
const FROM_SOURCE = [process.execPath, join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts')];

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
  for (let i = 0; i < ROUNDS; i++) {
    packaged.push(await afterDrain([executable]));
    source.push(await afterDrain(FROM_SOURCE));
    further.push(((await idle(2 + MORE)) - (await idle(2))) / MORE);
  }
  table.tell('resident, 2 workers, after the drain, executable', 'MB', packaged, { atMost: 140 });
  table.tell('resident, 2 workers, after the drain, from source', 'MB', source, { atMost: 110 });
  table.tell('each further idle worker', 'MB', further, { atMost: 12 });
}
