/** `passito dispatch --ndjson FILE`: a JSON object a line, in bulk. */

import { openStore } from '../../app.ts';
import type { Config } from '../../config.ts';
import type { JobOptions } from '../../engine/handler.ts';
import { type DispatchRequest, inOrder, newJob, type TypeDefaults } from '../../engine/queue.ts';
import type { Inserted, NewJob } from '../../engine/store.ts';
import { errors, messageOf, PassitoError } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import type { Input } from './command.ts';
import type { LoadedJob } from '../../runner/loader.ts';
import { checkPayload, knownType, publishedDefaults, uniqueKeyOf } from './type-info.ts';
import { readAt, readText, set } from './values.ts';

/** The keys of a line; docs/contract.md lists them. */
export const LINE_KEYS = [
  'type', 'payload', 'available_at', 'delay', 'priority', 'queue', 'max_attempts', 'timeout', 'backoff',
  'memory_limit', 'concurrency', 'unique_key', 'depends_on', 'ref',
]; // prettier-ignore

/** Lines that share a transaction where the whole file does not. */
const BATCH = 500;

/** All problems of a file are told, but no more than this many. */
const MOST_PROBLEMS = 20;

interface Line {
  number: number;
  ref?: string | undefined;
  /** Ids, or refs of other lines. */
  after: (number | string)[];
  request: DispatchRequest;
  job: NewJob;
}

/** Dispatches a file. Every line is checked before the first is written. */
export async function dispatchLines(input: Input, config: Config): Promise<number> {
  const path = input.option('ndjson') as string;
  const text = readText(path);
  const read = readLines(text, config.settings.timeZone, path);
  const definitions = await checkTypes(read, config, path);
  const lines = inOrder(read);
  const store = await openStore(config, 'create');
  try {
    for (const [type, definition] of definitions) {
      definitions.set(type, { ...(definition ?? publishedDefaults(store, type)), ...config.jobs[type] });
    }
    for (const line of lines) line.job = newJob(line.request, definitions.get(line.request.type) ?? {});
    await refuseUnknownParents(store, lines);
    const inserted = await insertAll(store, lines, input.has('atomic'));
    const existing = inserted.filter((one) => one.existing).length;
    if (input.json) {
      const rows = lines.map(({ number, ref }, i) => ({
        line: number,
        ...set('ref', ref),
        ...(inserted[i] as Inserted),
      }));
      input.print(
        JSON.stringify({
          dispatched: inserted.length - existing,
          existing,
          jobs: rows.sort((a, b) => a.line - b.line),
        }),
      );
    } else {
      input.print(
        `${inserted.length - existing} ${inserted.length - existing === 1 ? 'job' : 'jobs'} dispatched.${existing > 0 ? ` ${existing} existed already.` : ''}`,
      );
    }
    return 0;
  } finally {
    await store.close();
  }
}

/** Checks payloads where a type's schema is known here; gives the definitions by type. */
async function checkTypes(
  lines: readonly Line[],
  config: Config,
  path: string,
): Promise<Map<string, TypeDefaults | undefined>> {
  const definitions = new Map<string, LoadedJob | undefined>();
  const problems: string[] = [];
  for (const { number, request } of lines) {
    if (!definitions.has(request.type)) definitions.set(request.type, await knownType(request.type, config));
    const definition = definitions.get(request.type);
    if (definition === undefined) continue;
    try {
      await checkPayload(definition, request.payload);
      const key = request.uniqueKey ?? uniqueKeyOf(definition, request.payload);
      if (key !== undefined) request.uniqueKey = key;
    } catch (error) {
      problems.push(`line ${number}: ${messageOf(error)}`);
    }
  }
  if (problems.length > 0) throw errors.badLines(path, shorten(problems));
  return definitions;
}

/** Before the first batch is written: a slip in the last line must not leave the others behind. */
async function refuseUnknownParents(store: SqliteStore, lines: readonly Line[]): Promise<void> {
  const known = store.db.prepare<[number], number>('SELECT 1 FROM jobs WHERE id = ?').pluck();
  const ids = new Set(lines.flatMap(({ after }) => after.filter((one) => typeof one === 'number')));
  const unknown = await store.read(() => [...ids].find((id) => known.get(id) === undefined));
  if (unknown !== undefined) throw errors.unknownDependency(unknown);
}

/** Writes the lines: in one transaction, or in batches, where ids of earlier batches are already known. */
async function insertAll(store: SqliteStore, lines: readonly Line[], atomic: boolean): Promise<Inserted[]> {
  const size = atomic ? Math.max(lines.length, 1) : BATCH;
  const done: Inserted[] = [];
  const places = new Map<string, number>();
  for (let start = 0; start < lines.length; start += size) {
    const batch = lines.slice(start, start + size);
    batch.forEach(({ ref, job, after }, i) => {
      if (ref !== undefined) places.set(ref, start + i);
      job.dependsOn = after.map((parent) => {
        if (typeof parent === 'number') return parent;
        const place = places.get(parent) as number;
        return place >= start ? { index: place - start } : (done[place] as Inserted).id;
      });
    });
    try {
      done.push(...(await store.insert(batch.map(({ job }) => job))));
    } catch (error) {
      if (start === 0 || !(error instanceof PassitoError)) throw error;
      throw errors.partlyDispatched(start, lines.length, batch[0]?.number ?? 0, error.message);
    }
  }
  return done;
}

function readLines(text: string, zone: string, path: string): Line[] {
  const lines: Line[] = [];
  const problems: string[] = [];
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    try {
      lines.push(readLine(line, i + 1, zone));
    } catch (error) {
      problems.push(`line ${i + 1}: ${messageOf(error)}`);
    }
  });
  if (problems.length === 0) return lines;
  throw errors.badLines(path, shorten(problems));
}

function shorten(problems: readonly string[]): string[] {
  const shown = problems.slice(0, MOST_PROBLEMS);
  if (problems.length > MOST_PROBLEMS) shown.push(`… and ${problems.length - MOST_PROBLEMS} more`);
  return shown;
}

function readLine(line: string, number: number, zone: string): Line {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`not valid JSON (${messageOf(error)})`, { cause: error });
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new Error('not a JSON object');
  }
  for (const key of Object.keys(fields)) {
    if (LINE_KEYS.includes(key)) continue;
    const close = nearest(key, LINE_KEYS);
    throw new Error(`unknown key '${key}'${close === undefined ? '' : `; did you mean '${close}'?`}`);
  }
  const { type, payload, available_at: at, unique_key: key, ref, depends_on: parents } = fields;
  if (at !== undefined && typeof at !== 'string') {
    throw new Error('\'available_at\' must be a text, such as "2026-12-24 08:00"');
  }
  if (key !== undefined && typeof key !== 'string') throw new Error("'unique_key' must be a text");
  if (typeof type !== 'string') throw new Error("'type' is missing");
  if (ref !== undefined && typeof ref !== 'string') throw new Error("'ref' must be a text");
  const after = parents === undefined ? [] : Array.isArray(parents) ? parents : [parents];
  if (!after.every((one) => typeof one === 'string' || (Number.isSafeInteger(one) && one > 0))) {
    throw new Error('\'depends_on\' must be ids or refs, such as [1, "a"]');
  }
  const request: DispatchRequest = {
    type,
    payload: JSON.stringify(payload ?? {}),
    ...set('availableAt', at === undefined ? undefined : readAt(at, zone, 'available_at')),
    ...set('delay', fields['delay'] as string | undefined),
    ...set('uniqueKey', key),
    ...(optionsOf(fields) as JobOptions),
  };
  return { number, ref, after: after as (number | string)[], request, job: newJob(request) };
}

function optionsOf(fields: Record<string, unknown>): Record<string, unknown> {
  const names: [string, string][] = [
    ['priority', 'priority'], ['queue', 'queue'], ['maxAttempts', 'max_attempts'], ['timeout', 'timeout'],
    ['backoff', 'backoff'], ['memoryLimit', 'memory_limit'], ['concurrency', 'concurrency'],
  ]; // prettier-ignore
  return Object.fromEntries(
    names.filter(([, key]) => fields[key] !== undefined).map(([name, key]) => [name, fields[key]]),
  );
}
