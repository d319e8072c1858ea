/** How soon a job of another process begins: from the moment its dispatch has returned to the handler's first line. */

import { percentile } from '../measure.ts';
import { Passito } from '../peers/contestant.ts';
import { drained, pickup, waits } from '../peers/figures.ts';
import type { Table } from '../table.ts';

const ROUNDS = 3;
/** While 1,000 others a second run: bulks of 10, a hundred times a second. */
const OTHERS = { ask: 'add', count: 4000, size: 10, every: 10 } as const;
const PICKUPS = { ask: 'add', count: 200, size: 1, every: 15 } as const;

export async function pickupPart(table: Table): Promise<void> {
  const passito = new Passito();
  const idleRuns = [];
  const busyRuns = [];
  for (let i = 0; i < ROUNDS; i++) {
    idleRuns.push(await pickup(passito, 'latency'));
    busyRuns.push(await pickupWhileBusy(passito));
  }
  await passito.close();
  const at = (runs: { returned: number[] }[], share: number) =>
    runs.map(({ returned }) => percentile(returned, share));
  table.tell('pickup from another process, idle, p50', 'ms', at(idleRuns, 0.5), { atMost: 0.8 });
  table.tell('pickup from another process, idle, p99', 'ms', at(idleRuns, 0.99), { atMost: 3 });
  const commits = idleRuns.map(({ calling }) => percentile(calling, 0.99));
  table.tell('raw: the commit of such a dispatch, as the claim needs one too, p99', 'ms', commits, {
    text: '',
  });
  table.tell('pickup while 1,000 jobs a second run, p50', 'ms', at(busyRuns, 0.5), { text: '' });
  table.tell('pickup while 1,000 jobs a second run, p99', 'ms', at(busyRuns, 0.99), { atMost: 10 });
  table.tell(
    'idle, a minute',
    'CPU s',
    idleRuns.map(({ idle }) => idle),
    { atMost: 0.05 },
  );
}

async function pickupWhileBusy(passito: Passito): Promise<{ returned: number[] }> {
  await passito.reset();
  await passito.start();
  const [others, feeder] = await Promise.all([passito.feeder('noop'), passito.feeder('stamp')]);
  const [{ calls }] = await Promise.all([feeder.ask(PICKUPS, 'added'), others.ask(OTHERS, 'added')]);
  await drained(passito, 0);
  const result = waits(calls, await passito.stamps());
  await Promise.all([others.end(), feeder.end()]);
  await passito.stop();
  return result;
}
