/** Jobs written as JSON objects under the table's names: one, or one a line. Every slip is named with its line and key. */

import { errors, messageOf, PassitoError, type Problem, sentence } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { JobOptions } from './handler.ts';
import { type DispatchRequest, newJob, type TypeDefaults } from './queue.ts';
import { inOrder, type Named, refProblems } from './refs.ts';
import type { Inserted, NewJob } from './store.ts';
import { optionProblems } from './types.ts';

/** The keys of a line; docs/contract.md lists them. */
export const LINE_KEYS = [
  'type', 'payload', 'available_at', 'delay', 'priority', 'queue', 'max_attempts', 'timeout', 'backoff',
  'memory_limit', 'concurrency', 'unique_key', 'depends_on', 'ref',
]; // prettier-ignore

/** Options of a job under the names that a line has for them. */
const OPTION_KEYS: readonly [keyof JobOptions, string][] = [
  ['priority', 'priority'], ['queue', 'queue'], ['maxAttempts', 'max_attempts'], ['timeout', 'timeout'],
  ['backoff', 'backoff'], ['memoryLimit', 'memory_limit'], ['concurrency', 'concurrency'],
]; // prettier-ignore

/** Lines that share a transaction where the whole does not. */
const BATCH = 500;

/** All problems are told, but no more than this many. */
const MOST_PROBLEMS = 20;

/** A job as it was written; its number is 1 where it is no line. */
export interface JobLine extends Named {
  request: DispatchRequest;
}

/** What could not be read, with as much of it as others may name. */
interface BadLine extends Named {
  problems: Problem[];
}

/** How a time is read; undefined where the text is none. */
export interface TimeReader {
  read: (text: string) => number | undefined;
  /** What it may be, for the message. */
  form: string;
}

/** What became of lines, for a program. */
export interface DispatchedLines {
  dispatched: number;
  existing: number;
  jobs: { line: number; ref?: string; id: number; existing: boolean }[];
}

/** Reads a JSON object a line, in an order in which parents come first. `what` names the text in errors. */
export function readLines(text: string, times: TimeReader, what: string): JobLine[] {
  const lines: JobLine[] = [];
  const named: Named[] = [];
  const problems: Problem[] = [];
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    const read = readLine(line, i + 1, times);
    named.push(read);
    if ('request' in read) lines.push(read);
    else problems.push(...read.problems.map((problem) => ({ line: i + 1, ...problem })));
  });
  problems.push(...refProblems(named));
  refuse(
    what,
    problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)),
  );
  return inOrder(lines);
}

/** Reads one job. */
export function readOne(text: string, times: TimeReader, what: string): JobLine {
  const { ref, ...read } = readLine(text, 1, times);
  // Its ref names it to nobody, itself included.
  const orphaned = refProblems([read]).map(({ line: _, ...problem }) => problem);
  if ('problems' in read) throw errors.badLines(what, [...read.problems, ...orphaned]);
  refuse(what, orphaned);
  return ref === undefined ? read : { ...read, ref };
}

/** Throws where there are problems. */
export function refuse(what: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const shown = problems.slice(0, MOST_PROBLEMS);
  if (problems.length > MOST_PROBLEMS) {
    shown.push({ message: `… and ${problems.length - MOST_PROBLEMS} more` });
  }
  throw errors.badLines(what, shown);
}

/** Writes lines: in one transaction, or in batches, where ids of earlier batches are already known. */
export async function insertLines(
  lines: readonly JobLine[],
  {
    atomic,
    defaults,
    insert,
  }: {
    atomic: boolean;
    defaults: (type: string) => TypeDefaults | undefined;
    insert: (jobs: NewJob[]) => Promise<Inserted[]>;
  },
): Promise<Inserted[]> {
  // All are made before the first is written: none may be found wrong half-way.
  const known = new Map<string, TypeDefaults | undefined>();
  const made = lines.map(({ request }) => {
    if (!known.has(request.type)) known.set(request.type, defaults(request.type));
    return newJob(request, known.get(request.type));
  });
  const size = atomic ? Math.max(lines.length, 1) : BATCH;
  const done: Inserted[] = [];
  const places = new Map<string, number>();
  for (let start = 0; start < lines.length; start += size) {
    const batch = lines.slice(start, start + size);
    const jobs = batch.map(({ ref, after }, i) => {
      if (ref !== undefined) places.set(ref, start + i);
      const dependsOn = after.map((parent) => {
        if (typeof parent === 'number') return parent;
        const place = places.get(parent) as number;
        return place >= start ? { index: place - start } : (done[place] as Inserted).id;
      });
      return { ...(made[start + i] as NewJob), dependsOn };
    });
    try {
      done.push(...(await insert(jobs)));
    } catch (error) {
      if (start === 0 || !(error instanceof PassitoError)) throw error;
      throw errors.partlyDispatched(start, lines.length, batch[0]?.number ?? 0, error.message);
    }
  }
  return done;
}

/** What a program is told of lines that were written. */
export function toldLines(lines: readonly JobLine[], inserted: readonly Inserted[]): DispatchedLines {
  const existing = inserted.filter((one) => one.existing).length;
  const jobs = lines.map(({ number, ref }, i) => ({
    line: number,
    ...(ref === undefined ? {} : { ref }),
    ...(inserted[i] as Inserted),
  }));
  return {
    dispatched: inserted.length - existing,
    existing,
    jobs: jobs.sort((a, b) => a.line - b.line),
  };
}

/** Throws where a job waits for an id that nobody has; `unknown` finds one. */
export function refuseUnknown(
  lines: readonly JobLine[],
  unknown: (ids: number[]) => number | undefined,
): void {
  const parents = lines.flatMap(({ after }) => after.filter((one) => typeof one === 'number'));
  const id = parents.length === 0 ? undefined : unknown(parents);
  if (id === undefined) return;
  const line = lines.find(({ after }) => after.includes(id));
  throw errors.unknownDependency(id, lines.length > 1 ? line?.number : undefined);
}

function readLine(line: string, number: number, times: TimeReader): JobLine | BadLine {
  const unread = (message: string) => ({ number, after: [], problems: [{ message }] });
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch (error) {
    // The text is one line: its number is told, and V8 would call each the first.
    const reason = messageOf(error).replace(/ at position \d+ \(line 1 column (\d+)\)$/, ' at column $1');
    return unread(`not valid JSON (${reason})`);
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    return unread('not a JSON object');
  }
  return readFields(fields, number, times);
}

function readFields(fields: Record<string, unknown>, number: number, times: TimeReader): JobLine | BadLine {
  const problems: Problem[] = [];
  const text = (key: string, such = '') => {
    const value = fields[key];
    if (value === undefined || typeof value === 'string') return value;
    problems.push({ key, message: `'${key}' must be a text${such}` });
    return undefined;
  };
  for (const key of Object.keys(fields)) {
    if (LINE_KEYS.includes(key)) continue;
    const close = nearest(key, LINE_KEYS);
    const hint = close === undefined ? '' : `; did you mean '${close}'?`;
    problems.push({ key, message: `unknown key '${key}'${hint}` });
  }
  const type = text('type');
  if (fields['type'] === undefined) problems.push({ key: 'type', message: "'type' is missing" });
  const at = text('available_at', ', such as "2026-12-24 08:00"');
  const availableAt = at === undefined ? undefined : times.read(at);
  if (at !== undefined && availableAt === undefined) {
    problems.push({
      key: 'available_at',
      message: errors.badValue('available_at', at, times.form).message,
    });
  }
  const uniqueKey = text('unique_key');
  const ref = text('ref');
  const parents = fields['depends_on'];
  const given: unknown[] = parents === undefined ? [] : Array.isArray(parents) ? parents : [parents];
  const after = given.filter(isParent);
  if (after.length < given.length) {
    problems.push({
      key: 'depends_on',
      message: '\'depends_on\' must be ids or refs, such as [1, "a"]',
    });
  }
  const delay = fields['delay'] as string | undefined;
  const request: DispatchRequest = {
    type: type ?? 'unnamed',
    payload: payloadText(fields['payload'], problems),
    ...(availableAt === undefined ? {} : { availableAt }),
    ...(delay === undefined ? {} : { delay }),
    ...(uniqueKey === undefined ? {} : { uniqueKey }),
  };
  for (const [name, key] of OPTION_KEYS) {
    if (fields[key] === undefined) continue;
    const found = optionProblems({ [name]: fields[key] });
    problems.push(...found.map((problem) => ({ key, message: sentence(problem.replace(name, key)) })));
    if (found.length === 0) Object.assign(request, { [name]: fields[key] });
  }
  problems.push(...requestProblems(request));
  return { number, ref, after, ...(problems.length > 0 ? { problems } : { request }) };
}

function isParent(value: unknown): value is number | string {
  return typeof value === 'string' || (Number.isSafeInteger(value) && Number(value) > 0);
}

function payloadText(payload: unknown, problems: Problem[]): string {
  try {
    return JSON.stringify(payload ?? {});
  } catch {
    // V8 reads JSON of any depth, but writes it by recursion.
    problems.push({ key: 'payload', message: 'The payload is nested too deep' });
    return '{}';
  }
}

/** What a dispatch would refuse; each key is tried alone, so that every slip is told. */
function requestProblems(request: DispatchRequest): Problem[] {
  if (refusal(request) === undefined) return [];
  const { type, payload, delay, availableAt, uniqueKey } = request;
  const alone: [string, Partial<DispatchRequest>][] = [
    ['type', { type }],
    ['payload', { payload }],
    ['delay', delay === undefined ? {} : { delay }],
    ['unique_key', uniqueKey === undefined ? {} : { uniqueKey }],
  ];
  const found = alone.flatMap(([key, part]): Problem[] => {
    const error = refusal({ type: 'unnamed', payload: '{}', ...part });
    return error === undefined ? [] : [{ key, ...told(error) }];
  });
  if (delay !== undefined && availableAt !== undefined) {
    found.push({ key: 'delay', message: errors.conflictingOptions('delay', 'available_at').message });
  }
  return found;
}

function refusal(request: DispatchRequest): unknown {
  try {
    newJob(request);
    return undefined;
  } catch (error) {
    return error;
  }
}

function told(error: unknown): Omit<Problem, 'line' | 'key'> {
  const tooLarge = error instanceof PassitoError && error.code === 'PAYLOAD_TOO_LARGE';
  return { message: messageOf(error), ...(tooLarge ? { tooLarge } : {}) };
}
