/**
 * `npm run bench:growth`: what a job costs as the work grows. 2 workers where nothing else is said.
 *
 *   npm run bench:growth -- payload workers    only some of: rows, workers, payload, dependencies, fan
 *   npm run bench:growth -- --write            puts table and picture into docs/
 */

import { chart, type Panel } from '../chart.ts';
import { Passito } from '../peers/contestant.ts';
import { JOBS, numbered } from '../peers/figures.ts';
import type { Kind } from '../peers/systems/peer.ts';
import { costBeside, fillBeside } from '../parts/rows.ts';
import { asked, format, machine, markdown, publish, publishPicture, spread, summarize } from '../report.ts';
import { children, fanIn, fanOut } from './dependencies.ts';
import { costOf, drainOnce, type Filled } from './drain.ts';

const ROUNDS = 3;
/** No payload size puts more than this into the queue. */
const MOST_BYTES = 40_000_000;

/** One line of the chart: samples of all rounds. */
interface Line {
  name: string;
  samples: number[];
}

class Group {
  readonly title: string;
  readonly axis: Panel['axis'];
  readonly lines: Line[] = [];

  constructor(title: string, axis: Panel['axis'] = 'linear') {
    this.title = title;
    this.axis = axis;
  }

  add(name: string, sample: number): void {
    const line = this.lines.find((known) => known.name === name);
    if (line === undefined) this.lines.push({ name, samples: [sample] });
    else line.samples.push(sample);
    console.error(`${this.title}: ${name}: ${format(sample)}`);
  }
}

const plain =
  (kind: Kind, count: number, pad = '') =>
  async (passito: Passito): Promise<Filled> => {
    const size = Math.max(1, Math.min(1000, Math.floor(4_000_000 / (pad.length + 1))));
    const dispatch = await costOf(count, async () => {
      for (let i = 0; i < count; i += size) {
        const batch = numbered(i, Math.min(size, count - i));
        await passito.add(kind, pad === '' ? batch : batch.map((payload) => ({ ...payload, pad })));
      }
    });
    return { jobs: count, dispatch };
  };

async function rows(): Promise<Group[]> {
  const group = new Group('rows in the table, µs a job');
  const tables = [10_000, 100_000, 1_000_000, 3_000_000].map((count) => ({
    name: format(count),
    count,
    passito: new Passito(),
  }));
  for (const { passito, count } of tables) {
    await passito.reset();
    fillBeside(passito, count);
  }
  for (let i = 0; i < ROUNDS; i++) {
    for (const { name, passito } of tables) group.add(name, await costBeside(passito));
  }
  for (const { passito } of tables) await passito.close();
  return [group];
}

async function workers(): Promise<Group[]> {
  const noop = new Group('workers, jobs that do nothing, µs a job');
  const wait = new Group('workers, jobs that wait for 20 ms, jobs/s', 'log');
  for (let i = 0; i < ROUNDS; i++) {
    for (const count of [1, 2, 4, 8, 16, 50]) {
      noop.add(String(count), (await drainOnce(count, plain('noop', JOBS))).run);
      wait.add(String(count), 1e6 / (await drainOnce(count, plain('wait', 40 * count))).run);
    }
  }
  return [noop, wait];
}

async function payloads(): Promise<Group[]> {
  const run = new Group('payload, run, µs a job', 'log');
  const dispatch = new Group('payload, dispatch, µs a job', 'log');
  const sizes = { '100 B': 100, '1 KB': 1000, '10 KB': 10_000, '100 KB': 100_000, '1 MB': 1_000_000 };
  for (let i = 0; i < ROUNDS; i++) {
    for (const [name, size] of Object.entries(sizes)) {
      const count = Math.min(JOBS, Math.floor(MOST_BYTES / size));
      const cost = await drainOnce(2, plain('noop', count, 'x'.repeat(size)));
      run.add(name, cost.run);
      dispatch.add(name, cost.dispatch);
    }
  }
  return [run, dispatch];
}

async function dependencies(): Promise<Group[]> {
  const run = new Group('dependencies of each job, run, µs a job');
  const dispatch = new Group('dependencies of each job, dispatch, µs a job');
  for (let i = 0; i < ROUNDS; i++) {
    for (const each of [0, 1, 10, 100]) {
      const cost = await drainOnce(2, children(each));
      run.add(String(each), cost.run);
      dispatch.add(String(each), cost.dispatch);
    }
  }
  return [run, dispatch];
}

async function fan(): Promise<Group[]> {
  const group = new Group('1,000 jobs, µs a job');
  for (let i = 0; i < ROUNDS; i++) {
    group.add('apart', (await drainOnce(2, fanIn(false))).run);
    group.add('and one that waits for all', (await drainOnce(2, fanIn(true))).run);
    group.add('that wait for one', (await drainOnce(2, fanOut)).run);
  }
  return [group];
}

const PARTS = { rows, workers, payload: payloads, dependencies, fan };
const groups: Group[] = [];
for (const [name, part] of Object.entries(PARTS)) if (asked(name)) groups.push(...(await part()));

// A line for each, so that the page stays short.
const table = groups.map(({ title, lines }) => [
  title,
  lines.map(({ name, samples }) => `**${name}:** ${spread(summarize(samples))}`).join(' · '),
]);
publish(
  'growth',
  `${machine()}. ${ROUNDS} interleaved rounds; medians, and the spread in brackets.\n\n${markdown(['what', '**value:** median (spread)'], table)}`,
);
publishPicture(
  'performance-growth.svg',
  chart(
    'the cost of a job as the work grows',
    groups.map(({ title, axis, lines }) => ({
      title,
      axis,
      bars: lines.map(({ name, samples }) => ({ name, ours: true, ...summarize(samples) })),
    })),
  ),
);
