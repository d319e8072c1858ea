/** What may be asked of a store: random numbers, read as ids and attempts of the moment when they are used. */

import fc from 'fast-check';
import type { Settlement } from '../../../src/engine/job.ts';
import type { ClaimRequest, NewJob, Settle } from '../../../src/engine/store.ts';
import { claimOf, newJob } from '../../tools/store.ts';
import type { Call } from './calls.ts';
import type { Model } from './model.ts';
import type { World } from './world.ts';

/** Something that is asked, before it is known of whom. */
export type Ask = (world: World, by: number) => Call;

/** All types that there are: as many of B at once as two, of C one. */
const LIMITS = { A: {}, B: { concurrency: 2 }, C: { concurrency: 1 } };
const TYPES = ['A', 'A', 'A', 'B', 'C'];

const pick = fc.nat(1000);
const picks = fc.array(pick, { minLength: 1, maxLength: 3 });
const key = fc.nat(7);

/** Half of the jobs wait for nothing. */
function upTo(most: number): fc.Arbitrary<number[]> {
  return fc.oneof(fc.constant<number[]>([]), fc.array(pick, { maxLength: most }));
}

function chosen<T>(all: readonly T[], which: readonly number[]): T[] {
  return all.length === 0 ? [] : [...new Set(which.map((n) => all[n % all.length] as T))];
}

const ids = ({ jobs }: Model) => [...jobs.keys()];

/** Mostly small numbers of few keys: they shall meet. */
const keyOf = (n: number) => (n < 3 ? `key ${n}` : null);

const job = fc.record({
  type: fc.constantFrom(...TYPES),
  queue: fc.constantFrom('default', 'default', 'mail'),
  priority: fc.constantFrom(0, 0, 5, 9),
  delay: fc.constantFrom(0, 0, 0, 40),
  most: fc.constantFrom(null, null, 1, 2),
  key,
  parents: upTo(3),
  within: upTo(2),
  unknown: fc.nat(25),
});

const insert = fc.array(job, { minLength: 1, maxLength: 4 }).map((given): Ask => ({ model }) => ({
  verb: 'insert',
  jobs: given.map((one, i): NewJob =>
    newJob(one.type, {
      queue: one.queue,
      priority: one.priority,
      delay: one.delay,
      maxAttempts: one.most,
      uniqueKey: keyOf(one.key),
      payload: '{"n":1,"secret":2}',
      dependsOn: [
        ...chosen(ids(model), one.parents),
        ...(i === 0 ? [] : one.within.map((n) => ({ index: n % i }))),
        ...(one.unknown === 0 ? [99_999] : []),
      ],
    }),
  ),
}));

const foreign = fc
  .record({ type: fc.constantFrom(...TYPES), delay: fc.constantFrom(0, 30) })
  .map(({ type, delay }): Ask => ({ clock }) => ({ verb: 'foreign', type, due: clock.now() + delay }));

export const claim = fc
  .record({
    slots: fc.integer({ min: 0, max: 5 }),
    suspects: fc.constantFrom(
      'any' as const,
      'any' as const,
      'any' as const,
      'first' as const,
      'none' as const,
    ),
    pastSuspects: fc.boolean(),
    queues: fc.constantFrom(null, null, null, ['mail']),
    types: fc.constantFrom(LIMITS, LIMITS, LIMITS, { A: {} }),
    // A suspect takes a whole worker: who has none free does not ask for one.
  })
  .map(
    ({ types, suspects, ...rest }) =>
      (process: number): ClaimRequest =>
        claimOf(process, types, { ...rest, suspects: rest.slots === 0 ? 'none' : suspects }),
  );

type End = 'complete' | 'retry' | 'fail' | 'discard' | 'release' | 'wait' | 'dispatch' | 'redact' | 'long';

const settle = fc.record({
  which: pick,
  end: fc.constantFrom<End>(
    'complete',
    'complete',
    'complete',
    'retry',
    'retry',
    'fail',
    'discard',
    'release',
    'wait',
    'dispatch',
    'dispatch',
    'redact',
    'long',
  ),
  parents: upTo(2),
  unknown: fc.nat(3),
  key,
});

const exchange = fc
  .record({
    settles: fc.array(settle, { maxLength: 4 }),
    from: fc.constantFrom('held' as const, 'held' as const, 'lost' as const, 'all' as const),
    /** The first outcome comes again in the same transaction. */
    again: fc.nat(9),
    claim: fc.option(claim),
  })
  .map(({ settles, from, again, claim: wish }): Ask => ({ model, processes }, by) => {
    // Lost: of jobs that run again by now. All: those of jobs that have ended, too.
    const known = model.attempts.filter(({ id, lease }) => {
      const now = model.jobs.get(id);
      return from === 'all' || (now?.status === 'processing' && (from === 'lost' || now.lease === lease));
    });
    const used = new Set<unknown>();
    const all = settles.flatMap((one): Settle[] => {
      const [attempt] = chosen(known, [one.which]);
      if (attempt === undefined || used.has(attempt)) return [];
      used.add(attempt);
      return [settleOf(attempt, one, model, settles.length === 1)];
    });
    const twice = again === 0 ? all.slice(0, 1) : [];
    return { verb: 'exchange', settles: [...all, ...twice], claim: wish?.(processes[by]!) ?? null };
  });

const REFUSED: Settlement = { move: 'retry', delay: 20, error: { message: 'refused' } };

function settleOf(
  { id, lease }: { id: number; lease: number },
  wish: { end: End; parents: number[]; unknown: number; key: number },
  model: Model,
  alone: boolean,
): Settle {
  const error = { message: `no ${id}/${lease}` };
  const end = (settlement: Settlement): Settle => ({ id, lease, settlement });
  switch (wish.end) {
    case 'complete':
      return end({ move: 'complete', result: String(id) });
    case 'redact':
      return { ...end({ move: 'complete', result: null }), redact: ['secret'] };
    case 'long':
      return end({ move: 'complete', result: `"${'x'.repeat(2500)}"` });
    case 'retry':
      return end({ move: 'retry', delay: 30, error });
    case 'fail':
    case 'discard':
      return end({ move: 'fail', error, discarded: wish.end === 'discard' });
    case 'release':
      return end({ move: 'release', delay: wish.key < 4 ? 0 : 10 });
    case 'wait':
      return end({ move: 'release', delay: 15, error });
    case 'dispatch': {
      const outside = [...chosen(ids(model), wish.parents), ...(wish.unknown === 0 ? [99_999] : [])];
      // Alone: which of two settles comes first decides who gets the key, and that is nobody's promise.
      const uniqueKey = alone ? (keyOf(wish.key) ?? undefined) : undefined;
      const one = { type: 'A', payload: '{}' };
      const dispatches = [
        { ...one, ref: 'a', dependsOn: [id], ...(uniqueKey === undefined ? {} : { uniqueKey }) },
        { ...one, ref: 'b', dependsOn: ['a', ...outside], delay: 5 },
      ];
      return { ...end({ move: 'complete', result: null, dispatches }), otherwise: () => REFUSED };
    }
  }
}

const admin = fc
  .record({ verb: fc.constantFrom('cancel' as const, 'revive' as const, 'revive' as const), which: picks })
  .map(({ verb, which }): Ask => ({ model }) => ({
    verb,
    ids: [...chosen(ids(model), which), ...(which.length > 2 ? [99_999] : [])],
  }));

const progress = pick.map((n): Ask => ({ model }) => {
  const [attempt = { id: 1, lease: 1 }] = chosen(model.attempts, [n]);
  return { verb: 'progress', attempt: { id: attempt.id, lease: attempt.lease }, text: `"${n}"` };
});

const lost = picks.map((which): Ask => ({ model }) => ({
  verb: 'lost',
  attempts: chosen(model.attempts, which).map(({ id, lease }) => ({ id, lease })),
}));

const remove = picks.map((which): Ask => ({ model }) => ({ verb: 'remove', ids: chosen(ids(model), which) }));

const prune = fc
  .record({ completed: fc.constantFrom(0, 30), failed: fc.constantFrom(0, 60) })
  .map((ages): Ask => () => ({ verb: 'prune', ...ages }));

/** Of a dead process, of the other one, which lives (its lease has lapsed), or of nobody. */
const expire = pick.map((n): Ask => ({ model, processes }, by) => {
  const others = [...model.processes].filter(([id, alive]) => alive && id !== processes[by]);
  const dead = others.filter(([id]) => !processes.includes(id));
  const all = (dead.length > 0 ? dead : others).map(([id]) => id);
  return { verb: 'expire', process: n % 10 === 0 ? 0 : (chosen(all, [n])[0] ?? 0) };
});

/** A heartbeat of a process that was declared lost comes late, and is refused. */
const beat = fc.constant<Ask>(({ processes }, by) => ({ verb: 'beat', process: processes[by]! }));
const signOff = fc.constant<Ask>(({ processes }, by) => ({ verb: 'signOff', process: processes[by]! }));

const pause = fc
  .record({
    verb: fc.constantFrom('pause' as const, 'resume' as const, 'resume' as const),
    queue: fc.constantFrom(null, 'mail', 'default'),
  })
  .map(
    (given): Ask =>
      () =>
        given,
  );

export const by = fc.nat(1);
/** May share a transaction with each other. */
export const shared = fc.oneof(
  { weight: 4, arbitrary: insert },
  { weight: 9, arbitrary: exchange },
  { weight: 2, arbitrary: admin },
  { weight: 1, arbitrary: progress },
  { weight: 1, arbitrary: beat },
);
export const alone = fc.oneof(
  { weight: 1, arbitrary: foreign },
  { weight: 3, arbitrary: expire },
  { weight: 1, arbitrary: remove },
  { weight: 1, arbitrary: prune },
  { weight: 1, arbitrary: lost },
  { weight: 1, arbitrary: signOff },
  { weight: 1, arbitrary: pause },
);
