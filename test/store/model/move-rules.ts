/** Properties of the moves: which there are, who makes them, and what each one leaves. */

import assert from 'node:assert/strict';
import { ARROWS, LIVE, MOVES_OF, SETTLES, textOf } from './spec.ts';
import { count, exchanges, named, type Rule } from './step.ts';

export const moveRules = {
  'there are no moves but those of the table': ({ moves }) => {
    for (const { was, is, name, id } of moves) {
      if (name === 'other' || name === 'delete') continue;
      const arrow = ARROWS.get(name);
      const [from, to] = [was?.status ?? '∅', is!.status];
      assert.ok(arrow?.from.includes(from) && arrow.to.includes(to), `#${id} went ${name}: ${from} → ${to}`);
    }
    return moves.length;
  },

  'each move is made by who may make it: nothing else may finish a job': ({ moves, calls }) => {
    const may = new Set(calls.flatMap(({ verb }) => MOVES_OF[verb] ?? []));
    for (const { name, id } of moves) {
      const verbs = calls.map(({ verb }) => verb).join();
      assert.ok(name === 'other' || may.has(name), `#${id}: ${name} within ${verbs}`);
    }
    return moves.length;
  },

  'nothing else changes a job': ({ moves }) => {
    const others = moves.filter(({ name }) => name === 'other');
    for (const { was, is, id } of others) {
      // A parent fewer to wait for, how far the handler is, what is secret dropped as the job completed.
      const free = { blocked: 'waitingFor', processing: 'progress', completed: 'payload' }[
        was!.status as string
      ];
      const changed = Object.keys(was!).filter(
        (name) => was![name as keyof typeof was] !== is![name as keyof typeof is],
      );
      assert.deepEqual(
        changed.filter((name) => name !== free),
        [],
        `#${id} (${was!.status})`,
      );
    }
    return others.length;
  },

  'a completed job is never run again, nor changed': ({ moves }) => {
    let seen = 0;
    for (const { was, is, id, name } of moves) {
      if (was?.status !== 'completed') continue;
      seen++;
      assert.ok(is === null || is.status === 'completed', `#${id}: ${name} after completion`);
    }
    return seen;
  },

  'a settle is written exactly where its lease still holds; a stale one changes nothing': (step) => {
    const said = new Map<string, number>();
    const asked = new Map<string, string[]>();
    let seen = 0;
    for (const { call, told } of exchanges(step)) {
      call.settles.forEach((settle, i) => {
        seen++;
        const name = `${settle.id}/${settle.lease}`;
        if (told.settled[i] === true) count(said, name);
        const ways = [settle.settlement.move, settle.otherwise?.('').move ?? ''];
        asked.set(name, [...(asked.get(name) ?? []), ...ways]);
      });
    }
    const written = new Map<string, number>();
    for (const { was, id, name } of step.moves.filter((move) => SETTLES.has(move.name))) {
      const lease = `${id}/${was!.lease}`;
      count(written, lease);
      assert.ok(asked.get(lease)?.includes(name), `${lease} went ${name}, which nobody asked for`);
    }
    assert.deepEqual(written, said, 'what was written is what was answered');
    return seen;
  },

  'a lease ends once, and was given once': ({ past, moves }) => {
    for (const [what, counts] of [
      ['claimed', past.claimed],
      ['ended', past.ended],
    ] as const) {
      for (const [lease, times] of counts) assert.equal(times, 1, `${lease} was ${what} ${times} times`);
    }
    return moves.filter(({ was }) => was?.status === 'processing').length;
  },

  'a settle leaves the lease as it is: only a claim changes it': ({ moves }) => {
    const others = moves.filter(({ name, was, is }) => name !== 'claim' && was !== null && is !== null);
    for (const { was, is, id, name } of others) assert.equal(is!.lease, was!.lease, `#${id}: ${name}`);
    return others.length;
  },

  'retry: due after its backoff, the attempt stays counted': (step) => {
    const retries = named(step, 'retry');
    for (const { was, is, id } of retries) {
      const settles = exchanges(step).flatMap(({ call }) =>
        call.settles.filter((one) => one.id === id && one.lease === was!.lease),
      );
      const delays = settles
        .flatMap((one) => [one.settlement, one.otherwise?.('')])
        .flatMap((one) => (one?.move === 'retry' ? [one.delay] : []));
      assert.ok(
        delays.some((delay) => is!.due === textOf(step.now + delay)),
        `#${id} due ${is!.due}`,
      );
      assert.equal(is!.attempts, was!.attempts);
    }
    return retries.length;
  },

  'release: the attempt is given back, due no sooner than it was': (step) => {
    const released = named(step, 'release');
    for (const { was, is, id } of released) {
      assert.equal(is!.attempts, was!.attempts - 1, `#${id}`);
      assert.ok(is!.due >= was!.due, `#${id} due ${was!.due}, then ${is!.due}`);
    }
    return released.length;
  },

  'revive: one more attempt is granted, and it is due at once': (step) => {
    const revived = named(step, 'revive');
    for (const { was, is, id } of revived) {
      assert.equal(is!.attempts, was!.attempts, `#${id}: what was spent stays spent`);
      // Null is the type's own number: it must not count for one whose attempts are spent.
      const spent = was!.status === 'failed' && was!.discarded === 0 && was!.attempts > 0;
      if (is!.maxAttempts === null) assert.ok(!spent && was!.maxAttempts === null, `#${id} has none left`);
      else assert.ok(is!.maxAttempts > is!.attempts, `#${id}: ${is!.attempts} of ${is!.maxAttempts}`);
      assert.equal(is!.due, textOf(step.now), `#${id}`);
    }
    return revived.length;
  },

  'a job has an end exactly while it has ended': ({ rows }) => {
    for (const { id, status, finished } of rows.values()) {
      assert.equal(finished === null, LIVE.has(status), `#${id} ${status} ended ${finished}`);
    }
    return rows.size;
  },

  'every attempt that did not end well is kept': (step) => {
    const outcomes: Record<string, string> = { retry: 'failed', expire: 'crashed' };
    const expected = step.moves.flatMap(({ name, was, is, id }) => {
      const cancelled = name === 'cancel' && was!.status === 'processing' ? 'cancelled' : undefined;
      const failed = name === 'fail' ? (is!.discarded === 1 ? 'discarded' : 'failed') : undefined;
      const outcome = outcomes[name] ?? cancelled ?? failed;
      return outcome === undefined ? [] : [`${id} ${was!.attempts} ${outcome}`];
    });
    const gone = new Set(named(step, 'delete').map(({ id }) => String(id)));
    const stay = step.attemptsBefore.filter((one) => !gone.has(one.split(' ')[0]!));
    assert.deepEqual(step.attempts, [...stay, ...expected].toSorted());
    return expected.length;
  },
} satisfies Record<string, Rule>;
