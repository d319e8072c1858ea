/**
 * Every invariant of the specification's first section (the states, and the moves between them), each by the
 * sentence that it stands for. They look at the table and at the answers alone; the model is not asked.
 */

import { claimRules } from './claim-rules.ts';
import { crashRules } from './crash-rules.ts';
import { dispatchRules } from './dispatch-rules.ts';
import { moveRules } from './move-rules.ts';
import type { Rule } from './step.ts';
import { waitRules } from './wait-rules.ts';

export const PROPERTIES: ReadonlyMap<string, Rule> = new Map(
  Object.entries({ ...moveRules, ...dispatchRules, ...claimRules, ...waitRules, ...crashRules }),
);
