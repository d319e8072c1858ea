/** Properties of claims: which jobs, in which order, by whom. */

import assert from 'node:assert/strict';
import type { ClaimedJob, ClaimRequest } from '../../../src/engine/store.ts';
import type { Told } from './calls.ts';
import { textOf } from './spec.ts';
import { exchanges, named, type Rule, type Step } from './step.ts';
import type { Row } from './watch.ts';

/** The jobs that a claim took, as they stood at that moment, in its order. */
function taken(step: Step, claimed: readonly ClaimedJob[]): Row[] {
  return claimed.map(({ id, lease }) => {
    const move = named(step, 'claim').find((one) => one.id === id && one.is!.lease === lease);
    assert.ok(move, `#${id} was told as claimed, and was not`);
    return move.was!;
  });
}

/** The only claim of a step, where it had room left and no suspect kept others away. */
function notFull(step: Step): { claim: ClaimRequest; told: Told } | undefined {
  const [only] = step.calls.length === 1 ? exchanges(step) : [];
  const claim = only?.call.claim;
  if (only === undefined || claim === undefined || claim === null || !only.told.registered) return undefined;
  const { claimed, suspectsWaiting } = only.told;
  const solo = suspectsWaiting > 0 || claimed.some(({ crashes }) => crashes > 0);
  return solo || claimed.length >= claim.slots ? undefined : { claim, told: only.told };
}

/** What still waits of the types and queues of a claim, but for what is paused. */
function servedBy({ rows, past: { paused } }: Step, { types, queues }: ClaimRequest): Row[] {
  return [...rows.values()].filter(
    ({ status, type, queue }) =>
      status === 'pending' &&
      types.has(type) &&
      (queues?.includes(queue) ?? true) &&
      !paused.has(null) &&
      !paused.has(queue),
  );
}

export const claimRules = {
  'claim: lease + 1, attempt + 1, and the claimant is told so': (step) => {
    const claims = named(step, 'claim');
    for (const { was, is, id } of claims) {
      assert.deepEqual([is!.lease, is!.attempts], [was!.lease + 1, was!.attempts + 1], `#${id}`);
    }
    const told = exchanges(step).flatMap((one) => one.told.claimed);
    const name = (id: number, lease: number, attempt: number) => `${id}/${lease} attempt ${attempt}`;
    assert.deepEqual(
      told.map(({ id, lease, attempt }) => name(id, lease, attempt)).toSorted(),
      claims.map(({ is }) => name(is!.id, is!.lease, is!.attempts)).toSorted(),
    );
    return claims.length;
  },

  'no job starts before it is due': (step) => {
    const claims = named(step, 'claim');
    for (const { was, id } of claims) assert.ok(was!.due <= textOf(step.now), `#${id} is due ${was!.due}`);
    return claims.length;
  },

  'the order is priority, then due time, then id': (step) => {
    let seen = 0;
    for (const { told } of exchanges(step)) {
      const rows = taken(step, told.claimed);
      const sorted = rows.toSorted(
        (a, b) => b.priority - a.priority || (a.due < b.due ? -1 : a.due > b.due ? 1 : a.id - b.id),
      );
      assert.deepEqual(
        rows.map(({ id }) => id),
        sorted.map(({ id }) => id),
      );
      seen += rows.length > 1 ? 1 : 0;
    }
    return seen;
  },

  'no more run of a type than may, none of another type or queue, and none of more than was asked for': (
    step,
  ) => {
    let seen = 0;
    for (const { call, told } of exchanges(step)) {
      if (call.claim === null) continue;
      const { slots, types, queues } = call.claim;
      assert.ok(told.claimed.length <= slots, `${told.claimed.length} for ${slots} workers`);
      for (const { type, queue } of taken(step, told.claimed)) {
        seen++;
        assert.ok(types.has(type) && (queues?.includes(queue) ?? true), `${type} of ${queue}`);
        const running = [...step.rows.values()].filter(
          (row) => row.status === 'processing' && row.type === type,
        );
        assert.ok(running.length <= types.get(type)!.concurrency, `${running.length} of ${type} run`);
      }
    }
    return seen;
  },

  'nothing that is due is left lying: a claim comes back full, or all that may run does': (step) => {
    const found = notFull(step);
    if (found === undefined) return 0;
    for (const { id, type, due, crashes } of servedBy(step, found.claim)) {
      if (due > textOf(step.now) || crashes > 0) continue;
      const running = [...step.rows.values()].filter(
        (one) => one.status === 'processing' && one.type === type,
      );
      const full = running.length >= found.claim.types.get(type)!.concurrency;
      assert.ok(full, `#${id} was left although there was room`);
    }
    return 1;
  },

  'a claim with room left tells when the next job becomes due': (step) => {
    const found = notFull(step);
    if (found === undefined) return 0;
    const later = servedBy(step, found.claim)
      .map(({ due }) => due)
      .filter((due) => due > textOf(step.now));
    const { nextDue } = found.told;
    assert.equal(typeof nextDue === 'number' ? textOf(nextDue) : nextDue, later.toSorted()[0] ?? null);
    return later.length;
  },

  'what is paused does not start': (step) => {
    let seen = 0;
    const { paused } = step.past;
    for (const { was, id } of named(step, 'claim')) {
      seen += paused.size;
      assert.ok(!paused.has(null) && !paused.has(was!.queue), `#${id} of the paused queue ${was!.queue}`);
    }
    return seen;
  },

  'a process that has gone claims nothing, and its heartbeat is refused': (step) => {
    let seen = 0;
    step.calls.forEach((call, i) => {
      const answer = step.answers[i];
      if (call.verb === 'beat') {
        seen++;
        assert.equal(answer, !step.past.gone.has(call.process), `the heartbeat of ${call.process}`);
      }
      if (call.verb !== 'exchange' || call.claim === null) return;
      const gone = step.past.gone.has(call.claim.process);
      seen += gone ? 1 : 0;
      const { registered, claimed } = answer as { registered: boolean; claimed: unknown[] };
      assert.equal(registered, !gone);
      if (gone) assert.deepEqual(claimed, []);
    });
    return seen;
  },
} satisfies Record<string, Rule>;
