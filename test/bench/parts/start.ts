/** How long a start takes, and `health` where a million rows lie. */

import { Bench } from '../measure.ts';
import type { Table } from '../table.ts';

const TIMES = 5;

export async function startPart(table: Table): Promise<void> {
  const bench = new Bench();
  await bench.run('migrate');
  const ready: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    ready.push(await bench.supervise('--min-workers', '2', '--max-workers', '2'));
    await bench.stop();
  }
  bench.fillByRange(1_000_000, `'completed'`, { finished_at: `'2026-01-01 00:00:00.000'` });
  const health: number[] = [];
  for (let i = 0; i < TIMES; i++) health.push((await bench.run('health')).ms);
  bench.remove();
  table.tell('executable, start to READY', 'ms', ready, { atMost: 250 });
  table.tell('`health` on a million rows', 'ms', health, { atMost: 150 });
}
