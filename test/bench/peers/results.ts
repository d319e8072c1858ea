/** The samples of all systems, and the tables and the picture made of them. */

import { chart, type Panel } from '../chart.ts';
import { format, machine, markdown, publish, publishPicture, spread, summarize } from '../report.ts';
import type { Contestant } from './contestant.ts';

interface Figure {
  title: string;
  better: 'more' | 'less';
  axis: Panel['axis'];
}

/** In the order of the table. */
const FIGURES: Record<string, Figure> = {
  drain: { title: 'drain, jobs/s', better: 'more', axis: 'linear' },
  beside: {
    title: 'drain while another process adds in bulks of 100, jobs/s',
    better: 'more',
    axis: 'linear',
  },
  p50: { title: 'pickup from another process, p50, ms', better: 'less', axis: 'linear' },
  p99: { title: 'pickup from another process, p99, ms', better: 'less', axis: 'log' },
  'p50 called': { title: 'the same from before the call, p50, ms', better: 'less', axis: 'linear' },
  'p99 called': { title: 'the same from before the call, p99, ms', better: 'less', axis: 'linear' },
  idle: { title: 'idle, CPU s a minute with its server', better: 'less', axis: 'log' },
  cpu: { title: '200 jobs of 20 ms CPU, ms', better: 'less', axis: 'linear' },
};

const OURS = 'passito';

export class Results {
  readonly #samples = new Map<string, Map<string, number[]>>();

  add(figure: string, system: string, sample: number): void {
    const systems = this.#samples.get(figure) ?? new Map<string, number[]>();
    this.#samples.set(figure, systems);
    systems.set(system, [...(systems.get(system) ?? []), sample]);
    console.error(`${system}: ${FIGURES[figure]?.title}: ${format(sample)}`);
  }

  publish(contestants: readonly Contestant[], rounds: number): void {
    const names = [...new Set([...this.#samples.values()].flatMap((systems) => [...systems.keys()]))];
    const text = [
      `${machine()}. ${rounds} interleaved rounds; medians, and the spread in brackets.`,
      this.#table(names, (samples) => spread(summarize(samples))),
      'How many times better passito is (below 1 it is behind): the median of the ratios of each round, and in brackets their spread.',
      this.#table(
        names.filter((name) => name !== OURS),
        (theirs, ours, { better }) => {
          const pairs = theirs.map((value, i) => [value, ours[i] ?? Number.NaN] as const);
          return spread(summarize(pairs.map(([a, b]) => (better === 'more' ? b / a : a / b))));
        },
      ),
      contestants.map(({ name, settings }) => `- **${name}**: ${settings}`).join('\n'),
    ].join('\n\n');
    publish('peers', text);
    publishPicture('performance-peers.svg', chart('passito beside other job systems', this.#panels()));
  }

  #table(
    names: readonly string[],
    cell: (theirs: number[], ours: number[], figure: Figure) => string,
  ): string {
    const rows = Object.entries(FIGURES).flatMap(([key, figure]) => {
      const systems = this.#samples.get(key);
      const ours = systems?.get(OURS);
      if (systems === undefined || ours === undefined) return [];
      const cells = names.map((name) => {
        const theirs = systems.get(name);
        return theirs === undefined ? '' : cell(theirs, ours, figure);
      });
      return [[figure.title, ...cells]];
    });
    return markdown(['', ...names], rows);
  }

  #panels(): Panel[] {
    return Object.entries(FIGURES).flatMap(([key, { title, better, axis }]) => {
      const systems = this.#samples.get(key);
      if (systems === undefined || key.endsWith('called')) return [];
      const bars = [...systems].map(([name, samples]) => ({
        name,
        ours: name === OURS,
        ...summarize(samples),
      }));
      return [{ title: `${title} (${better} is better)`, axis, bars }];
    });
  }
}
