/** An older and a newer executable side by side: who meets tables that it does not know leaves them alone, and says so. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { Site } from '../tools/daemon.ts';

const KNOWN = MIGRATIONS.length;
const NEWER = new RegExp(`is from a newer passito \\(schema ${KNOWN + 1}; this one knows ${KNOWN}\\)`);

/** What a newer passito may do to the tables, and back: what a restore of the copy does. */
const ahead = (here: Site) =>
  here.sql.transaction(() => {
    here.sql.exec('ALTER TABLE jobs RENAME COLUMN lease TO hold');
    here.sql.pragma(`user_version = ${KNOWN + 1}`);
  })();
const back = (here: Site) =>
  here.sql.transaction(() => {
    here.sql.exec('ALTER TABLE jobs RENAME COLUMN hold TO lease');
    here.sql.pragma(`user_version = ${KNOWN}`);
  })();

describe('tables that a newer passito has changed', { concurrency: 2 }, () => {
  it('beneath a supervisor: it ends with a clear line and 3, starts no more, and no job is lost', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job('Note', 'await sleep(20); appendFileSync(ledger, `${context.id}\\n`);');
    here.job('Long', 'await sleep(payload.ms); appendFileSync(ledger, `${context.id}\\n`);');
    await here.ok('migrate');
    const daemon = await here.start(['--min-workers', '2']);
    const long = here.insert('Long', { ms: 60_000 });
    await here.reaches(long, 'processing');
    const ids = Array.from({ length: 60 }, () => here.insert('Note'));
    await here.until(`SELECT count(*) > 10 FROM jobs WHERE status = 'completed'`);
    ahead(here);
    const { code } = await daemon.ended;
    assert.equal(code, 3, daemon.log);
    assert.match(daemon.log, NEWER);
    assert.match(daemon.log, /Use the newer executable/);
    assert.ok(daemon.log.split('\n').length < 30, daemon.log);

    // Whoever starts it again, systemd each second, gets the same line at once.
    const again = await here.run(['supervisor']);
    assert.equal(again.code, 3);
    assert.match(again.stderr, NEWER);
    assert.equal(here.value('PRAGMA user_version'), KNOWN + 1);

    back(here);
    here.sql.prepare(`UPDATE jobs SET payload = '{"ms":1}' WHERE id = ?`).run(long);
    const next = await here.start();
    await here.drained();
    assert.equal((await next.stop()).code, 0);
    const rows = here.sql.prepare('SELECT id, status, attempts, crashes FROM jobs').all() as {
      id: number;
      status: string;
      attempts: number;
      crashes: number;
    }[];
    assert.equal(rows.length, ids.length + 1);
    const ledger = Map.groupBy(readFileSync(here.path('ledger'), 'utf8').trim().split('\n'), Number);
    for (const { id, status, attempts, crashes } of rows) {
      assert.deepEqual([status, attempts], ['completed', 1], `job ${id}`);
      const times = ledger.get(id)?.length ?? 0;
      assert.ok(times >= 1 && times <= 1 + crashes, `job ${id} ran ${times} times, ${crashes} crashes`);
    }
  });

  it('each command says so, and changes nothing', async (t) => {
    const here = new Site((clean) => t.after(clean));
    await here.ok('migrate');
    ahead(here);
    const before = here.value('SELECT count(*) FROM jobs');
    for (const args of [
      ['migrate'],
      ['dispatch', 'Note'],
      ['jobs', 'list'],
      ['jobs', 'prune'],
      ['status'],
      ['health'],
      ['cleanup-expired-files'],
    ]) {
      const { code, stdout, stderr } = await here.run(args);
      assert.deepEqual([code, stdout], [3, ''], `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, NEWER, args.join(' '));
    }
    assert.equal(here.value('SELECT count(*) FROM jobs'), before);
  });
});
