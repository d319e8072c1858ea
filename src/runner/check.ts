/** What a type says of a payload before a job is made of it. */

import type { Verdict } from '../engine/wire.ts';
import { issuesText } from './attempt.ts';
import type { LoadedJob } from './loader.ts';

/** Checks a payload, and finds the key under which its job is unique. Throws what the definition's own code throws. */
export async function checkPayload({ schema, unique }: LoadedJob, payload: string): Promise<Verdict> {
  const value: unknown = JSON.parse(payload);
  const answer = await schema?.['~standard'].validate(value);
  if (answer?.issues !== undefined) return { problem: issuesText(answer.issues) };
  const uniqueKey = typeof unique === 'function' ? String(unique(value)) : unique;
  return uniqueKey === undefined ? {} : { uniqueKey };
}
