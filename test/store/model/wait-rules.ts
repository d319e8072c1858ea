/** Properties of dependencies, and of deleting. */

import assert from 'node:assert/strict';
import { named, type Rule, type Step } from './step.ts';

/** How many parents of a job have not completed. */
function unfinished({ links, rows }: Step, id: number): number {
  return links.filter(({ parent, child }) => child === id && rows.get(parent)?.status !== 'completed').length;
}

export const waitRules = {
  'blocked: a job waits exactly while a parent has not completed, failed and cancelled ones included': (
    step,
  ) => {
    let seen = 0;
    for (const { id, status, waitingFor } of step.rows.values()) {
      const waits = unfinished(step, id);
      if (status === 'blocked') {
        seen++;
        assert.ok(waits > 0, `#${id} is blocked by nothing`);
        assert.equal(waitingFor, waits, `what #${id} waits for`);
      } else if (status !== 'failed' && status !== 'cancelled') {
        assert.equal(waits, 0, `#${id} is ${status}, and ${waits} of its parents have not completed`);
      }
    }
    return seen;
  },

  'unblock: the last parent completed in that same transaction, and it is due no sooner': (step) => {
    const freed = named(step, 'unblock');
    const completed = new Set(named(step, 'complete').map(({ id }) => id));
    for (const { was, is, id } of freed) {
      const parents = step.linksBefore.concat(step.links).filter(({ child }) => child === id);
      assert.ok(
        parents.some(({ parent }) => completed.has(parent)),
        `no parent of #${id} completed just now`,
      );
      assert.ok(is!.due >= was!.due, `#${id} due ${was!.due}, then ${is!.due}`);
    }
    return freed.length;
  },

  'a child reads what its parents left': (step) => {
    let seen = 0;
    step.calls.forEach((call, i) => {
      if (call.verb !== 'exchange') return;
      const { claimed } = step.answers[i] as {
        claimed: { id: number; dependencies: { id: number; result: unknown }[] }[];
      };
      for (const { id, dependencies } of claimed) {
        const parents = step.links.filter(({ child }) => child === id).map(({ parent }) => parent);
        assert.deepEqual(
          dependencies.map((one) => one.id),
          parents,
          `the parents of #${id}`,
        );
        for (const parent of dependencies) {
          seen++;
          assert.deepEqual(parent.result, JSON.parse(step.rows.get(parent.id)?.result ?? 'null'));
        }
      }
    });
    return seen;
  },

  'deleting takes no job that runs, and none that an unfinished one waits for': (step) => {
    const gone = named(step, 'delete');
    for (const { was, id } of gone) {
      assert.notEqual(was!.status, 'processing', `#${id}`);
      const left = step.linksBefore.filter(({ parent, child }) => parent === id && step.rows.has(child));
      for (const { child } of left) {
        assert.equal(step.rows.get(child)!.status, 'completed', `#${child} waits for #${id}`);
      }
    }
    for (const { parent, child } of step.links) {
      assert.ok(
        step.rows.has(parent) && step.rows.has(child),
        `a link without its job: ${parent} → ${child}`,
      );
    }
    return gone.length;
  },

  'pruning takes only what ended before': (step) => {
    const [call] = step.calls;
    if (call?.verb !== 'prune') return 0;
    const gone = named(step, 'delete');
    for (const { was, id } of gone) {
      const keep = was!.status === 'completed' ? call.completed : call.failed;
      const age = step.now - Date.parse(`${was!.finished?.replace(' ', 'T')}Z`);
      assert.ok(age > keep, `#${id} (${was!.status}) ended ${age} ms ago`);
    }
    return gone.length;
  },
} satisfies Record<string, Rule>;
