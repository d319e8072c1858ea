/** Properties of dispatches: all of it or nothing, once, and for good. */

import assert from 'node:assert/strict';
import { REFUSED, type Told } from './calls.ts';
import { LIVE } from './spec.ts';
import { count, named, type Rule } from './step.ts';

export const dispatchRules = {
  'unique: one job of a type with a key lives; a second dispatch returns its id': (step) => {
    const holders = new Map<string, number>();
    for (const { type, key, status } of step.rows.values()) {
      if (key !== null && LIVE.has(status)) count(holders, `${type} ${key}`);
    }
    for (const [name, times] of holders) assert.equal(times, 1, name);
    let seen = 0;
    step.calls.forEach((call, i) => {
      const answer = step.answers[i];
      if (call.verb !== 'insert' || answer === REFUSED) return;
      (answer as { id: number; existing: boolean }[]).forEach(({ id, existing }, at) => {
        const { type, uniqueKey } = call.jobs[at]!;
        if (uniqueKey === null) return;
        seen++;
        const made = named(step, 'dispatch').some((move) => move.id === id);
        const revived = named(step, 'revive').some((move) => move.id === id);
        const lived = revived || LIVE.has(step.before.get(id)?.status ?? '');
        assert.ok(made || (existing && lived), `#${id} was neither made, nor did it live`);
        const { key, type: ofType } = step.rows.get(id)!;
        assert.deepEqual([ofType, key], [type, uniqueKey], `#${id}`);
      });
    });
    return seen;
  },

  'a dispatch that returned is there, until it is deleted': ({ past, rows }) => {
    for (const id of past.acknowledged) assert.ok(rows.has(id) || past.deleted.has(id), `#${id} is lost`);
    return past.acknowledged.size;
  },

  'a dispatch is written whole or not at all; a handler’s with its completion': (step) => {
    const made = named(step, 'dispatch').length;
    let wanted = 0;
    let keyed = 0;
    step.calls.forEach((call, i) => {
      const answer = step.answers[i];
      if (answer === REFUSED) return;
      if (call.verb === 'foreign') wanted++;
      if (call.verb === 'insert') {
        wanted += (answer as { existing: boolean }[]).filter((one) => !one.existing).length;
      }
      if (call.verb !== 'exchange') return;
      call.settles.forEach(({ id, lease, settlement }, at) => {
        if (settlement.move !== 'complete' || (answer as Told).settled[at] !== true) return;
        const done = named(step, 'complete').some((move) => move.id === id && move.was!.lease === lease);
        const dispatches = settlement.dispatches ?? [];
        if (!done) return;
        wanted += dispatches.length;
        keyed += dispatches.filter(({ uniqueKey }) => uniqueKey !== undefined).length;
      });
    });
    // One with a key may have found its key held.
    assert.ok(made <= wanted && made >= wanted - keyed, `${made} jobs were made of ${wanted}`);
    return wanted;
  },
} satisfies Record<string, Rule>;
