/** A mixed load from several programs, and an account of what became of each job. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Site } from './daemon.ts';
import { executable } from './executable.ts';

/** Moves that may be seen in the table (the states of the store, by who moves them). */
const MOVES = new Set([
  'blocked>pending',
  'pending>processing',
  'processing>completed',
  'processing>pending',
  'processing>failed',
]);

/** A producer that may be killed. */
interface Producer {
  child: ChildProcess;
  /** Resolves with what it acknowledged: nothing, where it was killed before. */
  done: Promise<number[] | undefined>;
}

/** Writes the job files of the mixed load: each handler notes its beginning and its end outside the database. */
export function mixedJobs(site: Site): void {
  const note = (word: string) => `appendFileSync(ledger, \`${word} \${context.id} \${context.attempt}\\n\`);`;
  site.job('Quick', `${note('begin')} ${note('end')} return { n: payload.n };`);
  site.job('Slow', `${note('begin')} await sleep(payload.ms ?? 10); ${note('end')}`);
  site.job(
    'Flaky',
    `${note('begin')} if (context.attempt < 3) throw new Error('not yet'); ${note('end')}`,
    `maxAttempts: 3, backoff: { base: '40ms' },`,
  );
  site.job('Link', `${note('begin')} await sleep(2); ${note('end')} return context.dependencies.length;`);
}

/** Records every move of every job inside the transaction that makes it. */
export function watchMoves(site: Site): void {
  site.sql.exec(`
    CREATE TABLE moves_seen (job_id INTEGER NOT NULL, move TEXT NOT NULL) STRICT;
    CREATE TRIGGER watch_moves AFTER UPDATE OF status ON jobs WHEN old.status <> new.status
    BEGIN INSERT INTO moves_seen VALUES (new.id, old.status || '>' || new.status); END;`);
}

/** One line of each kind of job. `i` decides which. */
function lineOf(i: number, tag: string): Record<string, unknown> {
  const payload = { tag, n: i };
  switch (i % 8) {
    case 0:
      return { type: 'Link', payload, ref: `a${i}` };
    case 1:
      return { type: 'Link', payload, depends_on: [`a${i - 1}`], ref: `b${i}` };
    case 2:
      return { type: 'Link', payload, depends_on: [`a${i - 2}`, `b${i - 1}`] };
    case 3:
      return { type: 'Flaky', payload };
    case 4:
      return { type: 'Slow', payload: { ...payload, ms: i % 25 } };
    case 5:
      return { type: 'Quick', payload, delay: '150ms' };
    case 6:
      return { type: 'Quick', payload, unique_key: `k${i % 48}` };
    default:
      return { type: 'Quick', payload, priority: i % 10 };
  }
}

/** Starts `passito dispatch --ndjson -` with so many lines of a mixed load. */
export function produce(site: Site, tag: string, size: number, atomic: boolean): Producer {
  return produceLines(
    site,
    Array.from({ length: size }, (_, i) => lineOf(i, tag)),
    atomic ? ['--atomic'] : [],
  );
}

/** Starts `passito dispatch --ndjson -` with these lines. */
export function produceLines(site: Site, lines: object[], options: string[] = []): Producer {
  const args = ['dispatch', '--ndjson', '-', '--json', ...options];
  const child = spawn(executable, args, { cwd: site.folder, env: site.env, stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
  const done = new Promise<number[] | undefined>((resolve, reject) => {
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(undefined);
      else if (code !== 0) reject(new Error(`a producer ended with ${code}: ${err}`));
      else resolve((JSON.parse(out) as { jobs: { id: number }[] }).jobs.map(({ id }) => id));
    });
  });
  return { child, done };
}

/** What one program inserts in plain SQL: the ids were committed when this returns. */
export function insertDirectly(site: Site, count: number): number[] {
  const insert = site.sql.prepare('INSERT INTO jobs (type, payload, priority) VALUES (?, ?, ?)');
  const types = ['Quick', 'Slow', 'Flaky'];
  return site.sql.transaction(() =>
    Array.from({ length: count }, (_, i) =>
      Number(insert.run(types[i % 3], JSON.stringify({ ms: i % 20 }), i % 4).lastInsertRowid),
    ),
  )();
}

/** Asks the table and the ledger, and fails where they do not agree. Every job has ended by now. */
export function verify(site: Site, acknowledged: ReadonlySet<number>): void {
  const { sql } = site;
  const rows = sql.prepare('SELECT id, status, attempts, last_error, type FROM jobs ORDER BY id').all() as {
    id: number;
    status: string;
    attempts: number;
    last_error: string | null;
    type: string;
  }[];
  const ids = new Set(rows.map(({ id }) => id));
  assert.deepEqual(
    [...acknowledged].filter((id) => !ids.has(id)),
    [],
    'no acknowledged job is lost',
  );
  assert.deepEqual(rows.filter(({ status }) => status !== 'completed').slice(0, 5), [], 'all have completed');

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
  for (const { id, type, attempts } of rows) {
    const entry = ledger.get(id);
    assert.ok(
      entry !== undefined && entry.ends > 0,
      `#${id} ${type} is completed, so its handler reached its end`,
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

interface Entry {
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
    const entry = entries.get(Number(id)) ?? { ends: 0, firstLine: number, lastLine: number };
    entry.lastLine = number;
    if (word === 'end') entry.ends++;
    entries.set(Number(id), entry);
  });
  return entries;
}
