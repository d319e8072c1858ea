/** A mixed load from several programs. */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Site } from './daemon.ts';
import { executable } from './executable.ts';

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
  site.job('Victim', `${note('begin')} await sleep(payload.ms); ${note('end')}`);
  site.job('Tick', `${note('begin')} ${note('end')}`);
  site.job('Link', `${note('begin')} await sleep(2); ${note('end')} return context.dependencies.length;`);
}

/** A schedule that dispatches a `Tick` each second, and makes up for those that nobody saw. */
export const EVERY_SECOND = `export default { schedules: {
  second: { cron: '* * * * * *', type: 'Tick', overlap: 'queue', catchUp: 'all' },
} };`;

/** Records every move of every job, and every tick, inside the transaction that makes it. */
export function watchMoves(site: Site): void {
  site.sql.exec(`
    CREATE TABLE moves_seen (job_id INTEGER NOT NULL, move TEXT NOT NULL) STRICT;
    CREATE TRIGGER watch_moves AFTER UPDATE OF status ON jobs WHEN old.status <> new.status
    BEGIN INSERT INTO moves_seen VALUES (new.id, old.status || '>' || new.status); END;
    CREATE TABLE ticks_seen (tick TEXT NOT NULL, job_id INTEGER) STRICT;
    CREATE TRIGGER watch_ticks AFTER INSERT ON ticks WHEN new.schedule = 'second'
    BEGIN INSERT INTO ticks_seen VALUES (new.tick, new.job_id); END;`);
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
export function insertDirectly(site: Site, count: number, types = ['Quick', 'Slow', 'Flaky']): number[] {
  const insert = site.sql.prepare('INSERT INTO jobs (type, payload, priority) VALUES (?, ?, ?)');
  return site.sql.transaction(() =>
    Array.from({ length: count }, (_, i) =>
      Number(insert.run(types[i % types.length], JSON.stringify({ ms: i % 20 }), i % 4).lastInsertRowid),
    ),
  )();
}
