/** A claim costs the same however many rows lie beside the due ones; and without ANALYZE. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';

import type { Database } from 'better-sqlite3';

import { formatTime } from '../../src/engine/clock.ts';
import type { ClaimRequest } from '../../src/engine/store.ts';
import { prepareClaim } from '../../src/store/sqlite/claim.ts';
import { prepareCountDue } from '../../src/store/sqlite/lanes.ts';
import { prepareProcesses } from '../../src/store/sqlite/rescue.ts';
import { prepareSettle } from '../../src/store/sqlite/settle.ts';
import { FakeClock, MORNING } from '../tools/engine.ts';
import { Claimer, openStore } from '../tools/store.ts';

/** The texts of the statements that `prepare` makes, each with its plan. */
function plansOf(db: Database, prepare: (spy: Database) => unknown): Map<string, string[]> {
  const texts: string[] = [];
  prepare(
    new Proxy(db, {
      get(target, key) {
        if (key !== 'prepare') return Reflect.get(target, key) as unknown;
        return (sql: string) => {
          texts.push(sql);
          return target.prepare(sql);
        };
      },
    }),
  );
  const plans = new Map<string, string[]>();
  for (const sql of texts.filter((text) => /^\s*(SELECT|UPDATE|INSERT|DELETE|WITH)/i.test(text))) {
    const marks = sql.match(/\?/g)?.length ?? 0;
    const steps = db
      .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...Array.from({ length: marks }, () => null));
    plans.set(
      sql,
      steps.map(({ detail }) => detail),
    );
  }
  return plans;
}

/** Puts rows that a claim must pass by beside the due ones: completed, future, and blocked. */
function fill(db: Database, rows: number): void {
  const past = formatTime(MORNING - 86_400_000);
  const future = formatTime(MORNING + 86_400_000);
  db.transaction(() => {
    for (const [status, at, finished, waiting] of [
      ['completed', past, past, 0],
      ['pending', future, null, 0],
      ['blocked', past, null, 1],
    ]) {
      db.prepare(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO jobs (type, status, priority, available_at, finished_at, waiting_for, payload)
         SELECT CASE i % 3 WHEN 0 THEN 'A' WHEN 1 THEN 'B' ELSE 'C' END, ?, i % 3, ?, ?, ?, '{"outpass_id":12345}' FROM n`,
      ).run(Math.floor(rows / 3), status, at, finished, waiting);
    }
  })();
}

function addDue(db: Database, rows: number): void {
  db.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO jobs (type, priority, available_at) SELECT CASE i % 3 WHEN 0 THEN 'A' WHEN 1 THEN 'B' ELSE 'C' END, i % 3, ? FROM n`,
  ).run(rows, formatTime(MORNING - 1000));
}

test('[9] every statement of a claim is a search by an index, without ANALYZE', async (t) => {
  const { db } = await openStore(t, new FakeClock());
  assert.equal(db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'`).get(), undefined);
  const check = (rows: number) => {
    const plans = plansOf(db, prepareClaim);
    for (const [sql, steps] of [...plans, ...plansOf(db, prepareCountDue)]) {
      for (const step of steps) {
        assert.doesNotMatch(step, /SCAN (?!json_each|\(|\w*subquery)/i, `${rows} rows: ${sql}`);
        assert.doesNotMatch(step, /TEMP B-TREE FOR ORDER BY/, `${rows} rows: ${sql}`);
      }
      if (/WHERE status = 'pending' AND (\(?priority|crashes)/.test(sql)) {
        const index = sql.includes('crashes > 0') ? 'jobs_suspects' : 'jobs_due';
        assert.match(steps.join('\n'), new RegExp(`USING (COVERING )?INDEX ${index}`), sql);
      }
    }
    assert.ok([...plans.values()].some((steps) => steps.some((step) => step.includes('INDEX jobs_due'))));
  };
  check(0);
  fill(db, 30_000);
  check(30_000);
});

test('settles and rescues touch single rows or their own index', async (t) => {
  const { db } = await openStore(t, new FakeClock());
  fill(db, 3000);
  const plans = [...plansOf(db, (spy) => prepareSettle(spy, () => [])), ...plansOf(db, prepareProcesses)];
  assert.ok(plans.length > 10);
  for (const [sql, steps] of plans) {
    if (sql.endsWith('LIMIT 1')) continue;
    const scan = /SCAN (jobs|d|dependencies|attempts)\b(?! USING (COVERING )?INDEX jobs_processing)/;
    for (const step of steps) assert.doesNotMatch(step, scan, sql);
  }
});

/** The median cost of claiming 64 due jobs, in microseconds; the claims are undone. */
async function claimCost(t: TestContext, rows: number): Promise<number> {
  const store = await openStore(t, new FakeClock());
  fill(store.db, rows);
  addDue(store.db, 3000);
  const { process } = await Claimer.join(store, ['A', 'B', 'C']);
  const claim = prepareClaim(store.db);
  const types: ClaimRequest['types'] = new Map(
    ['A', 'B', 'C'].map((type) => [type, { weight: 1, concurrency: Number.POSITIVE_INFINITY }]),
  );
  const request: ClaimRequest = {
    process,
    slots: 64,
    ahead: 0,
    most: 1000,
    types,
    queues: null,
    suspects: 'any',
  };
  const times: number[] = [];
  for (let round = 0; round < 30; round++) {
    store.db.exec('BEGIN IMMEDIATE');
    const from = performance.now();
    assert.equal(claim(request, formatTime(MORNING)).claimed.length, 64);
    times.push((performance.now() - from) * 1000);
    store.db.exec('ROLLBACK');
  }
  return times.sort((a, b) => a - b)[15] ?? Number.NaN;
}

test(
  '[9] a claim costs the same beside 200,000 completed, future and blocked rows',
  { timeout: 60_000 },
  async (t) => {
    const alone = await claimCost(t, 0);
    const beside = await claimCost(t, 200_000);
    t.diagnostic(
      `64 claimed in ${alone.toFixed(0)} µs on an empty table, ${beside.toFixed(0)} µs beside 200,000 rows`,
    );
    // An order of magnitude is what a scan would cost; the rest is for a busy machine.
    assert.ok(beside < 3 * alone + 500, `${alone} µs against ${beside} µs`);
  },
);
