/** What an admin asks and does: health, status, explain, and the verbs of `passito jobs`. */

import assert from 'node:assert/strict';
import { before, after, describe, it } from 'node:test';
import { Site } from '../tools/daemon.ts';

const RULE = '='.repeat(50);

interface Health {
  healthy: boolean;
  reasons: { code: string; message: string; try: string }[];
}

/** The guide's seven lines. */
function sevenLines(pending: number, processing: number, failed: number, stale: number, minutes = 5): string {
  return `Job Queue Health Check
${RULE}
Pending Jobs:    ${pending}
Processing Jobs: ${processing}
Failed Jobs:     ${failed}
Stale Jobs:      ${stale} (older than ${minutes}m)
`;
}

/** A time in the past, as the table keeps it. */
function ago(ms: number): string {
  return new Date(Date.now() - ms).toISOString().slice(0, 23).replace('T', ' ');
}

const MINUTE = 60_000;

describe('health', { concurrency: 2 }, () => {
  /** A database with rows in the given states. */
  async function queue(
    t: { after: (clean: () => Promise<void>) => void },
    rows: Record<string, unknown>[],
  ): Promise<Site> {
    const here = new Site((clean) => t.after(clean));
    await here.ok('migrate');
    for (const row of rows) {
      const names = Object.keys(row);
      here.sql
        .prepare(`INSERT INTO jobs (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
        .run(...Object.values(row));
    }
    return here;
  }

  async function reasons(here: Site): Promise<Health['reasons']> {
    return (await here.json<Health>('health')).reasons;
  }

  it('prints the seven lines to the letter where all is well', async (t) => {
    const here = await queue(t, [
      ...Array.from({ length: 12 }, () => ({ type: 'A', available_at: ago(MINUTE) })),
      { type: 'A', available_at: '2099-01-01 00:00:00.000' },
      { type: 'A', status: 'failed', finished_at: ago(MINUTE) },
      { type: 'A', status: 'completed', finished_at: ago(MINUTE) },
    ]);
    const expected = `${sevenLines(12, 0, 1, 0)}\n✓ Job queue is healthy\n`;
    for (const name of ['health', 'jobs:health']) {
      const { code, stdout, stderr } = await here.run([name, '--exit-code-on-failure']);
      assert.deepEqual([code, stdout, stderr], [0, expected, `Database: ${here.db}\n`]);
    }
    assert.match(await here.ok('health', '--alert-threshold=10'), /^Stale Jobs: {6}0 \(older than 10m\)$/m);
  });

  it('stale jobs, and no supervisor', async (t) => {
    const here = await queue(t, [{ type: 'A', available_at: ago(12 * MINUTE) }]);
    const { code, stdout } = await here.run(['health', '--exit-code-on-failure']);
    assert.equal(code, 1);
    assert.equal(
      stdout,
      `${sevenLines(1, 0, 0, 1)}
✗ Job queue has issues
  - 1 job has been due for more than 5m; the oldest for 12m. No supervisor runs.
    Try: passito supervisor
`,
    );
    assert.equal((await here.run(['health'])).code, 0, 'the exit code only where it was asked for');
    assert.equal((await here.json<Health>('health', '--alert-threshold', '15')).healthy, true);
  });

  it('too many failures: discards do not count, and four are too few to judge', async (t) => {
    const failed = { type: 'A', status: 'failed', finished_at: ago(MINUTE) };
    const here = await queue(t, [failed, failed, failed, failed]);
    assert.deepEqual(await reasons(here), []);
    here.sql
      .prepare(`INSERT INTO jobs (type, status, finished_at) VALUES ('A', 'completed', ?)`)
      .run(ago(MINUTE));
    assert.deepEqual(await reasons(here), [
      {
        code: 'failure-rate',
        message: '80 % of the last 5 finished jobs failed.',
        try: 'passito jobs list --state failed',
      },
    ]);
    here.sql.exec('UPDATE jobs SET discarded = 1 WHERE id > 1');
    assert.deepEqual(await reasons(here), []);
  });

  it('a job that nobody holds any more is stuck', async (t) => {
    const here = await queue(t, [
      { type: 'A', status: 'processing', started_at: ago(MINUTE), attempts: 1, claimed_by: 77 },
    ]);
    assert.deepEqual(await reasons(here), [
      { code: 'stuck', message: '1 job is stuck in processing: #1.', try: 'passito explain 1' },
    ]);
  });

  it('a supervisor that vanished, jobs or not; one that was stopped is no fault', async (t) => {
    const here = new Site((clean) => t.after(clean));
    const daemon = await here.start();
    assert.deepEqual(await reasons(here), []);
    await daemon.kill();
    here.sql.prepare('UPDATE processes SET heartbeat_at = ?').run(ago(7 * MINUTE));
    assert.match(
      (await reasons(here))[0]?.message ?? '',
      new RegExp(
        `The supervisor \\(pid ${daemon.pid}\\) ended without a clean stop; it last wrote to the database 7m ago\\.`,
      ),
    );
    const next = await here.start();
    assert.deepEqual(await reasons(here), []);
    await next.stop();
    here.sql.prepare('UPDATE processes SET heartbeat_at = ?').run(ago(70 * MINUTE));
    assert.deepEqual(await reasons(here), []);
  });
});

describe('status and explain', () => {
  const here = new Site(after);
  let pid = 0;

  before(async () => {
    here.job('Nap', 'await sleep(payload.ms);');
    here.job('Bad', 'throw new Error("disk on fire");', `maxAttempts: 2, backoff: { base: '1h' },`);
    here.job('One', 'await sleep(payload.ms);', 'concurrency: 1,');
    pid = (await here.start(['--min-workers', '2', '--max-workers', '2', '--queues', 'default'])).pid;
  });

  const explain = (id: number) => here.ok('explain', String(id));

  it('tells of each state what would move it', async () => {
    const running = here.insert('Nap', { ms: 4000 });
    const bad = here.insert('Bad');
    await here.reaches(running, 'processing');
    await here.until('SELECT attempts FROM jobs WHERE id = ?', [bad]);
    assert.match(
      await explain(running),
      new RegExp(`^Job #${running} \\(Nap\\) runs for .* in the supervisor with pid ${pid}, attempt 1\\.\n$`),
    );
    await here.until(`SELECT status = 'pending' FROM jobs WHERE id = ?`, [bad]);
    assert.match(
      await explain(bad),
      /^Job #\d+ \(Bad\) failed \(disk on fire\) and is tried again at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, in \d+m( \d+s)?\.\n$/,
    );

    const blocked = (await here.json<{ id: number }>('dispatch', 'Nap', '--depends-on', `${running},${bad}`))
      .id;
    assert.equal(
      await explain(blocked),
      `Job #${blocked} (Nap) waits for #${running} (Nap, processing), #${bad} (Bad, pending), and runs once they have completed.\n`,
    );

    const first = here.insert('One', { ms: 1500 });
    await here.reaches(first, 'processing');
    const second = here.insert('One', { ms: 0 });
    assert.equal(
      await explain(second),
      `Job #${second} (One) is due, but of its type at most 1 may run at once (concurrency), and 1 does: #${first}; it can start when one has ended.\n`,
    );

    const later = (await here.json<{ id: number }>('dispatch', 'Nap', '--delay', '2h')).id;
    assert.match(await explain(later), /is scheduled at .*, in (2h|120m|1h 59m)/);

    const elsewhere = (await here.json<{ id: number }>('dispatch', 'Nap', '--queue', 'other')).id;
    assert.match(
      await explain(elsewhere),
      /no running supervisor serves the queue 'other'; start one without --queues, or with it/,
    );

    const stranger = here.insert('Stranger');
    assert.match(
      await explain(stranger),
      /no running supervisor knows the type 'Stranger'; put its file into the jobs folder and reload the supervisor/,
    );

    here.sql.prepare(`UPDATE jobs SET available_at = ? WHERE id = ?`).run(ago(1), bad);
    await here.reaches(bad, 'failed');
    assert.equal(
      await explain(bad),
      `Job #${bad} (Bad) failed after 2 attempts (disk on fire); 'passito jobs retry ${bad}' gives it one more attempt.\n`,
    );
    assert.match(
      await explain(blocked),
      new RegExp(
        `waits for #${bad} \\(Bad\\), which is failed; 'passito jobs retry ${bad}' would let it go on`,
      ),
    );

    await here.ok('jobs', 'cancel', String(later));
    assert.match(await explain(later), /was cancelled at .*; 'passito jobs retry \d+' brings it back/);
    const done = (await here.json<{ id: number }>('dispatch', 'Nap', '--wait')).id;
    assert.match(await explain(done), /completed at .*; nothing will run it again/);
    const answer = await here.json<{ id: number; status: string }>('explain', String(done));
    assert.deepEqual([answer.id, answer.status], [done, 'completed']);
  });

  it('status shows workers, what they do, and what waits', async () => {
    await here.until(`SELECT NOT EXISTS (SELECT 1 FROM jobs WHERE status = 'processing')`);
    const naps = Array.from({ length: 3 }, () => here.insert('Nap', { ms: 2500 }));
    await here.until(`SELECT count(*) = 2 FROM jobs WHERE status = 'processing'`);
    const text = await here.ok('status');
    assert.match(
      text,
      new RegExp(`^Supervisor pid ${pid}, up .*: 2 workers wanted \\(2 to 2\\), 2 threads\n`),
    );
    assert.match(text, new RegExp(`  #${naps[0]}  Nap  attempt 1  for \\d`));
    assert.match(text, /\nDue: 1 Nap, the oldest for /);
    assert.match(text, /\nLast minute: \d+ completed, 1 failed\.\nNext: dispatch-scheduled-reports \d.*\n$/);
    const json = await here.json<{
      processes: { pid: number; alive: boolean; running: unknown[] }[];
      due: { type: string; count: number }[];
    }>('status');
    assert.deepEqual(
      json.processes.map((one) => [one.pid, one.alive, one.running.length]),
      [[pid, true, 2]],
    );
    assert.ok(json.due.some(({ type, count }) => type === 'Nap' && count === 1));
    await here.ok('jobs', 'cancel', ...naps.map(String));
  });
});

describe('the verbs of passito jobs', () => {
  const here = new Site(after);

  before(async () => {
    here.job('Nap', 'return "rested";');
    here.job('Bad', 'throw new Error(`cannot reach ${payload.host ?? "nobody"}`);', 'maxAttempts: 1,');
    await here.start();
    for (const host of ['a', 'b', 'c']) here.insert('Bad', { host });
    for (let n = 0; n < 4; n++) here.insert('Nap', { n });
    await here.drained();
    await here.ok('dispatch', 'Nap', '--queue', 'mail', '--delay', '1h');
  });

  async function listed(...filters: string[]): Promise<number[]> {
    return (await here.json<{ id: number }[]>('jobs', 'list', ...filters)).map(({ id }) => id);
  }

  it('list, the newest first, with every filter', async () => {
    assert.deepEqual(await listed(), [8, 7, 6, 5, 4, 3, 2, 1]);
    assert.deepEqual(await listed('--limit', '2'), [8, 7]);
    assert.deepEqual(await listed('--state', 'failed'), [3, 2, 1]);
    assert.deepEqual(await listed('--state', 'failed,pending'), [8, 3, 2, 1]);
    assert.deepEqual(await listed('--type', 'Nap', '--state', 'completed'), [7, 6, 5, 4]);
    assert.deepEqual(await listed('--queue', 'mail'), [8]);
    assert.deepEqual(await listed('--error', 'reach b'), [2]);
    assert.deepEqual(await listed('--error', '%'), []);
    assert.deepEqual(await listed('--older-than', '1h'), []);
    const text = await here.ok('jobs', 'list', '--state', 'failed', '--error', 'reach b');
    assert.match(
      text,
      /^id {2}type {2}status {2}attempts {2}when \(UTC\) {11}last error\n#2 {2}Bad {3}failed {2}1 {9}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  cannot reach b\n$/,
    );
    const none = await here.run(['jobs', 'list', '--type', 'Nobody']);
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'No jobs.\n']);
  });

  it('show tells everything of a job', async () => {
    const text = await here.ok('jobs', 'show', '#2');
    assert.match(text, /^Job #2 Bad {2}\(times in UTC\)\n {2}Status {8}failed\n {2}Attempts {6}1\n/);
    assert.match(text, /\n {2}Payload {7}\{"host":"b"\}\n/);
    assert.match(text, /\n {2}Last error {4}cannot reach b\n/);
    assert.match(
      text,
      /Attempts that did not end well:\n {2}1 {2}failed {2}.* {2}cannot reach b\n +Error: cannot reach b\n +at .*jobs\/Bad\.ts:\d+/,
    );
    const json = await here.json<Record<string, unknown> & { attempts: { attempt: number }[] }>(
      'jobs',
      'show',
      '4',
    );
    assert.deepEqual(
      [json['type'], json['status'], json['payload'], json['result'], json['discarded']],
      ['Nap', 'completed', { n: 0 }, 'rested', false],
    );
    assert.deepEqual(Object.keys(json).slice(0, 8), [
      'id',
      'type',
      'status',
      'queue',
      'priority',
      'attempts',
      'max_attempts',
      'crashes',
    ]);
  });

  it('retry, by id and by filter; a completed job is never run again', async () => {
    assert.equal(await here.ok('jobs', 'retry', '2'), 'Job #2 will be tried again.\n');
    await here.until('SELECT attempts = 2 AND status = ? FROM jobs WHERE id = 2', ['failed']);
    const all = await here.ok('jobs', 'retry', '--failed', '--type', 'Bad');
    assert.equal(all, '3 jobs will be tried again.\n');
    await here.until(`SELECT count(*) = 3 FROM jobs WHERE status = 'failed'`);
    assert.deepEqual(
      here.sql.prepare('SELECT attempts FROM jobs WHERE id < 4 ORDER BY id').pluck().all(),
      [2, 3, 2],
    );
    const refused = await here.run(['jobs', 'retry', '4', '99']);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /Job #4 is completed \(a completed job is never run again\); nothing was changed\.\nThere is no job #99\.\n/,
    );
  });

  it('cancel, and bring back', async () => {
    assert.deepEqual(await here.json('jobs', 'cancel', '8'), { changed: [8], refused: [] });
    const again = await here.run(['jobs', 'cancel', '8', '--json']);
    assert.deepEqual(
      [again.code, JSON.parse(again.stdout)],
      [1, { changed: [], refused: [{ id: 8, status: 'cancelled' }] }],
    );
    await here.ok('jobs', 'retry', '8');
    await here.reaches(8, 'completed');
  });

  it('delete, but no parent that somebody waits for', async () => {
    const { id: child } = await here.json<{ id: number }>('dispatch', 'Nap', '--depends-on', '1');
    const refused = await here.run(['jobs', 'delete', '1']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Job #1 is failed and other jobs wait for it; nothing was changed\.\n/);
    assert.equal(await here.ok('jobs', 'delete', String(child)), `Job #${child} deleted.\n`);
    assert.equal(
      await here.ok('jobs', 'delete', '1,2', '3'),
      'Job #1 deleted.\nJob #2 deleted.\nJob #3 deleted.\n',
    );
    assert.deepEqual(await listed('--type', 'Bad'), []);
  });

  it('prune, by age', async () => {
    const old = here.sql.prepare(`INSERT INTO jobs (type, status, finished_at) VALUES ('Nap', ?, ?)`);
    old.run('completed', ago(31 * 24 * 60 * MINUTE));
    old.run('completed', ago(29 * 24 * 60 * MINUTE));
    old.run('failed', ago(89 * 24 * 60 * MINUTE));
    old.run('cancelled', ago(91 * 24 * 60 * MINUTE));
    assert.equal(await here.ok('jobs', 'prune'), 'Deleted 1 completed and 1 failed or cancelled jobs.\n');
    assert.deepEqual(await here.json('jobs', 'prune', '--completed', '20d', '--failed', '1h'), {
      completed: 1,
      failed: 1,
    });
  });

  it('rows that another program wrote strangely are shown by every command, and break none', async () => {
    const insert = here.sql.prepare(
      `INSERT INTO jobs (type, status, claimed_by, started_at, attempts, options, result, payload)
       VALUES ('Strange', ?, (SELECT max(id) FROM processes), ?, 1, ?, 'by hand', '{"a":1}')`,
    );
    const ids: number[] = [];
    for (const options of ['null', '7', '{"redact":5,"timeout":[]}', '{"timeout":5}\0x']) {
      for (const status of ['processing', 'completed']) {
        ids.push(Number(insert.run(status, ago(0), options).lastInsertRowid));
      }
    }
    for (const args of [['health'], ['status'], ['jobs', 'list'], ['jobs', 'list', '--json'], ['doctor']]) {
      const { code, stderr } = await here.run(args);
      assert.ok(code === 0 || code === 1, `${args.join(' ')}: ${code} ${stderr}`);
    }
    for (const id of ids) {
      await here.ok('explain', String(id));
      assert.match(await here.ok('jobs', 'show', String(id)), /by hand/);
      assert.equal((await here.json<{ result: string }>('jobs', 'show', String(id))).result, 'by hand');
    }
    here.sql.exec(`DELETE FROM jobs WHERE type = 'Strange'`);
  });

  it('a payload that would steer the terminal is shown, not obeyed', async () => {
    const id = here.insert('Bad', { host: '\u001b[2J\u001b]0;owned\u0007' });
    await here.reaches(id, 'failed');
    for (const args of [
      ['jobs', 'show', String(id)],
      ['jobs', 'list'],
      ['explain', String(id)],
    ]) {
      const text = await here.ok(...args);
      assert.ok(!text.includes('\u001b') && !text.includes('\u0007'), JSON.stringify(text));
    }
  });
});
