/** The account: what became of each job of a mixed load, by the table and by what its handlers wrote down elsewhere. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import type { Site } from './daemon.ts';

/** What was told of a job that somebody cancelled, and perhaps revived: nothing, where whoever did was killed. */
export type Told = 'cancelled' | 'revived' | 'perhaps';
export type Cancels = Map<number, Told>;

/** Moves that may be seen in the table (the states of the store, by who moves them). */
const MOVES = new Set([
  'blocked>pending',
  'pending>processing',
  'processing>completed',
  'processing>pending',
  'processing>failed',
  'pending>cancelled',
  'processing>cancelled',
  'cancelled>pending',
]);

/**
 * Asks the table and the ledger, and fails where they do not agree. Every job has ended by now. `acknowledged`: ids
 * that were told to whoever dispatched. `cancels`: what was told of jobs that somebody cancelled.
 */
export function verify(site: Site, acknowledged: ReadonlySet<number>, cancels: Cancels = new Map()): void {
  const { sql } = site;
  const rows = sql
    .prepare('SELECT id, status, attempts, crashes, last_error, type FROM jobs ORDER BY id')
    .all() as {
    id: number;
    status: string;
    attempts: number;
    crashes: number;
    last_error: string | null;
    type: string;
  }[];
  const ids = new Set(rows.map(({ id }) => id));
  assert.deepEqual(
    [...acknowledged].filter((id) => !ids.has(id)),
    [],
    'no acknowledged job is lost',
  );
  assert.deepEqual(
    rows.filter(({ id, status }) => !ends(cancels.get(id)).includes(status)).slice(0, 5),
    [],
    'all have completed, but for those that were cancelled',
  );

  const moves = sql.prepare('SELECT DISTINCT move FROM moves_seen').pluck().all() as string[];
  assert.deepEqual(
    moves.filter((move) => !MOVES.has(move)),
    [],
    'no other moves than the allowed ones',
  );
  const twice = sql.prepare(
    `SELECT job_id FROM moves_seen WHERE move = 'processing>completed' GROUP BY 1 HAVING count(*) > 1`,
  );
  assert.deepEqual(twice.all(), [], 'none completed twice');
  const after = sql.prepare(
    `SELECT a.job_id FROM moves_seen a JOIN moves_seen c ON c.job_id = a.job_id AND c.move = 'processing>completed' AND a.rowid > c.rowid`,
  );
  assert.deepEqual(after.all(), [], 'nothing moved a completed job');

  const ledger = readLedger(site);
  for (const { id, type, attempts, crashes, status } of rows) {
    if (status === 'cancelled') continue;
    const entry = ledger.get(id);
    assert.ok(
      entry !== undefined && entry.ends > 0,
      `#${id} ${type} is completed, so its handler reached its end`,
    );
    if (type === 'Victim') continue;
    // A crash may have come before the beginning of what it interrupted, and a beginning always before the end.
    assert.ok(
      entry.begins >= attempts && entry.begins <= attempts + crashes,
      `#${id} ${type} began ${entry.begins} times in ${attempts} attempts and ${crashes} crashes`,
    );
    // Two failures and a success, however many crashes: those cost no attempt.
    assert.equal(attempts, type === 'Flaky' ? 3 : 1, `#${id} ${type}`);
  }
  const links = sql.prepare('SELECT parent_id AS parent, job_id AS child FROM dependencies').all() as {
    parent: number;
    child: number;
  }[];
  for (const { parent, child } of links) {
    const [p, c] = [ledger.get(parent)!, ledger.get(child)!];
    assert.ok(p.lastLine < c.firstLine, `#${child} began after the last word of its parent #${parent}`);
  }
  assert.ok(links.length > 0, 'there were chains');
}

/** Fails unless each tick of the schedule has one job, and each job one tick. Gives their number. */
export function verifyTicks(site: Site): number {
  const ticks = site.sql.prepare('SELECT job_id FROM ticks_seen ORDER BY 1').pluck().all();
  const jobs = site.sql.prepare(`SELECT id FROM jobs WHERE type = 'Tick' ORDER BY 1`).pluck().all();
  assert.deepEqual(ticks, jobs, 'each tick has one job, and each job one tick');
  const seconds = site.sql
    .prepare<[], number>(`SELECT unixepoch(tick) FROM ticks_seen ORDER BY 1`)
    .pluck()
    .all();
  const all = Array.from({ length: seconds.length }, (_, i) => seconds[0]! + i);
  assert.deepEqual(seconds, all, 'every second once, and none left out');
  return ticks.length;
}

/** The states in which a job may end. */
function ends(told: Told | undefined): string[] {
  if (told === 'cancelled') return ['cancelled'];
  return told === 'perhaps' ? ['cancelled', 'completed'] : ['completed'];
}

interface Entry {
  begins: number;
  ends: number;
  firstLine: number;
  lastLine: number;
}

/** The lines are in the order in which they were written, whatever thread or process wrote them. */
function readLedger(site: Site): Map<number, Entry> {
  const entries = new Map<number, Entry>();
  const path = site.path('ledger');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  lines.forEach((line, number) => {
    const [word, id] = line.split(' ');
    const entry = entries.get(Number(id)) ?? { begins: 0, ends: 0, firstLine: number, lastLine: number };
    entry.lastLine = number;
    if (word === 'end') entry.ends++;
    else entry.begins++;
    entries.set(Number(id), entry);
  });
  return entries;
}
