/** How many jobs a second run: from a full queue, while another process adds to it, and where each takes 20 ms of CPU. */

import { Passito } from '../peers/contestant.ts';
import { cpuJobs, drain, drainBeside } from '../peers/figures.ts';
import type { Table } from '../table.ts';

export async function drainPart(table: Table): Promise<void> {
  const passito = new Passito();
  const full: number[] = [];
  const beside: number[] = [];
  for (let i = 0; i < 5; i++) {
    full.push(await drain(passito));
    beside.push(await drainBeside(passito));
  }
  await passito.close();
  const peers = '(see `bench:peers`)';
  table.tell('drain, 20,000 no-op jobs, 2 workers', '/s', full, { text: `2.5 × graphile-worker ${peers}` });
  table.tell('drain while another process dispatches in bulks of 100', '/s', beside, {
    text: `2 × graphile-worker ${peers}`,
  });
}

export async function cpuPart(table: Table): Promise<void> {
  const passito = new Passito();
  const took: number[] = [];
  for (let i = 0; i < 3; i++) took.push(await cpuJobs(passito));
  await passito.close();
  table.tell('200 jobs of 20 ms CPU, 2 workers', 'ms', took, { atMost: 2150 });
}
