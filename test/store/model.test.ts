/**
 * The store against a model: whatever is asked of it in whatever order, each job goes only along the
 * moves that there are, waits for exactly its unfinished parents, and each lease settles once.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { formatTime } from '../../src/engine/clock.ts';
import {
  afterCrash,
  allows,
  type JobState,
  type Move,
  MOVES,
  type Settlement,
} from '../../src/engine/job.ts';
import type { ClaimedJob, NewJob, Settle } from '../../src/engine/store.ts';
import type { SqliteStore } from '../../src/store/sqlite/store.ts';
import { FakeClock } from '../tools/engine.ts';
import { claimOf, identity, newJob, openStore, settleOf } from '../tools/store.ts';

/** A job as the model knows it. */
interface Expected {
  id: number;
  status: JobState;
  priority: number;
  due: number;
  attempts: number;
  maxAttempts: number | null;
  crashes: number;
  lease: number;
  parents: number[];
  uniqueKey: string | null;
  holder: number | null;
  discarded: boolean;
  result: string | null;
  lastError: string | null;
}

type End = 'complete' | 'retry' | 'fail' | 'discard' | 'release' | 'wait' | 'dispatch';

type Command =
  | {
      do: 'insert';
      jobs: { parents: number[]; within: number[]; priority: number; delay: number; key: number }[];
    }
  | { do: 'claim'; by: number; slots: number }
  | { do: 'settle'; which: number[]; end: End; stale: boolean; parents: number[]; claims: boolean }
  | { do: 'cancel' | 'revive' | 'remove'; which: number[] }
  | { do: 'crash'; by: number }
  | { do: 'wait'; ms: number };

const pick = fc.nat(1000);
const picks = fc.array(pick, { minLength: 1, maxLength: 3 });
const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('insert' as const),
      jobs: fc.array(
        fc.record({
          parents: fc.array(pick, { maxLength: 3 }),
          within: fc.array(pick, { maxLength: 2 }),
          priority: fc.constantFrom(0, 0, 5, 9),
          delay: fc.constantFrom(0, 0, 0, 40),
          key: fc.nat(6),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      by: fc.nat(1),
      slots: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: picks,
      end: fc.constantFrom<End>(
        'complete',
        'complete',
        'complete',
        'retry',
        'fail',
        'discard',
        'release',
        'wait',
        'dispatch',
      ),
      stale: fc.constantFrom(false, false, false, true),
      parents: fc.array(pick, { maxLength: 3 }),
      claims: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('cancel' as const, 'revive' as const, 'revive' as const, 'remove' as const),
      which: picks,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), by: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 20, 50) }) },
);

/** Stands for the reason that a job is failed with for killing its process. */
const CRASHED = 'crashed';

const HELD = new Set<JobState>(['blocked', 'pending', 'processing']);

class World {
  readonly store: SqliteStore;
  readonly clock: FakeClock;
  readonly jobs = new Map<number, Expected>();
  processes: number[] = [];
  /** Every attempt that was ever claimed. */
  readonly attempts: ClaimedJob[] = [];
  readonly settledLeases = new Set<string>();

  constructor(store: SqliteStore, clock: FakeClock) {
    this.store = store;
    this.clock = clock;
  }

  async begin(): Promise<void> {
    for (const table of ['jobs', 'dependencies', 'attempts', 'processes']) {
      this.store.db.exec(`DELETE FROM ${table}`);
    }
    this.processes = [await this.store.register(identity(1)), await this.store.register(identity(2))];
  }

  async run(command: Command): Promise<void> {
    switch (command.do) {
      case 'insert':
        return this.insert(command.jobs);
      case 'claim':
        return this.claim(command.by, command.slots);
      case 'settle':
        return this.settle(command);
      case 'cancel':
      case 'revive':
      case 'remove':
        return this.administer(command.do, command.which);
      case 'crash':
        return this.crash(command.by);
      case 'wait':
        return this.clock.advance(command.ms);
    }
  }

  /** Existing ids by number, mostly recent ones. */
  choose(which: readonly number[]): number[] {
    const ids = [...this.jobs.keys()];
    return ids.length === 0 ? [] : [...new Set(which.map((n) => ids[n % ids.length] as number))];
  }

  move(job: Expected, move: Move, to: JobState): void {
    assert.ok(allows(move, job.status), `${move} from ${job.status}`);
    assert.ok((MOVES[move].to as readonly string[]).includes(to), `${move} to ${to}`);
    job.status = to;
  }

  unfinished(job: Expected): number {
    return job.parents.filter((parent) => this.jobs.get(parent)?.status !== 'completed').length;
  }

  /** What an insert of these does; the ids are those that the store gave. */
  expectNew(given: readonly { job: NewJob; parents: number[] }[], ids: readonly number[]): void {
    given.forEach(({ job, parents }, i) => {
      const id = ids[i] as number;
      if (this.jobs.has(id)) return;
      const expected: Expected = {
        id,
        status: 'pending',
        priority: job.priority,
        due: this.clock.now() + (job.delay ?? 0),
        attempts: 0,
        maxAttempts: job.maxAttempts,
        crashes: 0,
        lease: 0,
        parents: [...new Set(parents)],
        uniqueKey: job.uniqueKey,
        holder: null,
        discarded: false,
        result: null,
        lastError: null,
      };
      if (this.unfinished(expected) > 0) expected.status = 'blocked';
      this.jobs.set(id, expected);
    });
  }

  holderOf(key: string | null): number | undefined {
    if (key === null) return undefined;
    return [...this.jobs.values()].find((job) => job.uniqueKey === key && HELD.has(job.status))?.id;
  }

  async insert(specs: Extract<Command, { do: 'insert' }>['jobs']): Promise<void> {
    const batch = specs.map(({ parents, within, priority, delay, key }, i) => {
      const inside = i === 0 ? [] : within.map((n) => n % i);
      const outside = this.choose(parents);
      const uniqueKey = key < 2 ? `key ${key}` : null;
      const job = newJob('A', {
        priority,
        delay,
        uniqueKey,
        dependsOn: [...outside, ...inside.map((index) => ({ index }))],
      });
      return { job, outside, inside };
    });
    const done = await this.store.insert(batch.map(({ job }) => job));
    const seen = new Set<string>();
    batch.forEach(({ job }, i) => {
      const held = this.holderOf(job.uniqueKey);
      const twin = job.uniqueKey !== null && seen.has(job.uniqueKey);
      assert.equal(done[i]?.existing, held !== undefined || twin, 'unique keys');
      if (held !== undefined) assert.equal(done[i]?.id, held);
      if (job.uniqueKey !== null) seen.add(job.uniqueKey);
    });
    const ids = done.map(({ id }) => id);
    const resolved = batch.map(({ job, outside, inside }) => ({
      job,
      parents: [...outside, ...inside.map((index) => ids[index] as number)],
    }));
    for (let i = 0; i < resolved.length; i++) this.expectNew([resolved[i]!], [ids[i] as number]);
  }

  async claim(by: number, slots: number): Promise<void> {
    const process = this.processes[by] as number;
    const due = [...this.jobs.values()].filter(
      ({ status, due: at }) => status === 'pending' && at <= this.clock.now(),
    );
    const order = (a: Expected, b: Expected) => b.priority - a.priority || a.due - b.due || a.id - b.id;
    const suspects = due
      .filter(({ crashes }) => crashes > 0)
      .sort((a, b) => a.crashes - b.crashes || order(a, b));
    const expected = suspects.length > 0 ? suspects.slice(0, 1) : due.sort(order).slice(0, slots);
    const done = await this.store.exchange([], claimOf(process, ['A'], { slots }));
    assert.deepEqual(
      done.claimed.map(({ id }) => id),
      expected.map(({ id }) => id),
      'claimed',
    );
    this.expectClaimed(done.claimed, process);
  }

  expectClaimed(claimed: readonly ClaimedJob[], process: number): void {
    for (const attempt of claimed) {
      const job = this.jobs.get(attempt.id)!;
      this.move(job, 'claim', 'processing');
      job.attempts++;
      job.lease++;
      job.holder = process;
      assert.deepEqual(
        [attempt.attempt, attempt.lease, attempt.crashes],
        [job.attempts, job.lease, job.crashes],
      );
      assert.deepEqual(
        attempt.dependencies.map(({ id, result }) => [id, result]),
        job.parents.map((id) => [id, JSON.parse(this.jobs.get(id)?.result ?? 'null')]),
        'a child reads what its parents left',
      );
      this.attempts.push(attempt);
    }
  }

  async settle({ which, end, stale, parents, claims }: Extract<Command, { do: 'settle' }>): Promise<void> {
    const known = stale ? this.attempts : this.attempts.filter((one) => this.holds(one));
    if (known.length === 0) return;
    const chosen = [...new Set(which.map((n) => known[n % known.length]!))];
    const process = this.processes[0] as number;
    const nested = new Map<Settle, NewJob>();
    const settles = chosen.map((attempt, i) => {
      const [settlement, job] = this.settlement(i === 0 ? end : 'complete', attempt, parents);
      const settle = settleOf(attempt, settlement);
      if (job !== undefined) nested.set(settle, job);
      return settle;
    });
    const before = new Set(this.jobs.keys());
    const done = await this.store.exchange(settles, claims ? claimOf(process, ['A'], { slots: 2 }) : null);
    const created = this.store.db.prepare<[], number>('SELECT id FROM jobs ORDER BY id').pluck().all();
    const fresh = created.filter((id) => !before.has(id));
    settles.forEach((settle, i) => {
      const attempt = chosen[i]!;
      const holds = this.holds(attempt);
      assert.equal(done.settled[i], holds, 'settled while the lease stands, and only then');
      if (!holds) return;
      const name = `${attempt.id}/${attempt.lease}`;
      assert.ok(!this.settledLeases.has(name), 'a lease settles once');
      this.settledLeases.add(name);
      this.expectSettled(this.jobs.get(attempt.id)!, settle.settlement);
      const job = nested.get(settle);
      if (job !== undefined) {
        this.expectNew([{ job, parents: job.dependsOn as number[] }], [fresh.shift() as number]);
      }
    });
    this.unblock();
    this.expectClaimed(done.claimed, process);
  }

  settlement(end: End, attempt: ClaimedJob, parents: readonly number[]): [Settlement, NewJob?] {
    const error = { message: `no ${attempt.id}/${attempt.lease}` };
    switch (end) {
      case 'complete':
        return [{ move: 'complete', result: String(attempt.id) }];
      case 'retry':
        return [{ move: 'retry', delay: 30, error }];
      case 'fail':
      case 'discard':
        return [{ move: 'fail', error, discarded: end === 'discard' }];
      case 'release':
        return [{ move: 'release', delay: 10 }];
      case 'wait':
        return [{ move: 'release', delay: 15, error }];
      case 'dispatch': {
        const dependsOn = [...this.choose(parents), attempt.id];
        const dispatches = [{ ref: 'a', type: 'A', payload: '{}', dependsOn }];
        return [{ move: 'complete', result: null, dispatches }, newJob('A', { dependsOn })];
      }
    }
  }

  holds({ id, lease }: ClaimedJob): boolean {
    const job = this.jobs.get(id);
    return job?.status === 'processing' && job.lease === lease;
  }

  expectSettled(job: Expected, settlement: Settlement): void {
    switch (settlement.move) {
      case 'complete':
        this.move(job, 'complete', 'completed');
        job.result = settlement.result;
        job.lastError = null;
        return;
      case 'retry':
        this.move(job, 'retry', 'pending');
        job.due = this.clock.now() + settlement.delay;
        job.lastError = settlement.error.message;
        return;
      case 'fail':
        this.move(job, 'fail', 'failed');
        job.discarded = settlement.discarded;
        job.lastError = settlement.error.message;
        return;
      case 'release':
        this.move(job, 'release', 'pending');
        job.attempts--;
        job.due = Math.max(job.due, this.clock.now() + settlement.delay);
        job.lastError = settlement.error?.message ?? job.lastError;
    }
  }

  /** Children whose parents have all completed. */
  unblock(): void {
    for (const job of this.jobs.values()) {
      if (job.status !== 'blocked' || this.unfinished(job) > 0) continue;
      this.move(job, 'unblock', 'pending');
      job.due = Math.max(job.due, this.clock.now());
    }
  }

  async administer(verb: 'cancel' | 'revive' | 'remove', which: readonly number[]): Promise<void> {
    const ids = this.choose(which);
    const applied = await this.store[verb](ids);
    ids.forEach((id, i) => {
      const job = this.jobs.get(id)!;
      const from = job.status;
      this.expectAdministered(job, verb);
      assert.deepEqual(applied[i], { id, from, to: this.jobs.get(id)?.status ?? null }, verb);
    });
  }

  expectAdministered(job: Expected, verb: 'cancel' | 'revive' | 'remove'): void {
    if (verb === 'cancel') {
      if (allows('cancel', job.status)) this.move(job, 'cancel', 'cancelled');
    } else if (verb === 'revive') {
      if (!allows('revive', job.status) || this.holderOf(job.uniqueKey) !== undefined) return;
      if (job.maxAttempts !== null) job.maxAttempts = Math.max(job.maxAttempts, job.attempts + 1);
      else if (job.status === 'failed' && !job.discarded && job.attempts > 0) {
        job.maxAttempts = job.attempts + 1;
      }
      this.move(job, 'revive', this.unfinished(job) > 0 ? 'blocked' : 'pending');
      job.due = this.clock.now();
      job.discarded = false;
    } else {
      const waits = [...this.jobs.values()].some(
        ({ parents, status }) => parents.includes(job.id) && status !== 'completed',
      );
      if (job.status === 'processing' || waits) return;
      this.jobs.delete(job.id);
      for (const other of this.jobs.values()) other.parents = other.parents.filter((id) => id !== job.id);
    }
  }

  async crash(by: number): Promise<void> {
    const process = this.processes[by] as number;
    const expired = await this.store.expire(process);
    const held = [...this.jobs.values()].filter(
      ({ status, holder }) => status === 'processing' && holder === process,
    );
    for (const job of held) {
      this.move(job, 'expire', afterCrash(job.crashes));
      job.crashes++;
      job.attempts--;
      job.due = this.clock.now();
      if (job.status === 'failed') job.lastError = CRASHED;
    }
    const ids = (status: JobState) => held.filter((job) => job.status === status).map(({ id }) => id);
    assert.deepEqual(
      expired.returned.sort((a, b) => a - b),
      ids('pending'),
    );
    assert.deepEqual(
      expired.failed.sort((a, b) => a - b),
      ids('failed'),
    );
    this.processes[by] = await this.store.register(identity(by));
  }

  /** The table is what the model says. */
  check(): void {
    interface Row {
      id: number;
      status: JobState;
      attempts: number;
      max_attempts: number | null;
      crashes: number;
      lease: number;
      available_at: string;
      waiting_for: number;
      last_error: string | null;
    }
    const rows = this.store.db
      .prepare<[], Row>(
        `SELECT id, status, attempts, max_attempts, crashes, lease, available_at, waiting_for,
                CASE WHEN last_error LIKE 'The process died %' THEN '${CRASHED}' ELSE last_error END AS last_error
         FROM jobs ORDER BY id`,
      )
      .all();
    const shown = [...this.jobs.values()].sort((a, b) => a.id - b.id);
    assert.deepEqual(
      rows.map(({ id, status, attempts, max_attempts, crashes, lease, last_error }) => [
        id,
        status,
        attempts,
        max_attempts,
        crashes,
        lease,
        last_error,
      ]),
      shown.map(({ id, status, attempts, maxAttempts, crashes, lease, lastError }) => [
        id,
        status,
        attempts,
        maxAttempts,
        crashes,
        lease,
        lastError,
      ]),
    );
    for (const [i, row] of rows.entries()) {
      const job = shown[i]!;
      if (row.status === 'pending') {
        assert.equal(row.available_at, formatTime(job.due), `due time of job ${row.id}`);
      }
      if (row.status !== 'blocked') continue;
      assert.ok(row.waiting_for > 0, `job ${row.id} is blocked and waits for nothing`);
      assert.equal(row.waiting_for, this.unfinished(job), `what job ${row.id} waits for`);
    }
  }
}

test('random commands: the table always is what the model says', { timeout: 60_000 }, async (t) => {
  const clock = new FakeClock();
  const store = await openStore(t, clock);
  const reached = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(commands, { minLength: 5, maxLength: 60 }), async (given) => {
      const world = new World(store, clock);
      await world.begin();
      for (const command of given) {
        await world.run(command);
        world.check();
      }
      for (const { status } of world.jobs.values()) reached.set(status, (reached.get(status) ?? 0) + 1);
    }),
    { numRuns: Number(process.env['MODEL_RUNS'] ?? 150) },
  );
  t.diagnostic([...reached].map(([status, count]) => `${count} ${status}`).join(', '));
  assert.equal(reached.size, 6, 'every state was reached');
});
