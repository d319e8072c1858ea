/** The mail server is down for an hour: passes are approved, and their mails wait for it. */

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { simpleParser } from 'mailparser';

import { parseTime } from '../../src/engine/clock.ts';
import { outpassRows, studentRows } from '../../src/outpass/import.ts';
import { approvePass } from '../../src/store/sqlite/decisions.ts';
import { SqliteOffice } from '../../src/store/sqlite/office.ts';
import { type Engine, openEngine } from '../engine/harness.ts';
import { FakeClock } from '../tools/engine.ts';
import { one, parents, passRecord, settings, studentRecord } from '../tools/office.ts';
import { closedPort, startSmtp } from '../tools/smtp.ts';

const MINUTE = 60_000;
const PASSES = 20;

/** An engine with an office that knows as many students, each with a pending pass. */
async function opened(t: TestContext, port: number) {
  const clock = new FakeClock();
  const mail = { host: '127.0.0.1', port, from: 'office@example.edu', hostname: 'gate.example.edu' };
  const engine = await openEngine(t, { mail, clock, workers: 2 });
  const { store, folder, pool } = engine;
  store.db.exec(`INSERT INTO settings (key, value) VALUES ('database_id', 'test')`);
  const office = new SqliteOffice({
    db: store.db,
    write: (op) => store.write(op),
    read: (op) => store.read(op),
    settings,
    parents,
    keysFolder: path.join(folder, 'keys'),
    clock,
    random: Math.random,
  });
  const calls = office as unknown as Record<string, (...args: unknown[]) => unknown>;
  pool.services.add('office', (_chunk, _index, method, args) => calls[method]?.(...args));
  const numbers = Array.from({ length: PASSES }, (_, i) => `21CS${i}`);
  const students = numbers.map((roll_number, i) => ({
    ...studentRecord,
    roll_number,
    email: `student${i}@example.edu`,
  }));
  await office.importStudents(studentRows(one(...students)).rows);
  const passes = numbers.map((roll_number) => ({ ...passRecord, roll_number }));
  await office.importOutpasses(outpassRows(one(...passes), settings.timeZone).rows);
  return { clock, engine, office };
}

/** Lets time pass, and the engine do what has become due. */
async function pass(engine: Engine, clock: FakeClock, ms: number): Promise<void> {
  await clock.advance(ms);
  const idle = engine.events.next('idle');
  engine.dispatcher.wake();
  await idle;
}

interface Waiting {
  status: string;
  attempts: number;
  due: string;
  error: string | null;
}

const mailJobs = ({ store }: Engine) =>
  store.db
    .prepare<[], Waiting>(
      `SELECT status, attempts, available_at AS due, last_error AS error FROM jobs WHERE type = 'SendOutpassEmail' ORDER BY id`,
    )
    .all();

/** How long until the next mail is due. */
function untilNext(engine: Engine, clock: FakeClock): number {
  const times = mailJobs(engine).flatMap(({ status, due }) => (status === 'pending' ? [parseTime(due)] : []));
  return Math.max(Math.min(...times) - clock.now(), 0);
}

test(
  '[51] SMTP down for an hour: every mail arrives once it is back, none is marked sent before',
  { timeout: 60_000 },
  async (t) => {
    const port = await closedPort();
    const { clock, engine, office } = await opened(t, port);
    const { db } = engine.store;
    const count = (sql: string) => db.prepare<[], number>(`SELECT count(*) FROM ${sql}`).pluck().get();
    for (let id = 1; id <= PASSES; id++) await approvePass(engine.store, office, id, 'Dr. Rao');
    await pass(engine, clock, 0);

    const began = clock.now();
    while (clock.now() - began < 60 * MINUTE) {
      for (const { status, attempts, error } of mailJobs(engine)) {
        assert.deepEqual([status, attempts], ['pending', 0]);
        assert.equal(
          error,
          `The mail server 127.0.0.1:${port} cannot be used: connect ECONNREFUSED 127.0.0.1:${port}`,
        );
      }
      assert.equal(count(`mails WHERE state <> 'queued' OR sent_at IS NOT NULL`), 0);
      await pass(engine, clock, untilNext(engine, clock));
    }
    const tries = db.prepare<[], number>('SELECT sum(attempts) FROM mails').pluck().get() ?? 0;
    assert.ok(tries >= 6 * PASSES && tries <= 12 * PASSES, `${tries} tries in the hour`);
    const due = mailJobs(engine).map((job) => parseTime(job.due));
    assert.ok(Math.max(...due) - Math.min(...due) > 5 * MINUTE, 'they come back one by one');
    assert.ok(Math.max(...due) - clock.now() <= 30 * MINUTE, 'and none waits long');
    assert.equal(
      (await engine.run('GenerateQrCode', { outpass_id: 1 })).status,
      'completed',
      'other jobs run on',
    );

    const smtp = await startSmtp(t, {}, port);
    while (count(`jobs WHERE status = 'pending'`) !== 0) await pass(engine, clock, untilNext(engine, clock));
    const mails = await Promise.all(smtp.mails.map((mail) => simpleParser(mail)));
    const sent = mails.map(({ to, messageId }) => `${[to].flat()[0]?.text} ${messageId}`).toSorted();
    const ledger = db
      .prepare<[], string>(`SELECT sent_to || ' <' || message_id || '>' FROM mails WHERE state = 'sent'`)
      .pluck()
      .all();
    assert.equal(sent.length, PASSES);
    assert.deepEqual(sent, ledger.toSorted());
    assert.equal(new Set(mails.map(({ to }) => [to].flat()[0]?.text)).size, PASSES, 'one for each student');
    assert.ok(mailJobs(engine).every(({ status, attempts }) => status === 'completed' && attempts === 1));
    assert.equal(count('attempts'), 0, 'no attempt was spent on waiting');
  },
);
