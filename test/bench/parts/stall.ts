/**
 * A supervisor that drains and a client that dispatches, both as fast as they can, on one file: how late the
 * supervisor's main thread is, and what each gets of what it gets alone. The client's jobs are of a type that nobody
 * runs, so that the supervisor has the same to do in both runs.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { sleep } from '../measure.ts';
import { Passito } from '../peers/contestant.ts';
import { drained, numbered } from '../peers/figures.ts';
import type { Table } from '../table.ts';
import type { Late } from './daemon.ts';

const ROUNDS = 3;
const DRAINED = 60_000;
const ALONE_MS = 1500;
const FLAT_OUT = { ask: 'add', count: 1_000_000, size: 1, every: 0 } as const;

interface Run {
  /** Jobs a second of the supervisor. */
  supervisor: number;
  late: Late;
  /** Dispatches a second of the client, and its longest wait for one. */
  client: number;
  longest: number;
}

/** Drains a full queue, with or without a client beside it. */
async function run(passito: Passito, withClient: boolean): Promise<Run> {
  await passito.reset();
  for (let i = 0; i < DRAINED; i += 10_000) await passito.add('noop', numbered(i, 10_000));
  const client = withClient ? await passito.feeder('other') : undefined;
  const child = fork(join(import.meta.dirname, 'daemon.ts'), [passito.bench.folder], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const calling = client?.ask(FLAT_OUT, 'added');
  await once(child, 'message');
  child.send('watch');
  const end = await drained(passito, DRAINED);
  const said = once(child, 'message');
  const ended = once(child, 'exit');
  child.send('end');
  const [late] = (await said) as [Late];
  client?.tell({ ask: 'enough' });
  const { calls } = (await calling) ?? { calls: [] };
  await client?.end();
  await ended;
  const began = await passito.first();
  const within = calls.filter(([before, after]) => after > began && before < end);
  const seconds = (end - began) / 1000;
  const longest = Math.max(...within.map(([before, after]) => after - before));
  return { supervisor: DRAINED / seconds, late, client: within.length / seconds, longest };
}

/** The client's dispatches a second with no supervisor. */
async function clientAlone(passito: Passito): Promise<number> {
  await passito.reset();
  const client = await passito.feeder('other');
  const calling = client.ask(FLAT_OUT, 'added');
  await sleep(ALONE_MS);
  client.tell({ ask: 'enough' });
  const { calls, began, ended } = await calling;
  await client.end();
  return calls.length / ((ended - began) / 1000);
}

export async function stallPart(table: Table): Promise<void> {
  const passito = new Passito();
  const rows: { alone: Run; both: Run; client: number }[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const alone = await run(passito, false);
    const client = await clientAlone(passito);
    rows.push({ alone, client, both: await run(passito, true) });
  }
  await passito.close();
  const tell = (
    what: string,
    unit: string,
    value: (row: (typeof rows)[0]) => number,
    goal: Parameters<Table['tell']>[3],
  ) => table.tell(what, unit, rows.map(value), goal);
  tell('main thread late, two processes writing, longest', 'ms', ({ both }) => both.late.most, { atMost: 5 });
  tell('main thread late, two processes writing, p99.9', 'ms', ({ both }) => both.late.p999, { text: '' });
  tell('main thread late, supervisor alone, longest', 'ms', ({ alone }) => alone.late.most, { text: '' });
  tell(
    'supervisor beside the client, of what it gets alone',
    '×',
    ({ both, alone }) => both.supervisor / alone.supervisor,
    { atLeast: 1 / 3 },
  );
  tell(
    'client beside the supervisor, of what it gets alone',
    '×',
    ({ both, client }) => both.client / client,
    { atLeast: 1 / 3 },
  );
  tell('longest wait of the client', 'ms', ({ both }) => both.longest, { atMost: 60 });
}
