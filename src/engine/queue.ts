/** Dispatch: checks what is asked for and turns it into jobs to be written. */

import { errors } from '../errors.ts';
import { canBeKept } from './clock.ts';
import type { JobOptions } from './handler.ts';
import type { NewJob } from './store.ts';
import { isUniqueKey, NAME, optionProblems, storedOptions, UNIQUE_KEY } from './types.ts';
import { formatSize, parseDuration } from './units.ts';

/** The most that a payload may take, in bytes of JSON. */
const MAX_PAYLOAD = 10 * 1024 * 1024;

/** How deep SQLite reads JSON; deeper is refused by the table. */
const MAX_DEPTH = 1000;

/** A job that somebody wants. */
export interface DispatchRequest extends JobOptions {
  type: string;
  /** JSON text. */
  payload: string;
  delay?: number | string;
  /** Milliseconds since 1970. */
  availableAt?: number;
  uniqueKey?: string;
  dependsOn?: (number | { index: number })[];
}

/** What a type says of jobs that say nothing themselves, as far as it is known here. */
export type TypeDefaults = Pick<JobOptions, 'priority' | 'queue' | 'maxAttempts'> & {
  redact?: readonly string[];
};

/** Checks a request and fills it in. Throws with the name of what is wrong; `where` comes before it. */
export function newJob(request: DispatchRequest, defaults: TypeDefaults = {}, where = ''): NewJob {
  const at = where === '' ? '' : `${where}: `;
  if (!NAME.test(request.type)) {
    throw errors.badValue(`${at}The type`, request.type, 'at most 100 letters, digits and . _ : -');
  }
  const [problem] = optionProblems({ ...request });
  if (problem !== undefined) throw errors.badOption(`${at}${problem}`);
  const size = Buffer.byteLength(request.payload);
  if (size > MAX_PAYLOAD) {
    throw errors.payloadTooLarge(`${at}The payload`, formatSize(size), formatSize(MAX_PAYLOAD));
  }
  try {
    JSON.parse(request.payload);
  } catch (error) {
    throw errors.badJson(`${at}The payload`, error instanceof Error ? error.message : String(error));
  }
  if (size > MAX_DEPTH && depth(request.payload) > MAX_DEPTH) {
    throw errors.badOption(`${at}The payload is nested more than ${MAX_DEPTH} levels deep`);
  }
  const delay = request.delay === undefined ? undefined : parseDuration(request.delay);
  if (request.delay !== undefined && delay === undefined) {
    throw errors.badValue(`${at}The delay`, String(request.delay), 'a duration such as 90s, 5m, 2h or 30d');
  }
  if (delay !== undefined && request.availableAt !== undefined) {
    throw errors.conflictingOptions(`${at}delay`, 'availableAt');
  }
  if (request.availableAt !== undefined && !canBeKept(request.availableAt)) {
    throw errors.badValue(`${at}The time`, String(request.availableAt), 'in the years 0000 to 9999');
  }
  if (request.uniqueKey !== undefined && !isUniqueKey(request.uniqueKey)) {
    throw errors.badValue(`${at}The unique key`, request.uniqueKey, UNIQUE_KEY);
  }
  return {
    type: request.type,
    payload: request.payload,
    queue: request.queue ?? defaults.queue ?? 'default',
    priority: request.priority ?? defaults.priority ?? 0,
    maxAttempts: request.maxAttempts ?? defaults.maxAttempts ?? null,
    ...(delay === undefined ? {} : { delay }),
    ...(request.availableAt === undefined ? {} : { availableAt: request.availableAt }),
    uniqueKey: request.uniqueKey ?? null,
    options: storedOptions(request, defaults.redact),
    dependsOn: request.dependsOn ?? [],
  };
}

/** How many arrays and objects of a valid JSON text lie in each other at most. */
function depth(json: string): number {
  let [open, deepest] = [0, 0];
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++open);
    else if (token === ']' || token === '}') open--;
  }
  return deepest;
}
