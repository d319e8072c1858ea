/**
 * What threads say of attempts, read with suspicion. Handlers share their thread's globals with the code
 * that reports for them: one that patches `JSON` or a prototype garbles what is said of the jobs after it.
 */

import type { JobError, NestedDispatch, Outcome } from './job.ts';

/** Without a result, and nothing dispatched: needs no text. */
export const PLAIN: Outcome = { kind: 'completed', result: null };

/** Errors are kept with the job, logged and mailed: longer ones are cut. Characters. */
const LONGEST_MESSAGE = 4000;
const LONGEST_STACK = 16_000;

/** An error as long as it may be kept, whatever the handler threw. */
export function bounded({ message, stack }: JobError): JobError {
  const short = { message: message.slice(0, LONGEST_MESSAGE) };
  return stack === undefined ? short : { ...short, stack: stack.slice(0, LONGEST_STACK) };
}

/** Reads an outcome's JSON text; undefined where a thread in good order would not have written it. */
export function readOutcomeText(text: string | undefined): Outcome | undefined {
  try {
    const said: unknown = JSON.parse(text ?? '');
    return isObject(said) ? checked(said) : undefined;
  } catch {
    return undefined;
  }
}

function checked(said: Record<string, unknown>): Outcome | undefined {
  const { kind, result, dispatches, error, delay } = said;
  switch (kind) {
    case 'completed':
      if (result !== null && typeof result !== 'string') return undefined;
      if (dispatches === undefined) return { kind, result };
      return Array.isArray(dispatches) && dispatches.every(isDispatch)
        ? { kind, result, dispatches }
        : undefined;
    case 'failed':
    case 'discarded':
      return isError(error) ? { kind, error: bounded(error) } : undefined;
    case 'snoozed':
      if (typeof delay !== 'number' || delay < 0) return undefined;
      if (error === undefined) return { kind, delay };
      return isError(error) ? { kind, delay, error: bounded(error) } : undefined;
    default:
      return undefined;
  }
}

function isError(value: unknown): value is JobError {
  return (
    isObject(value) &&
    typeof value['message'] === 'string' &&
    (value['stack'] === undefined || typeof value['stack'] === 'string')
  );
}

function isDispatch(value: unknown): value is NestedDispatch {
  return (
    isObject(value) &&
    typeof value['ref'] === 'string' &&
    typeof value['type'] === 'string' &&
    typeof value['payload'] === 'string' &&
    (value['dependsOn'] === undefined || Array.isArray(value['dependsOn']))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
