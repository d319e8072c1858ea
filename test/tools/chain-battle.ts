/** An office under fire: passes are approved, their supervisor is killed at a chosen step, over and over. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatTime } from '../../src/engine/clock.ts';
import { PassOffice } from '../../src/library/passito.ts';
import { type Daemon, Site } from './daemon.ts';
import { MAIL_STEPS, MailAccount, type MailStep } from './mail-account.ts';
import { freeze, type Stage, STAGES, WatchedChains } from './watched-chain.ts';

/** When the supervisor is killed: at a step that is seen from outside, at one that the mail server sees, or blindly. */
export type Point = Stage | MailStep | 'any moment' | 'while it starts';

const FAR = '2099-01-01 00:00:00.000';

/** More than are ever approved. */
const PASSES = 100;

/** Each pass is of another student, so that the mail server can tell them apart. */
export const student = (pass: number): string => `s${pass}@example.edu`;

const isStage = (point: Point): point is Stage => STAGES.some((stage) => stage === point);
const isMailStep = (point: Point): point is MailStep => MAIL_STEPS.some((step) => step === point);

async function office(t: TestContext, port: number): Promise<Site> {
  const here = new Site((clean) => t.after(clean), { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(port) });
  const numbers = Array.from({ length: PASSES }, (_, i) => i + 1);
  const rows = (line: (n: number) => string) => numbers.map((n) => `${line(n)}\n`).join('');
  here.write('s.csv', `name,email,roll_number\n${rows((n) => `Asha,${student(n)},R${n}`)}`);
  const columns = 'reference,roll_number,kind,purpose,destination,leaves_at,returns_at';
  const rest = 'Home pass,Wedding,Madurai,2099-01-01 08:00,2099-01-03 08:00';
  here.write('o.csv', `${columns}\n${rows((n) => `P-${n},R${n},${rest}`)}`);
  await here.ok('import', 'students', 's.csv');
  await here.ok('import', 'outpasses', 'o.csv');
  return here;
}

export class ChainBattle {
  readonly here: Site;
  readonly post: MailAccount;
  readonly #desk: PassOffice;
  readonly #chains: WatchedChains;
  /** Passes that have their document, and whose mail is held back until its turn. */
  readonly #prepared: number[] = [];
  approved = 0;
  /** At which step each kill fell. */
  readonly kills: Point[] = [];
  /** By Message-ID: how often the server has said yes without anybody noting it, for a kill came between. */
  readonly unheard = new Map<string, number>();
  /** What all supervisors have logged. */
  log = '';

  private constructor(here: Site, post: MailAccount, desk: PassOffice) {
    this.here = here;
    this.post = post;
    this.#desk = desk;
    this.#chains = new WatchedChains(here);
  }

  /** An office with students and passes, and its mail server. */
  static async begin(t: TestContext): Promise<ChainBattle> {
    const post = new MailAccount();
    const here = await office(t, await post.start(t));
    const desk = await PassOffice.open(here.db);
    const battle = new ChainBattle(here, post, desk);
    t.after(async () => {
      battle.#chains.close();
      await desk.close();
    });
    return battle;
  }

  /** Approves the next pass; the job of that type is held back. */
  async #approve(held?: string): Promise<number> {
    const id = ++this.approved;
    await this.#desk.approve(id, 'Dr. Rao');
    if (held !== undefined) this.#due(held, id, FAR);
    return id;
  }

  #due(type: string, pass: number, at: string): void {
    const change = this.here.sql.prepare('UPDATE jobs SET available_at = ? WHERE type = ? AND payload = ?');
    change.run(at, type, JSON.stringify({ outpass_id: pass }));
  }

  /** Takes passes as far as their document: a process that has none to draw is at the mail four times sooner. */
  async prepare(count: number): Promise<void> {
    while (this.#prepared.length < count) this.#prepared.push(await this.#approve('SendOutpassEmail'));
    const daemon = this.here.launch(['--max-workers', '1']);
    await this.here.until(
      `SELECT count(*) = ? FROM jobs WHERE type = 'GenerateOutpassPdf' AND status = 'completed'`,
      [count],
    );
    await daemon.stop();
  }

  /** A pass whose chain will come to that point and, where it is an early one, not much further. */
  async #target(point: Point): Promise<number> {
    if (point.startsWith('QR code')) return this.#approve('GenerateOutpassPdf');
    if (point.startsWith('document')) return this.#approve('SendOutpassEmail');
    const prepared = point.startsWith('mail') || isMailStep(point) ? this.#prepared.shift() : undefined;
    if (prepared === undefined) return this.#approve();
    this.#due('SendOutpassEmail', prepared, formatTime(Date.now()));
    return prepared;
  }

  /** Runs a supervisor and kills it there. Says whether the kill fell where it should. */
  async kill(point: Point): Promise<boolean> {
    const pass = await this.#target(point);
    const tried = this.here.sql.prepare(
      `SELECT id FROM jobs WHERE crashes + (status = 'processing') > 1 AND status IN ('pending', 'processing')`,
    );
    const ids = JSON.stringify(tried.pluck().all());
    const daemon = this.here.launch(['--max-workers', '2']);
    // A third crash would fail a job, as it should: one that has two by now may end before the next.
    await this.here.until(
      `SELECT count(*) = 0 FROM jobs WHERE status <> 'completed' AND id IN (SELECT value FROM json_each(?))`,
      [ids],
    );
    await this.#arrives(point, pass, daemon);
    await daemon.kill();
    this.log += daemon.log;
    // What the dead had sent is the server's, and it reads on to the end.
    while (!this.post.quiet) await sleep(1);
    assert.equal(this.here.value<string>('PRAGMA integrity_check'), 'ok', `13: ${point}`);
    const open = this.here.sql.prepare<[], string>(`SELECT message_id FROM mails WHERE state = 'sending'`);
    for (const id of open.pluck().all()) this.unheard.set(id, this.post.times(id));
    const fell = isStage(point) ? this.#chains.stage(pass) : point;
    this.kills.push(fell);
    return fell === point;
  }

  async #arrives(point: Point, pass: number, daemon: Daemon): Promise<void> {
    if (point === 'while it starts') return sleep(Math.random() * 250);
    if (point === 'any moment') return sleep(Math.random() * 900);
    if (isStage(point)) return this.#chains.reaches(pass, point);
    const end = () => daemon.signal('SIGKILL');
    // The yes finds a process that stands, and is never read.
    const trap = point === 'yes said' ? { before: () => freeze(daemon), after: end } : { before: end };
    this.post.ambush = { step: point, to: student(pass), ...trap };
    await Promise.race([daemon.ended, sleep(15_000, undefined, { ref: false })]);
    assert.ok(daemon.gone, `no '${point}' of outpass #${pass}:\n${daemon.log}`);
  }

  /** Lets all that was held back go on, until nothing is left to do. */
  async finish(): Promise<void> {
    const release = this.here.sql.prepare('UPDATE jobs SET available_at = ? WHERE available_at = ?');
    release.run(formatTime(Date.now()), FAR);
    const daemon = await this.here.start(['--max-workers', '4']);
    await this.here.drained();
    assert.equal((await daemon.stop()).code, 0);
    this.log += daemon.log;
  }
}
