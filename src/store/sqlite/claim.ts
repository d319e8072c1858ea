/**
 * Claiming: what is due, by priority, then due time, then id, at a cost that does not grow with the
 * table: each lane is read only as far as its jobs are wanted, and the lanes of a priority are merged.
 */

import type { Database } from 'better-sqlite3';
import type { DependencyResult, Json } from '../../engine/handler.ts';
import type { ClaimableType, ClaimedJob, ClaimRequest } from '../../engine/store.ts';
import { readOptions } from '../../engine/stored-options.ts';
import { more } from './counters.ts';
import { jsonOrText } from './job-json.ts';
import { type Lane, prepareLanes } from './lanes.ts';
import { preparePaused } from './pauses.ts';

interface Candidate {
  id: number;
  availableAt: string;
  type: string;
  weight: number;
  /** How many of the type may run beside this one job, where it was dispatched so. */
  own?: number;
}

interface ClaimedRow {
  id: number;
  type: string;
  payload: string;
  priority: number;
  attempts: number;
  max_attempts: number | null;
  crashes: number;
  lease: number;
  options: string | null;
  parents: number;
}

/** What one claim found. */
export interface Claim {
  claimed: ClaimedJob[];
  suspectsWaiting: number;
  /** UTC text; null if nothing is known to become due; absent if the claim came back full. */
  nextDue?: string | null;
}

/** Of jobs with a concurrency of their own, so many that wait are passed by in a claim. */
const MOST_PASSED_BY = 1000;

const TAKEN = 'id, type, payload, priority, attempts, max_attempts, crashes, lease, options, parents';

/** Prepares the claim on a connection. The function must run inside a write transaction. */
export function prepareClaim(db: Database): (request: ClaimRequest, now: string) => Claim {
  const lanes = prepareLanes(db);
  const paused = preparePaused(db);
  const due = db
    .prepare<[number, string, string, string, number], [number, string]>(
      `SELECT id, available_at FROM jobs
       WHERE status = 'pending' AND priority = ? AND queue = ? AND type = ? AND available_at <= ?
       ORDER BY available_at, id LIMIT ?`,
    )
    .raw();
  const nextInLane = db
    .prepare<[number, string, string, string], string>(
      `SELECT available_at FROM jobs
       WHERE status = 'pending' AND priority = ? AND queue = ? AND type = ? AND available_at > ?
       ORDER BY available_at LIMIT 1`,
    )
    .pluck();
  const suspects = db.prepare<[string], Lane & { id: number; crashes: number }>(
    `SELECT id, crashes, priority, queue, type FROM jobs
     WHERE status = 'pending' AND crashes > 0 AND available_at <= ?
     ORDER BY crashes, priority DESC, available_at, id`,
  );
  const running = db
    .prepare<[string], number>(`SELECT count(*) FROM jobs WHERE status = 'processing' AND type = ?`)
    .pluck();
  const take = db.prepare<[number, string, string], ClaimedRow>(
    `UPDATE jobs SET status = 'processing', ${more('attempts')}, ${more('lease')}, claimed_by = ?, started_at = ?
     WHERE id IN (SELECT value FROM json_each(?)) AND status = 'pending' RETURNING ${TAKEN}`,
  );
  const takeOne = db.prepare<[number, string, number], ClaimedRow>(
    `UPDATE jobs SET status = 'processing', ${more('attempts')}, ${more('lease')}, claimed_by = ?, started_at = ?
     WHERE id = ? AND status = 'pending' RETURNING ${TAKEN}`,
  );
  const anySpecial = db
    .prepare<[string], number>(
      `SELECT 1 FROM jobs INDEXED BY jobs_special WHERE status = 'pending' AND options IS NOT NULL AND type = ? LIMIT 1`,
    )
    .pluck();
  // Those that may not start now are passed by here: read as candidates, they would take the places of others.
  const dueSpecial = db
    .prepare<[number, string, string, string, number, number], [number, string, number | null]>(
      `SELECT id, available_at, own FROM
         (SELECT id, available_at, iif(json_type(options, '$.concurrency') IN ('integer', 'real'), options ->> '$.concurrency', NULL) AS own
          FROM jobs WHERE status = 'pending' AND priority = ? AND queue = ? AND type = ? AND available_at <= ?
          ORDER BY available_at, id LIMIT ${MOST_PASSED_BY})
       WHERE own IS NULL OR own > ? ORDER BY available_at, id LIMIT ?`,
    )
    .raw();
  const parents = db.prepare<[number], { id: number; type: string; result: string | null }>(
    `SELECT p.id, p.type, p.result FROM dependencies d JOIN jobs p ON p.id = d.parent_id
     WHERE d.job_id = ? ORDER BY d.position`,
  );

  function dependenciesOf(id: number): DependencyResult[] {
    return parents.all(id).map((parent) => ({
      id: parent.id,
      type: parent.type,
      result: jsonOrText(parent.result) as Json,
    }));
  }

  function toJob(row: ClaimedRow): ClaimedJob {
    return {
      id: row.id,
      type: row.type,
      payload: row.payload,
      priority: row.priority,
      attempt: row.attempts,
      maxAttempts: row.max_attempts,
      crashes: row.crashes,
      lease: row.lease,
      options: readOptions(row.options),
      dependencies: row.parents === 0 ? [] : dependenciesOf(row.id),
    };
  }

  /** The jobs in the order of their ids in `order`: RETURNING promises none. */
  function takeAll(order: Candidate[], process: number, now: string): ClaimedJob[] {
    const [only] = order;
    if (only === undefined) return [];
    if (order.length === 1) return takeOne.all(process, now, only.id).map(toJob);
    const rows = new Map<number, ClaimedRow>();
    for (const row of take.all(process, now, JSON.stringify(order.map((one) => one.id)))) {
      rows.set(row.id, row);
    }
    return order.flatMap(({ id }) => {
      const row = rows.get(id);
      return row === undefined ? [] : [toJob(row)];
    });
  }

  return (request, now) => {
    const room = new Room(request, (type) => running.get(type) ?? 0);
    const isPaused = paused();
    const wanted = (lane: Pick<Lane, 'queue' | 'type'>) => serves(request, lane) && !isPaused(lane.queue);

    const waiting = suspects.all(now).filter((one) => wanted(one) && room.allowance(one.type) > 0);
    if (waiting.length > 0) {
      const first = waiting.find(
        (one) => request.suspects === 'any' || (request.suspects === 'first' && one.crashes === 1),
      );
      if (first !== undefined) {
        const taken = takeOne.all(request.process, now, first.id).map(toJob);
        return { claimed: taken, suspectsWaiting: waiting.length - taken.length };
      }
      if (request.pastSuspects !== true) return { claimed: [], suspectsWaiting: waiting.length };
    }
    const passedBy = new Set(waiting.map(({ id }) => id));

    const all = lanes(wanted);
    const chosen: Candidate[] = [];
    let passed = false;
    for (let i = 0; i < all.length && !room.full;) {
      const priority = all[i]?.priority;
      const candidates: Candidate[] = [];
      const from = i;
      for (; i < all.length && all[i]?.priority === priority; i++) {
        const { queue, type } = all[i] as Lane;
        const { weight } = request.types.get(type) as ClaimableType;
        const limit = room.atMost(type, weight);
        if (limit < 1) continue;
        const most = limit + passedBy.size;
        const rows =
          anySpecial.get(type) === undefined
            ? due.all(priority as number, queue, type, now, most)
            : dueSpecial.all(priority as number, queue, type, now, running.get(type) ?? 0, most);
        for (const [id, availableAt, own] of rows) {
          if (passedBy.has(id)) continue;
          candidates.push({ id, availableAt, type, weight, ...(typeof own === 'number' ? { own } : {}) });
        }
      }
      // One lane comes sorted as it is.
      if (i - from > 1) candidates.sort(byDueTimeThenId);
      for (const candidate of candidates) {
        if (room.admit(candidate)) chosen.push(candidate);
        else if (room.full) break;
        else if (candidate.own !== undefined) passed = true;
      }
    }

    const claimed = takeAll(chosen, request.process, now);
    const suspectsWaiting = waiting.length;
    if (room.full) return { claimed, suspectsWaiting };
    // Behind those that must wait for what was just taken there may be others: the next claim passes them by.
    if (passed && claimed.length > 0) return { claimed, suspectsWaiting, nextDue: now };
    let nextDue: string | null = null;
    for (const lane of all) {
      const at = nextInLane.get(lane.priority, lane.queue, lane.type, now);
      if (at !== undefined && (nextDue === null || at < nextDue)) nextDue = at;
    }
    return { claimed, suspectsWaiting, nextDue };
  };
}

function serves(request: ClaimRequest, lane: Pick<Lane, 'queue' | 'type'>): boolean {
  return request.types.has(lane.type) && (request.queues === null || request.queues.includes(lane.queue));
}

function byDueTimeThenId(a: Candidate, b: Candidate): number {
  if (a.availableAt !== b.availableAt) return a.availableAt < b.availableAt ? -1 : 1;
  return a.id - b.id;
}

/** Floating-point sums of weights such as 1/3 must not hide a free place. */
const EPSILON = 1e-9;

/** How much more a claim may take: workers' room, and each type's concurrency. */
class Room {
  readonly #request: ClaimRequest;
  readonly #running: (type: string) => number;
  readonly #allowances = new Map<string, number>();
  readonly #taken = new Map<string, number>();
  #used = 0;
  #count = 0;
  /** Nothing more can be taken, whatever comes: strict order, so a job that does not fit ends the claim. */
  full = false;

  constructor(request: ClaimRequest, running: (type: string) => number) {
    this.#request = request;
    this.#running = running;
    this.full = request.slots + request.ahead <= EPSILON;
  }

  /** How many more jobs of the type may start, by its concurrency. */
  allowance(type: string): number {
    const known = this.#allowances.get(type);
    if (known !== undefined) return known;
    const limit = this.#request.types.get(type)?.concurrency ?? 0;
    const left = limit === Number.POSITIVE_INFINITY ? limit : limit - this.#running(type);
    this.#allowances.set(type, left);
    return left;
  }

  /**
   * How many jobs of the type are worth reading: one more than fits, where its concurrency allows. If
   * that one is due, the claim is full; lower priorities must not pass it by, and there is more to claim.
   */
  atMost(type: string, weight: number): number {
    const left = this.#limit(weight) - this.#used;
    const fit = Math.min(Math.floor(left / weight + EPSILON), this.#request.most - this.#count);
    return Math.min(Math.max(fit, 0) + 1, this.allowance(type));
  }

  /** Takes the job in, if there is room. */
  admit({ type, weight, own }: Candidate): boolean {
    const left = this.allowance(type);
    if (left < 1) return false;
    const taken = this.#taken.get(type) ?? 0;
    if (own !== undefined && this.#running(type) + taken >= own) return false;
    if (this.#count >= this.#request.most || this.#used + weight > this.#limit(weight) + EPSILON) {
      this.full = true;
      return false;
    }
    this.#used += weight;
    this.#count += 1;
    this.#allowances.set(type, left - 1);
    this.#taken.set(type, taken + 1);
    if (this.#used >= this.#request.slots + this.#request.ahead - EPSILON) this.full = true;
    return true;
  }

  #limit(weight: number): number {
    return weight < 1 ? this.#request.slots + this.#request.ahead : this.#request.slots;
  }
}
