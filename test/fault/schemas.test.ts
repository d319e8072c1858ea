/**
 * Databases of every earlier schema, by the SQL of each step as it was when it shipped (schemas/, from the history of
 * src/store/sqlite): brought up to date by the executable with no row lost, and worked off.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { APPLICATION_ID, MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { Site } from '../tools/daemon.ts';

const folder = join(import.meta.dirname, 'schemas');
const steps = readdirSync(folder)
  .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
  .map((name) => readFileSync(join(folder, name), 'utf8'));

const THEN = '2026-01-01 10:00:00.000';
const STATES = ['blocked', 'pending', 'processing', 'completed', 'failed', 'cancelled'];

/** What was in each table, as far as the version had it. Process 1 has died, with job 3 in its hands. */
const ROWS: readonly [since: number, sql: string][] = [
  [
    1,
    `INSERT INTO processes (id, pid, host, boot_id, start_time, kind, started_at, heartbeat_at)
       VALUES (1, 999999, '${hostname()}', 'an earlier boot', '1', 'supervisor', '${THEN}', '${THEN}');
     INSERT INTO settings (key, value) VALUES ('database_id', 'kept');
     ${STATES.map(
       (
         status,
         i,
       ) => `INSERT INTO jobs (id, type, status, priority, lease, attempts, payload, available_at, claimed_by, unique_key,
           parents, waiting_for, started_at, finished_at, result, last_error) VALUES
         (${i + 1}, 'Note', '${status}', ${i}, ${i}, ${status === 'pending' || status === 'blocked' ? 0 : 1}, '{"n":${i + 1}}', '${THEN}',
          ${status === 'processing' ? 1 : 'NULL'}, 'key-${i + 1}', ${i === 0 ? 2 : 0}, ${i === 0 ? 2 : 0},
          ${i >= 2 ? `'${THEN}'` : 'NULL'}, ${i >= 3 ? `'${THEN}'` : 'NULL'},
          ${status === 'completed' ? `'{"kept":true}'` : 'NULL'}, ${status === 'failed' ? `'it was so'` : 'NULL'});`,
     ).join('\n')}
     INSERT INTO jobs (id, type, options, available_at) VALUES (7, 'Note', '{"timeout":5000}', '2099-01-01 10:00:00.000');
     INSERT INTO dependencies (parent_id, job_id, position) VALUES (2, 1, 0), (3, 1, 1);
     INSERT INTO attempts (job_id, attempt, outcome, ended_at, error) VALUES (5, 1, 'failed', '${THEN}', 'it was so');`,
  ],
  [
    2,
    `INSERT INTO hostels (name) VALUES ('North');
     INSERT INTO students (name, email, roll_number, hostel_id) VALUES ('Asha', 'a@b.edu', '1', 1);
     INSERT INTO outpasses (reference, student_id, kind, purpose, destination, leaves_at, returns_at, status)
       VALUES ('HP-1', 1, 'Home', 'Rest', 'Home', '2026-01-01 10:00', '2026-01-02 10:00', 'approved');`,
  ],
  [
    3,
    `INSERT INTO users (name, email, role) VALUES ('Wilma', 'w@b.edu', 'warden');
     INSERT INTO movements (outpass_id, direction, at, recorded_by) VALUES (1, 'out', '2026-01-01 10:00', 'gate');
     INSERT INTO mails (message_id, kind, sent_to, subject, state) VALUES ('a@b', 'accepted', 'a@b.edu', 's', 'sent');
     INSERT INTO parent_verifications (outpass_id, token_hash, method, sent_to, expires_at)
       VALUES (1, '${'a'.repeat(64)}', 'sms', '+91', '2026-01-01 10:00');
     UPDATE report_settings SET enabled = 1, time = '07:30' WHERE id = 2;
     INSERT INTO report_recipients (setting_id, user_id) VALUES (2, 1);`,
  ],
  [4, `UPDATE students SET parent_email = 'p@b.edu';`],
  [
    5,
    `INSERT INTO schedules (name, cron, zone, type, overlap, catch_up, decided_until, paused_at, paused_by)
       VALUES ('nightly', '0 3 * * *', 'UTC', 'Note', 'skip', 'latest', '${THEN}', '${THEN}', 'asha');
     INSERT INTO ticks (schedule, tick, outcome, job_id, decided_at) VALUES ('nightly', '${THEN}', 'run', 4, '${THEN}');`,
  ],
  [6, `UPDATE alert_state SET mailed = 'stale', mailed_at = '${THEN}', seen_checks = 2;`],
  [7, `UPDATE mails SET doubts = 1;`],
  [8, `INSERT INTO audit (at, who, action, detail) VALUES ('${THEN}', 'asha', 'jobs retry', '5');`],
  [9, `UPDATE alert_state SET mailed_threshold = 60000;`],
];

/** Makes the database as a passito of this version left it, and gives all its rows. */
function older(here: Site, version: number): Map<string, Record<string, unknown>[]> {
  const db = new Database(here.db);
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('journal_mode = WAL');
  for (const sql of steps.slice(0, version)) db.exec(sql);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma(`user_version = ${version}`);
  for (const [since, sql] of ROWS) if (since <= version) db.exec(sql);
  const rows = rowsOf(db);
  db.close();
  return rows;
}

function rowsOf(db: Database.Database): Map<string, Record<string, unknown>[]> {
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
    .pluck()
    .all() as string[];
  return new Map(
    tables.map((name) => [name, db.prepare(`SELECT * FROM ${name}`).all() as Record<string, unknown>[]]),
  );
}

/** Each row of before is there, with all that it held. */
function keeps(db: Database.Database, before: Map<string, Record<string, unknown>[]>): void {
  const after = rowsOf(db);
  for (const [table, rows] of before) {
    const now = after.get(table) ?? [];
    assert.equal(now.length, rows.length, table);
    rows.forEach((row, i) => assert.deepEqual({ ...now[i], ...row }, now[i], `${table} ${i}`));
  }
}

describe('a database of each earlier schema', { concurrency: 2 }, () => {
  it('the steps that shipped are what they were', () => {
    const withoutComment = (sql: string) => sql.slice(sql.indexOf('\n') + 1);
    assert.deepEqual(
      MIGRATIONS.slice(0, steps.length).map(({ sql }) => sql),
      steps.map(withoutComment),
    );
    assert.equal(steps.length, MIGRATIONS.length, 'a new step: keep its SQL in test/fault/schemas');
  });

  for (let version = 1; version <= steps.length; version++) {
    it(`version ${version}: by migrate, then by a supervisor that works its jobs off`, async (t) => {
      const here = new Site((clean) => t.after(clean));
      here.job('Note', 'appendFileSync(ledger, `${payload.n}\\n`); return context.dependencies.length;');
      const before = older(here, version);
      const current = version === MIGRATIONS.length;
      const refused = await here.run(['jobs', 'list']);
      assert.equal(refused.code, current ? 0 : 3, refused.stderr);
      if (!current) assert.match(refused.stderr, /passito migrate/);
      keeps(here.sql, before);

      await here.ok('migrate');
      keeps(here.sql, before);
      assert.equal(here.value('PRAGMA user_version'), MIGRATIONS.length);
      assert.equal(here.value<string>('PRAGMA integrity_check'), 'ok');

      const daemon = await here.start();
      await here.reaches(1, 'completed');
      await daemon.stop();
      const jobs = here.sql
        .prepare('SELECT status, attempts, crashes, result FROM jobs ORDER BY id')
        .raw()
        .all();
      assert.deepEqual(jobs, [
        // It has waited for both of its parents, of which one was in a dead process's hands.
        ['completed', 1, 0, '2'],
        ['completed', 1, 0, '0'],
        ['completed', 1, 1, '0'],
        ['completed', 1, 0, '{"kept":true}'],
        ['failed', 1, 0, null],
        ['cancelled', 1, 0, null],
        ['pending', 0, 0, null],
      ]);
      assert.deepEqual(readFileSync(here.path('ledger'), 'utf8').trim().split('\n').toSorted(), [
        '1',
        '2',
        '3',
      ]);
    });
  }

  for (const version of [1, 5, 8]) {
    it(`version ${version}: by the start of a supervisor`, async (t) => {
      const here = new Site((clean) => t.after(clean));
      here.job('Note', 'return 1;');
      older(here, version);
      const daemon = await here.start();
      await here.reaches(1, 'completed');
      assert.match(
        daemon.log,
        new RegExp(`the tables were brought up to date from=${version} to=${MIGRATIONS.length} `),
      );
      assert.equal((await daemon.stop()).code, 0);
    });
  }
});
