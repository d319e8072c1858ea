/**
 * Every sentence of the specification's first section about states, and the properties by which it is checked. They
 * look at the table and at the answers alone; the model is not asked.
 */

import { claimRules } from './claim-rules.ts';
import { crashRules } from './crash-rules.ts';
import { dispatchRules } from './dispatch-rules.ts';
import { moveRules } from './move-rules.ts';
import type { Rule } from './step.ts';
import { waitRules } from './wait-rules.ts';

const ALL = { ...moveRules, ...dispatchRules, ...claimRules, ...waitRules, ...crashRules };

type Name = keyof typeof ALL;

/** In the specification's order. */
export const SENTENCES: Readonly<Record<string, readonly Name[]>> = {
  'States, and the only moves between them.': [
    'there are no moves but those of the table',
    'nothing else changes a job',
    'a job has an end exactly while it has ended',
  ],
  'dispatch: ∅ → pending | blocked': [
    'a dispatch is written whole or not at all; a handler’s with its completion',
    'unique: one job of a type with a key lives; a second dispatch returns its id',
  ],
  'unblock: the last dependency completed, in that same transaction': [
    'unblock: the last parent completed in that same transaction, and it is due no sooner',
    'a child reads what its parents left',
  ],
  'claim: lease + 1, attempt + 1': [
    'claim: lease + 1, attempt + 1, and the claimant is told so',
    'no job starts before it is due',
    'the order is priority, then due time, then id',
    'no more run of a type than may, none of another type or queue, and none of more than was asked for',
    'nothing that is due is left lying: a claim comes back full, or all that may run does',
    'a claim with room left tells when the next job becomes due',
    'what is paused does not start',
  ],
  'retry: available_at = now + backoff': ['retry: due after its backoff, the attempt stays counted'],
  'fail: attempts spent, or the handler said discard': ['every attempt that did not end well is kept'],
  'release: the attempt is given back': ['release: the attempt is given back, due no sooner than it was'],
  'expire: due at once; attempt given back, crashes + 1': [
    'expire: the attempt is given back, the crash counted, due at once',
    'a process that has gone claims nothing, and its heartbeat is refused',
    'the rescue takes from none that lives',
  ],
  'revive: grants one more attempt': ['revive: one more attempt is granted, and it is due at once'],
  'A failed or cancelled dependency leaves its dependents blocked.': [
    'blocked: a job waits exactly while a parent has not completed, failed and cancelled ones included',
    'deleting takes no job that runs, and none that an unfinished one waits for',
    'pruning takes only what ended before',
  ],
  'Every settle is one guarded write; zero rows means the lease was lost.': [
    'a settle is written exactly where its lease still holds; a stale one changes nothing',
    'a lease ends once, and was given once',
    'a settle leaves the lease as it is: only a claim changes it',
  ],
  'Nothing else may finish a job.': ['each move is made by who may make it: nothing else may finish a job'],
  'Crashes are counted apart from attempts.': [
    'crashes are counted apart: nothing else raises them, nothing forgets them',
  ],
  'Suspects: each runs alone until it completes.': [
    'suspects run alone: one in a claim, and nothing beside it',
    'suspects go first: others start only where that was asked for',
    'a suspect that crashed twice starts only where nothing else runs',
  ],
  'A job that kills its process fails after 3 crashes with that reason.': [
    'a job fails at its third crash, not sooner, and with that reason',
  ],
  'A dispatch that returned survives kill -9.': [
    'a dispatch that returned is there, until it is deleted',
    'a kill changes nothing by itself',
  ],
  'A completed job is never run again.': ['a completed job is never run again, nor changed'],
  'A crash loses no job.': ['a crash loses no job: after the rescue none runs without a process'],
};

export const PROPERTIES: ReadonlyMap<string, Rule> = new Map<string, Rule>(Object.entries(ALL));
