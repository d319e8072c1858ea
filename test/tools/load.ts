/** Programs that dispatch all the time, by the shell and by the socket, and an account of what each was told. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { verify } from './account.ts';
import { mixedJobs, watchMoves } from './chaos.ts';
import type { Site } from './daemon.ts';
import { post } from './http.ts';

/** What a program was told: the ids of its jobs, or why there are none. */
interface Told {
  tag: string;
  ids: number[];
  refusal: string | undefined;
}

/** A chain, a job that fails twice, a delayed one and others: what one file of NDJSON holds. */
function lines(tag: string): string {
  const payload = { tag, text: 'x'.repeat(500) };
  return [
    { type: 'Link', payload, ref: 'a' },
    { type: 'Link', payload, ref: 'b', depends_on: ['a'] },
    { type: 'Link', payload, depends_on: ['a', 'b'] },
    { type: 'Flaky', payload },
    { type: 'Slow', payload: { ...payload, ms: 20 } },
    { type: 'Quick', payload, delay: '300ms' },
  ]
    .map((line) => JSON.stringify(line))
    .join('\n');
}

export class Load {
  readonly told: Told[] = [];
  readonly #site: Site;
  readonly #stop = new AbortController();
  readonly #programs: Promise<void>[] = [];
  #count = 0;

  /** Makes the tables and the jobs. The programs end with the test. */
  static async prepare(site: Site, after: (clean: () => Promise<void>) => void): Promise<Load> {
    mixedJobs(site);
    await site.ok('migrate');
    watchMoves(site);
    const load = new Load(site);
    after(() => load.stop());
    return load;
  }

  constructor(site: Site) {
    this.#site = site;
  }

  /** Starts the programs. `rest`: milliseconds between two dispatches by the socket. */
  start(rest = 20): void {
    const programs = [() => this.#shell(), () => this.#file(), () => this.#socket(rest)];
    for (const program of programs) this.#programs.push(this.#repeat(program));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#programs);
  }

  get acknowledged(): Told[] {
    return this.told.filter(({ refusal }) => refusal === undefined);
  }

  get refusals(): string[] {
    return this.told.flatMap(({ refusal }) => refusal ?? []);
  }

  /** Waits until so many more were refused, or taken. */
  async until(what: 'acknowledged' | 'refusals', more: number, ms = 30_000): Promise<void> {
    const wanted = this[what].length + more;
    const deadline = performance.now() + ms;
    while (this[what].length < wanted) {
      assert.ok(performance.now() < deadline, `not ${more} more ${what} within ${ms} ms`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** All jobs have ended: the table holds what was promised and nothing else, and each handler ran as often as it says. */
  check(): void {
    const rows = this.#site.sql
      .prepare(
        `SELECT payload ->> 'tag' AS tag, count(*) AS n FROM jobs WHERE payload ->> 'tag' IS NOT NULL GROUP BY 1`,
      )
      .all() as { tag: string; n: number }[];
    const found = new Map(rows.map(({ tag, n }) => [tag, n]));
    for (const { tag, ids, refusal } of this.told) {
      assert.equal(found.get(tag) ?? 0, ids.length, `${tag}: ${refusal ?? 'was acknowledged'}`);
    }
    // What a clock that jumps past two in the morning brings keeps no ledger.
    this.#site.sql.exec(`DELETE FROM jobs WHERE type = 'CleanupExpiredFiles'`);
    verify(this.#site, new Set(this.told.flatMap(({ ids }) => ids)));
  }

  /** As {@link check}; and nothing was ever interrupted, so that no attempt began twice. */
  checkOnce(): void {
    this.check();
    const begun = readFileSync(this.#site.path('ledger'), 'utf8').trimEnd().split('\n');
    const twice = begun.filter((line, index) => begun.indexOf(line) !== index);
    assert.deepEqual(twice, [], 'no attempt ran twice');
  }

  async #repeat(program: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) await program();
  }

  async #shell(): Promise<void> {
    const tag = this.#tag();
    const args = ['dispatch', 'Quick', '--payload', JSON.stringify({ tag }), '--json'];
    const { code, stdout, stderr } = await this.#site.run(args);
    if (code === 0) this.#note(tag, [(JSON.parse(stdout) as { id: number }).id]);
    else this.#note(tag, [], `exit ${code}: ${stderr}`);
  }

  async #file(): Promise<void> {
    const tag = this.#tag();
    const args = ['dispatch', '--ndjson', '-', '--atomic', '--json'];
    const { code, stdout, stderr } = await this.#site.run(args, { input: lines(tag) });
    const jobs = code === 0 ? (JSON.parse(stdout) as { jobs: { id: number }[] }).jobs : [];
    this.#note(
      tag,
      jobs.map(({ id }) => id),
      code === 0 ? undefined : `exit ${code}: ${stderr}`,
    );
  }

  async #socket(rest: number): Promise<void> {
    const tag = this.#tag();
    const socket = this.#site.db.replace(/db$/, 'sock');
    await new Promise((resolve) => setTimeout(resolve, rest));
    // No answer: nobody knows whether it was taken.
    const answer = await post(socket, { type: 'Slow', payload: { tag, ms: 5 } }).catch(() => undefined);
    if (answer === undefined) return;
    if (answer.status === 201) this.#note(tag, [answer.body.id]);
    else {
      this.#note(tag, [], `exit ${answer.status === 503 ? 3 : answer.status}: ${answer.body.error.message}`);
    }
  }

  #tag(): string {
    return `n${++this.#count}`;
  }

  #note(tag: string, ids: number[], refusal?: string): void {
    this.told.push({ tag, ids, refusal });
  }
}
