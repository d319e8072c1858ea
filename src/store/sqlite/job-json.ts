/** Jobs as programs read them: the table's names, JSON columns parsed, secret fields masked. */

import { readOptions } from '../../engine/stored-options.ts';
import type { JobRow, Queries, Secrets } from './queries.ts';

/** Shown instead of a field that is to stay secret. */
export const MASK = '•••';

/** One of many. */
export function jobAsJson(job: JobRow, secrets: Secrets): Record<string, unknown> {
  return {
    ...job,
    discarded: job.discarded === 1,
    payload: masked(job, secrets),
    result: jsonOrText(job.result),
    options: jsonOrText(job.options),
    progress: jsonOrText(job.progress),
  };
}

/** One with all that belongs to it: attempts that did not end well, and the jobs at the other ends of its dependencies. */
export function jobWhole(queries: Queries, id: number): Record<string, unknown> | undefined {
  const job = queries.job(id);
  if (job === undefined) return undefined;
  return {
    ...jobAsJson(job, queries.secrets()),
    // The table's own 'attempts' and 'parents' are numbers.
    history: queries.attempts(id),
    depends_on: queries.parents(id),
    dependents: queries.children(id),
  };
}

/** The payload without what its own options, or else its type, call secret. */
export function masked({ type, payload, options }: JobRow, secrets: Secrets): unknown {
  const value = jsonOrText(payload);
  const secret = readOptions(options).redact ?? secrets.get(type) ?? [];
  if (typeof value !== 'object' || value === null || secret.length === 0) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, secret.includes(key) ? MASK : (field as unknown)]),
  );
}

/** What a JSON column holds, or its text where another program wrote something else into it. */
export function jsonOrText(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
