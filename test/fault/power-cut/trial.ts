/** A load under the recorder, and what a power cut at many moments of it would have left. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { mixedJobs, produce } from '../../tools/chaos.ts';
import type { Site } from '../../tools/daemon.ts';
import { Disk, type Event, Promises, type Random, readRecording } from './recording.ts';

export type Synchronous = 'full' | 'normal';

/** What was seen at the cuts. */
export interface Figures {
  events: number;
  cuts: number;
  /** Promises that were kept, summed over the cuts. */
  kept: number;
  /** Acknowledged dispatches that were gone: the most at one cut. */
  lost: number;
  /** Images on which a supervisor started and finished all jobs. */
  boots: number;
}

/** Why the recorder cannot be built here, if so. */
export const missing =
  spawnSync('cc', ['--version']).status === 0 ? undefined : 'there is no C compiler for the recorder';

/** Builds the recorder into the folder. */
function recorder(site: Site): string {
  const library = site.path('recorder.so');
  const source = join(import.meta.dirname, 'recorder.c');
  const built = spawnSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl'], {
    encoding: 'utf8',
  });
  assert.equal(built.status, 0, built.stderr);
  return library;
}

/** Runs producers and a supervisor under the recorder; gives what they did, in its order. */
async function record(site: Site, synchronous: Synchronous, rounds: number): Promise<Event[]> {
  mkdirSync(site.path('data'));
  mixedJobs(site);
  Object.assign(site.env, {
    PASSITO_DB: site.path('data', 'passito.db'),
    PASSITO_JOBS: site.path('jobs'),
    PASSITO_SYNCHRONOUS: synchronous,
    LD_PRELOAD: recorder(site),
    POWERCUT_FOLDER: site.path('data'),
    POWERCUT_LOG: site.path('record'),
  });
  await site.ok('migrate');
  const daemon = await site.start(['--min-workers', '2']);
  for (let round = 0; round < rounds; round++) {
    const bulks = [produce(site, `r${round}a`, 400, true), produce(site, `r${round}b`, 80, false)];
    const waited = await site.run(['dispatch', 'Quick', '--wait', '--json']);
    assert.equal(waited.code, 0, waited.stderr);
    for (let i = 0; i < 3; i++) await site.ok('dispatch', 'Slow', '--json');
    await Promise.all(bulks.map(({ done }) => done));
  }
  assert.equal((await daemon.stop()).code, 0);
  delete site.env['LD_PRELOAD'];
  return readRecording(site.path('record'));
}

/** The moments of the cuts: anywhere, after words to the outside, and about a checkpoint. */
function moments(events: readonly Event[], count: number, random: Random): Set<number> {
  const indexesOf = (fits: (event: Event) => boolean) =>
    events.flatMap((event, i) => (fits(event) ? [i] : []));
  const kinds = [
    indexesOf(() => true),
    indexesOf(({ what }) => what === 'SAID'),
    indexesOf(({ what, name }) => name === 'passito.db' || what === 'TRUN' || what === 'GONE'),
  ].filter((kind) => kind.length > 0);
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, events.length)) {
    const kind = kinds[Math.floor(random() * kinds.length)]!;
    chosen.add(kind[Math.floor(random() * kind.length)]!);
  }
  return chosen;
}

/** Throws where a promise was not kept. */
export async function powerCuts(
  site: Site,
  how: { synchronous: Synchronous; rounds: number; cuts: number; boots: number; random: Random },
): Promise<Figures> {
  const { synchronous, random } = how;
  const events = await record(site, synchronous, how.rounds);
  const disk = new Disk();
  const promises = new Promises();
  const chosen = moments(events, how.cuts, random);
  const figures: Figures = { events: events.length, cuts: 0, kept: 0, lost: 0, boots: 0 };
  const bootEvery = Math.ceil(chosen.size / how.boots);
  const folder = site.path('cut');

  for (const [i, event] of events.entries()) {
    promises.hear(event);
    disk.apply(event);
    if (!chosen.has(i)) continue;
    disk.cut(random, folder);
    const moment = `a cut after event ${i} of ${events.length} (${event.what} ${event.name})`;
    const { kept, lost } = judge(join(folder, 'passito.db'), promises, synchronous, moment);
    figures.kept += kept;
    figures.lost = Math.max(figures.lost, lost);
    if (figures.cuts++ % bootEvery === 0) {
      await boot(site, folder, moment);
      figures.boots++;
    }
    rmSync(folder, { recursive: true });
  }
  return figures;
}

function judge(path: string, promises: Promises, synchronous: Synchronous, moment: string) {
  const db = new Database(path);
  try {
    assert.equal(db.pragma('integrity_check', { simple: true }), 'ok', moment);
    const made = db.pragma('user_version', { simple: true }) !== 0;
    const rows = (made ? db.prepare('SELECT id, status FROM jobs').all() : []) as {
      id: number;
      status: string;
    }[];
    const statuses = new Map(rows.map(({ id, status }) => [id, status]));
    const lost = [...promises.dispatched].filter((id) => !statuses.has(id));
    const undone = [...promises.completed].filter((id) => statuses.get(id) !== 'completed');
    if (synchronous === 'full') {
      assert.deepEqual(lost, [], `${moment}: acknowledged dispatches are gone`);
      assert.deepEqual(undone, [], `${moment}: jobs that were said to be completed are not`);
    } else {
      // Ids grow from commit to commit: what is gone is the end, and nothing in the midst.
      const last = Math.max(0, ...statuses.keys());
      assert.deepEqual(
        lost.filter((id) => id < last),
        [],
        `${moment}: there is a hole`,
      );
    }
    return {
      kept: promises.dispatched.size - lost.length + promises.completed.size - undone.length,
      lost: lost.length,
    };
  } finally {
    db.close();
  }
}

/** Starts the executable on the image, as after the boot of the machine, and waits until all jobs are done. */
async function boot(site: Site, folder: string, moment: string): Promise<void> {
  const data = site.path('boot');
  cpSync(folder, data, { recursive: true });
  Object.assign(site.env, { PASSITO_DB: join(data, 'passito.db') });
  const daemon = await site.start(['--min-workers', '2']);
  const db = new Database(join(data, 'passito.db'), { readonly: true });
  const left = db.prepare<[], number>(`SELECT count(*) FROM jobs WHERE status <> 'completed'`).pluck();
  const until = performance.now() + 60_000;
  while (left.get()! > 0) {
    assert.ok(
      performance.now() < until,
      `${moment}: ${left.get()} jobs are not done a minute after the boot`,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  db.close();
  assert.equal((await daemon.stop()).code, 0, moment);
  rmSync(data, { recursive: true });
}
