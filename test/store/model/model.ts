/** The store as one would write it on a page: jobs in a map, every verb a loop. It is told what was asked, and predicts the answer. */

import type { Settlement } from '../../../src/engine/job.ts';
import type {
  Applied,
  AttemptKey,
  ClaimedJob,
  ClaimRequest,
  Expired,
  Inserted,
  NewJob,
  Settle,
} from '../../../src/engine/store.ts';
import { type Answer, type Call, REFUSED, type Told } from './calls.ts';
import { ARROWS, FATAL_CRASHES, LIVE, type State, textOf } from './spec.ts';
import { choose } from './model-claim.ts';
import { type Job, nested, PLAIN, without } from './model-job.ts';
import type { Row } from './watch.ts';

/** Stands for the reason of a job that has killed its process too often. */
export const CRASHED = 'crashed';

class Refused extends Error {}

export class Model {
  jobs = new Map<number, Job>();
  /** Processes that have registered, and whether they may still claim. */
  readonly processes = new Map<number, boolean>();
  readonly paused = new Set<string | null>();
  /** Every attempt that was ever claimed, and who holds, or held, it. */
  readonly attempts: (ClaimedJob & { process: number })[] = [];
  #lastId = 0;
  #now = 0;

  answer(call: Call, now: number): Answer {
    this.#now = now;
    switch (call.verb) {
      case 'insert':
        return this.#allOrNothing(() => this.#insert(call.jobs)) ?? REFUSED;
      case 'foreign': {
        const job = { ...PLAIN, type: call.type, availableAt: call.due };
        return this.#insert([job])[0]!.id;
      }
      case 'exchange':
        return this.#exchange(call.settles, call.claim);
      case 'cancel':
        return this.#each(call.ids, (job) => this.#cancel(job));
      case 'revive':
        return this.#each(call.ids, (job) => this.#revive(job));
      case 'remove':
        return this.#each(call.ids, (job) => this.#remove(job));
      case 'expire':
        return this.#expire(call.process);
      case 'beat':
        return this.processes.get(call.process) === true;
      case 'signOff':
        this.processes.set(call.process, false);
        return null;
      case 'register': {
        const id = this.processes.size + 1;
        this.processes.set(id, true);
        return id;
      }
      case 'progress': {
        const job = this.#held(call.attempt);
        if (job !== undefined) job.progress = call.text;
        return null;
      }
      case 'lost':
        return call.attempts.filter((attempt) => this.#held(attempt) === undefined);
      case 'pause':
        this.paused.add(call.queue);
        return null;
      case 'resume':
        this.paused.delete(call.queue);
        return null;
      case 'prune':
        return {
          completed: this.#prune(['completed'], call.completed),
          failed: this.#prune(['failed', 'cancelled'], call.failed),
        };
    }
  }

  /** The table as it must be. */
  rows(): Row[] {
    return [...this.jobs.values()].map(({ parents: _, kept: _kept, due, finished, discarded, ...job }) => ({
      ...job,
      due: textOf(due),
      finished: finished === null ? null : textOf(finished),
      discarded: discarded ? 1 : 0,
      waitingFor: job.status === 'blocked' ? this.#unfinished(job.id) : 0,
    }));
  }

  kept(): string[] {
    return [...this.jobs.values()].flatMap(({ kept }) => kept).toSorted();
  }

  #allOrNothing<T>(act: () => T): T | undefined {
    const before = structuredClone([...this.jobs]);
    const lastId = this.#lastId;
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.jobs = new Map(before);
      this.#lastId = lastId;
      return undefined;
    }
  }

  /** Goes along an arrow of the specification, or not at all. */
  #move(job: Job, move: string, to: State): void {
    const arrow = ARROWS.get(move);
    if (arrow?.from.includes(job.status) !== true || !arrow.to.includes(to)) {
      throw new Error(`the model itself would ${move} from ${job.status} to ${to}`);
    }
    job.status = to;
    job.finished = LIVE.has(to) ? null : this.#now;
  }

  #unfinished(id: number): number {
    const parents = this.jobs.get(id)?.parents ?? [];
    return parents.filter((parent) => this.jobs.get(parent)?.status !== 'completed').length;
  }

  #keyHolder(type: string, key: string | null): Job | undefined {
    if (key === null) return undefined;
    return [...this.jobs.values()].find(
      (job) => job.type === type && job.key === key && LIVE.has(job.status),
    );
  }

  #insert(jobs: readonly NewJob[]): Inserted[] {
    const done: Inserted[] = [];
    for (const job of jobs) {
      const holder = this.#keyHolder(job.type, job.uniqueKey);
      if (holder !== undefined) {
        done.push({ id: holder.id, existing: true });
        continue;
      }
      const parents = job.dependsOn.map((one) =>
        typeof one === 'number' ? one : (done[one.index]?.id ?? 0),
      );
      if (parents.some((id) => !this.jobs.has(id))) throw new Refused();
      const id = ++this.#lastId;
      const made: Job = {
        id,
        type: job.type,
        status: 'pending',
        queue: job.queue,
        priority: job.priority,
        attempts: 0,
        maxAttempts: job.maxAttempts,
        crashes: 0,
        due: job.availableAt ?? this.#now + (job.delay ?? 0),
        finished: null,
        lease: 0,
        holder: null,
        discarded: false,
        key: job.uniqueKey,
        progress: null,
        error: null,
        result: null,
        payload: job.payload,
        parents: [...new Set(parents)],
        kept: [],
      };
      this.jobs.set(id, made);
      if (this.#unfinished(id) > 0) made.status = 'blocked';
      done.push({ id, existing: false });
    }
    return done;
  }

  #exchange(settles: readonly Settle[], claim: ClaimRequest | null): Told {
    const settled = settles.map((settle) => this.#settle(settle));
    const registered = claim === null || this.processes.get(claim.process) === true;
    const claimed = claim !== null && registered ? this.#claim(claim) : { claimed: [], suspectsWaiting: 0 };
    return { settled, registered, ...claimed };
  }

  /** The job, where the attempt has its lease. */
  #held({ id, lease }: AttemptKey): Job | undefined {
    const job = this.jobs.get(id);
    return job?.status === 'processing' && job.lease === lease ? job : undefined;
  }

  #settle(settle: Settle): boolean {
    if (this.#held(settle) === undefined) return false;
    const { settlement } = settle;
    // Only what dispatches can be refused.
    const attempt = () => this.#end(settle, settlement);
    const simple = settlement.move !== 'complete' || settlement.dispatches === undefined;
    const whole = simple ? attempt() : this.#allOrNothing(attempt);
    if (whole === undefined) this.#end(settle, settle.otherwise!(''));
    return true;
  }

  #end(settle: Settle, settlement: Settlement): true {
    const job = this.#held(settle)!;
    switch (settlement.move) {
      case 'complete':
        this.#move(job, 'complete', 'completed');
        Object.assign(job, { result: settlement.result, error: null });
        job.payload = without(job.payload, settle.redact ?? []);
        this.#unblock();
        this.#insert(nested(settlement.dispatches ?? [], this.#now));
        return true;
      case 'retry':
        this.#keep(job, 'failed');
        this.#move(job, 'retry', 'pending');
        Object.assign(job, { due: this.#now + settlement.delay, error: settlement.error.message });
        return true;
      case 'fail':
        this.#keep(job, settlement.discarded ? 'discarded' : 'failed');
        this.#move(job, 'fail', 'failed');
        Object.assign(job, {
          discarded: settlement.discarded,
          error: settlement.error.message,
          progress: null,
        });
        return true;
      case 'release':
        this.#move(job, 'release', 'pending');
        job.attempts--;
        job.due = Math.max(job.due, this.#now + settlement.delay);
        job.error = settlement.error?.message ?? job.error;
        return true;
    }
  }

  #unblock(): void {
    for (const job of this.jobs.values()) {
      if (job.status !== 'blocked' || this.#unfinished(job.id) > 0) continue;
      this.#move(job, 'unblock', 'pending');
      job.due = Math.max(job.due, this.#now);
    }
  }

  #keep(job: Job, outcome: string): void {
    job.kept.push(`${job.id} ${job.attempts} ${outcome}`);
  }

  #claim(request: ClaimRequest): Pick<Told, 'claimed' | 'suspectsWaiting' | 'nextDue'> {
    const { chosen, ...rest } = choose(request, [...this.jobs.values()], this.paused, this.#now);
    return { claimed: chosen.map((job) => this.#take(job, request.process)), ...rest };
  }

  #take(job: Job, process: number): ClaimedJob {
    this.#move(job, 'claim', 'processing');
    job.attempts++;
    job.lease++;
    job.holder = process;
    const { id, type, payload, priority, attempts: attempt, maxAttempts, crashes, lease } = job;
    const dependencies = job.parents.map((parent) => {
      const { type: of, result } = this.jobs.get(parent)!;
      return { id: parent, type: of, result: JSON.parse(result ?? 'null') };
    });
    const known = {
      type,
      payload,
      priority,
      attempt,
      maxAttempts,
      crashes,
      lease,
      options: {},
      dependencies,
    };
    this.attempts.push({ id, ...known, process });
    return { id, ...known };
  }

  #each(ids: readonly number[], act: (job: Job) => void): Applied[] {
    return ids.map((id) => {
      const job = this.jobs.get(id);
      const from = job?.status ?? null;
      if (job !== undefined) act(job);
      return { id, from, to: this.jobs.get(id)?.status ?? null };
    });
  }

  #cancel(job: Job): void {
    if (!LIVE.has(job.status)) return;
    if (job.status === 'processing') this.#keep(job, 'cancelled');
    this.#move(job, 'cancel', 'cancelled');
  }

  #revive(job: Job): void {
    if (job.status !== 'failed' && job.status !== 'cancelled') return;
    if (this.#keyHolder(job.type, job.key) !== undefined) return;
    const spent = job.status === 'failed' && !job.discarded && job.attempts > 0;
    if (job.maxAttempts !== null || spent) job.maxAttempts = Math.max(job.maxAttempts ?? 0, job.attempts + 1);
    this.#move(job, 'revive', this.#unfinished(job.id) > 0 ? 'blocked' : 'pending');
    Object.assign(job, { due: this.#now, discarded: false, holder: null, progress: null });
  }

  #remove(job: Job): void {
    const waits = [...this.jobs.values()].some(
      ({ parents, status }) => parents.includes(job.id) && status !== 'completed',
    );
    if (job.status === 'processing' || waits) return;
    this.jobs.delete(job.id);
    for (const other of this.jobs.values()) other.parents = other.parents.filter((id) => id !== job.id);
  }

  /** The oldest first, again and again: what waited for a deleted one may go as well. */
  #prune(states: readonly State[], age: number): number {
    const before = this.jobs.size;
    for (let last = -1; last !== this.jobs.size;) {
      last = this.jobs.size;
      for (const job of this.jobs.values()) {
        if (states.includes(job.status) && job.finished! < this.#now - age) this.#remove(job);
      }
    }
    return before - this.jobs.size;
  }

  #expire(process: number): Expired {
    if (this.processes.has(process)) this.processes.set(process, false);
    const orphans = [...this.jobs.values()].filter(
      ({ status, holder }) => status === 'processing' && this.processes.get(holder!) !== true,
    );
    for (const job of orphans) {
      this.#keep(job, 'crashed');
      job.crashes++;
      job.attempts--;
      this.#move(job, 'expire', job.crashes >= FATAL_CRASHES ? 'failed' : 'pending');
      Object.assign(job, { due: this.#now, holder: null });
      if (job.status === 'failed') job.error = CRASHED;
    }
    const ids = (state: State) => orphans.filter(({ status }) => status === state).map(({ id }) => id);
    return { returned: ids('pending'), failed: ids('failed') };
  }
}
