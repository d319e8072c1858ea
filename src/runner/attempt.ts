/** One attempt in a thread: check the payload, call the handler, say how it ended as JSON text. */

import { isDiscard, isSnooze, type JobDefinition } from '../engine/handler.ts';
import type { JobError, Outcome } from '../engine/job.ts';
import { bounded } from '../engine/outcome.ts';
import { formatSize, parseDuration } from '../engine/units.ts';
import type { WireJob } from '../engine/wire.ts';
import { type Context, MAX_JSON } from './context.ts';

// Taken now: a handler that patches globals must not break the jobs after it.
const { parse, stringify } = JSON;
const { assign, create, hasOwn } = Object;

/** Undefined stands for the most common end: completed, with no result. */
export type OutcomeText = string | undefined;

/** Runs the handler. Never throws or rejects. Synchronous where the handler is: an await a job costs. */
export function attempt(
  definition: JobDefinition<unknown>,
  job: WireJob,
  context: Context,
): OutcomeText | Promise<OutcomeText> {
  try {
    const payload: unknown = parse(job.payload);
    // Its own only, like all that is read here: a patched prototype must not speak for it.
    if (hasOwn(definition, 'schema')) return checked(definition, payload, context);
    const returned = definition.handle(payload, context);
    if (returned instanceof Promise || isThenable(returned)) return settle(returned, context);
    return completed(returned, context);
  } catch (error) {
    return ended(error);
  }
}

async function checked(
  definition: JobDefinition<unknown>,
  payload: unknown,
  context: Context,
): Promise<OutcomeText> {
  try {
    const answer = await definition.schema?.['~standard'].validate(payload);
    if (answer?.issues !== undefined) {
      return failed({ message: `The payload does not fit: ${issuesText(answer.issues)}.` });
    }
    return completed(await definition.handle(answer?.value, context), context);
  } catch (error) {
    return ended(error);
  }
}

async function settle(returned: PromiseLike<unknown>, context: Context): Promise<OutcomeText> {
  try {
    return completed(await returned, context);
  } catch (error) {
    return ended(error);
  }
}

/** What a Standard Schema complains of, in one line: `id: expected number; name: required`. */
export function issuesText(
  issues: readonly { message: string; path?: readonly unknown[] | undefined }[],
): string {
  return issues
    .slice(0, 5)
    .map(({ message, path }) => {
      const at = (path ?? [])
        .map((part) => String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part))
        .join('.');
      return at === '' ? message : `${at}: ${message}`;
    })
    .join('; ');
}

function completed(value: unknown, { dispatches }: Context): OutcomeText {
  let result: string | undefined;
  try {
    result = value === undefined || value === null ? undefined : stringify(value);
  } catch (error) {
    return failed({
      message: `Its result cannot be stored as JSON: ${error instanceof Error ? error.message : String(error)}.`,
    });
  }
  if (result !== undefined && result.length > MAX_JSON) {
    return failed({
      message: `Its result has ${formatSize(result.length)}; at most ${formatSize(MAX_JSON)} are kept. Write it to a file and return the path.`,
    });
  }
  if (result === undefined && dispatches.length === 0) return undefined;
  const outcome: Outcome = { kind: 'completed', result: result ?? null };
  if (dispatches.length > 0) outcome.dispatches = dispatches;
  return text(outcome);
}

function ended(error: unknown): OutcomeText {
  if (isSnooze(error)) {
    const delay = parseDuration(error.delay);
    if (delay === undefined) {
      return failed({
        message: `snooze cannot wait for ${stringify(error.delay)}: a duration such as 5m`,
      });
    }
    const { reason } = error;
    if ((reason ?? '') === '') return text({ kind: 'snoozed', delay });
    return text({ kind: 'snoozed', delay, error: bare(bounded({ message: String(reason) })) });
  }
  if (isDiscard(error)) return text({ kind: 'discarded', error: bare(describe(error)) });
  return failed(describe(error));
}

/** The outcome of an attempt that went wrong. */
export function failed(error: JobError): string {
  return text({ kind: 'failed', error: bare(bounded(error)) });
}

function text(outcome: Outcome): string {
  return stringify(bare(outcome));
}

/** A copy that has no prototype, so that no `toJSON` can be found there. */
function bare<T extends object>(value: T): T {
  return assign(create(null) as T, value);
}

/** An error as it is kept. Whatever was thrown: a hostile `toString` or getter must not win. */
export function describe(error: unknown): JobError {
  try {
    if (error instanceof Error) {
      const name = error.name === 'Error' || error.name === '' ? '' : `${error.name}: `;
      const why = error.cause instanceof Error ? error.cause.message : '';
      // Many a library repeats its cause in its own message.
      const cause = why === '' || error.message.includes(why) ? '' : ` (${why})`;
      const message = `${isDiscard(error) ? '' : name}${error.message || 'no message'}${cause}`;
      const { stack } = error;
      return bounded(typeof stack === 'string' ? { message, stack: theirs(stack) } : { message });
    }
    const shown = typeof error === 'string' ? error : (stringify(error) ?? String(error));
    return bounded({ message: `The handler threw ${shown}` });
  } catch {
    return { message: 'The handler threw something that cannot be shown.' };
  }
}

/** The stack down to where passito called the handler. */
function theirs(stack: string): string {
  const lines = stack.split('\n');
  const ours = lines.findIndex((line) => line.includes(`${import.meta.dirname}/`));
  return lines.slice(0, ours === -1 ? lines.length : ours).join('\n');
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
