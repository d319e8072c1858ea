/** A million jobs of every kind through one supervisor that deletes what is old meanwhile: nothing grows. */

import assert from 'node:assert/strict';
import { lines } from '../../bench/lines.ts';
import { Site } from '../../tools/daemon.ts';
import {
  assertBelow,
  assertFlat,
  DEEP,
  Load,
  median,
  most,
  prepareEndurance,
  quarter,
  type Sample,
  troubles,
  watch,
  WORKERS,
} from '../../tools/endurance.ts';
import type { Part, Soak } from '../part.ts';

const GOAL = 1_000_000;

/** With so much time the goal is reached, however long it takes: two busy cores need two minutes. */
const ENOUGH_MINUTES = 3;

/** Jobs are deleted that ended so many seconds ago, as often as that. */
const KEEP = 5;

/** Between two looks, and between two reloads, each of which builds all parts anew in the same process. Milliseconds. */
const LOOK_MS = 1000;
const RELOAD_MS = 20_000;

const MB = 1024 * 1024;

export const millionPart: Part = {
  name: 'million',
  what: 'a million jobs of all kinds: memory, threads, descriptors, WAL, file',
  share: 2,
  async run(soak: Soak): Promise<void> {
    const cleaning: (() => Promise<void>)[] = [];
    const site = new Site((clean) => cleaning.push(clean));
    try {
      prepareEndurance(site, KEEP);
      const daemon = await site.start(['--min-workers', String(WORKERS), '--max-workers', String(WORKERS)]);
      const load = new Load(site);
      const time = setTimeout(
        () => (load.limit = soak.minutes < ENOUGH_MINUTES ? 0 : GOAL),
        soak.minutes * 60_000,
      );
      const reloads = setInterval(() => daemon.signal('SIGHUP'), RELOAD_MS);
      const samples = await watch(site, daemon, load.over, LOOK_MS).finally(() => {
        clearTimeout(time);
        clearInterval(reloads);
      });
      await site.drained(120_000);
      tell(soak, samples);
      soak.tell('reloads', daemon.log.split('reloaded; ').length - 1);
      assertFlat(samples, 'resident', 1.15);
      assertPruned(samples);
      // A row of this load takes a third of that, and a tenth of the file stays free for new ones.
      assertBelow(samples, 'file', 16 * MB + most(samples, 'rows') * 1024);
      // Pipes of a program that runs, connections that close.
      assertFlat(samples, 'descriptors', 1, 6);
      // The main thread, V8's and libuv's; and while a reload hands over, workers of both generations.
      assertBelow(samples, 'threads', 2 * WORKERS + 12);
      // SQLite begins to write it back at 4 MB.
      assertBelow(samples, 'wal', 32 * MB);
      assert.deepEqual(troubles(daemon), []);
    } finally {
      for (const clean of cleaning) await clean();
    }
  },
};

/** The faster the machine, the more rows there are. None is older than four times what is kept; as many as may wait come on top. */
function assertPruned(samples: readonly Sample[]): void {
  for (const { at, jobs, rows } of samples) {
    const before = samples.findLast((sample) => sample.at <= at - 4 * KEEP)?.jobs ?? 0;
    assert.ok(
      rows <= jobs - before + 2 * DEEP,
      `${rows} rows ${at.toFixed()} s after the start, although only ${jobs - before} jobs came lately`,
    );
  }
}

function tell(soak: Soak, samples: readonly Sample[]): void {
  const end = samples.at(-1)!;
  soak.tell('jobs', end.jobs);
  soak.tell('jobs a second', Math.round(end.jobs / end.at));
  const panels = PANELS.map(({ name, title, unit }) => {
    const [before, after] = [quarter(samples, 2), quarter(samples, 4)].map((part) =>
      shown(median(part, name) / unit),
    );
    const peak = shown(most(samples, name) / unit);
    soak.tell(title, `${before} → ${after} (most ${peak})`);
    return {
      title,
      note: `median of the second quarter ${before}, of the last ${after}; most ${peak}`,
      points: samples.map((sample) => ({ x: sample.jobs, y: sample[name] / unit })),
    };
  });
  const axis = { name: 'jobs dispatched', end: end.jobs };
  soak.picture('reliability-long-run.svg', lines('what a supervisor takes while it runs on', axis, panels));
}

const PANELS: readonly { name: keyof Sample; title: string; unit: number }[] = [
  { name: 'resident', title: 'resident memory, MB', unit: MB },
  { name: 'threads', title: 'threads', unit: 1 },
  { name: 'descriptors', title: 'open descriptors', unit: 1 },
  { name: 'wal', title: 'write-ahead log, MB', unit: MB },
  { name: 'file', title: 'database file, MB', unit: MB },
  { name: 'rows', title: 'rows in jobs', unit: 1 },
];

function shown(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
}
