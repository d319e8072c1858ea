/** Properties of crashes: what a dead process held, and how suspects run. */

import assert from 'node:assert/strict';
import { FATAL_CRASHES, textOf } from './spec.ts';
import { exchanges, named, type Rule } from './step.ts';

export const crashRules = {
  'expire: the attempt is given back, the crash counted, due at once': (step) => {
    const expired = named(step, 'expire');
    for (const { was, is, id } of expired) {
      assert.deepEqual([is!.attempts, is!.crashes], [was!.attempts - 1, was!.crashes + 1], `#${id}`);
      if (is!.status === 'pending') assert.equal(is!.due, textOf(step.now), `#${id}`);
    }
    return expired.length;
  },

  'crashes are counted apart: nothing else raises them, nothing forgets them': ({ moves }) => {
    const others = moves.filter(({ name, was, is }) => name !== 'expire' && was !== null && is !== null);
    for (const { was, is, id, name } of others) assert.equal(is!.crashes, was!.crashes, `#${id}: ${name}`);
    return others.length;
  },

  'a job fails at its third crash, not sooner, and with that reason': (step) => {
    let seen = 0;
    for (const { is, id } of named(step, 'expire')) {
      assert.equal(
        is!.status === 'failed',
        is!.crashes >= FATAL_CRASHES,
        `#${id} is ${is!.status} after ${is!.crashes}`,
      );
      if (is!.status !== 'failed') continue;
      seen++;
      assert.match(is!.error ?? '', /process died/);
    }
    return seen;
  },

  'a crash loses no job: after the rescue none runs without a process': (step) => {
    const rescued = step.calls.filter(({ verb }) => verb === 'expire').length;
    if (rescued === 0) return 0;
    for (const { id, status, holder } of step.rows.values()) {
      const orphaned = status === 'processing' && step.past.gone.has(holder!);
      assert.ok(!orphaned, `#${id} is still held by ${holder}`);
    }
    return rescued;
  },

  'the rescue takes from none that lives': (step) => {
    const expired = named(step, 'expire');
    for (const { was, id } of expired) {
      assert.ok(step.past.gone.has(was!.holder!), `#${id} of ${was!.holder}`);
    }
    return expired.length;
  },

  'suspects run alone: one in a claim, and nothing beside it': (step) => {
    let seen = 0;
    for (const { told } of exchanges(step)) {
      const suspects = told.claimed.filter(({ crashes }) => crashes > 0);
      seen += suspects.length;
      const beside = suspects.length === 0 ? [] : told.claimed.slice(1).map(({ id }) => id);
      assert.deepEqual(beside, []);
    }
    return seen;
  },

  'suspects go first: others start only where that was asked for': (step) => {
    let seen = 0;
    for (const { call, told } of exchanges(step)) {
      if (told.suspectsWaiting === 0 || call.claim?.pastSuspects === true) continue;
      seen++;
      const others = told.claimed.filter(({ crashes }) => crashes === 0);
      assert.deepEqual(others, [], `${told.suspectsWaiting} suspects wait`);
    }
    return seen;
  },

  'a suspect that crashed twice starts only where nothing else runs': (step) => {
    let seen = 0;
    for (const { call, told } of exchanges(step)) {
      for (const { crashes, id } of told.claimed) {
        if (crashes === 0) continue;
        seen++;
        assert.notEqual(call.claim!.suspects, 'none', `#${id}`);
        if (crashes > 1) assert.equal(call.claim!.suspects, 'any', `#${id} after ${crashes} crashes`);
      }
    }
    return seen;
  },

  'a kill changes nothing by itself': (step) => {
    if (step.calls.length > 0) return 0;
    assert.deepEqual(step.moves, []);
    assert.deepEqual([...step.rows], [...step.before]);
    assert.deepEqual(step.links, step.linksBefore);
    assert.deepEqual(step.attempts, step.attemptsBefore);
    return step.rows.size;
  },
} satisfies Record<string, Rule>;
