/** `passito dispatch --ndjson FILE`: a JSON object a line, in bulk. */

import { openStore } from '../../app.ts';
import type { Config } from '../../config.ts';
import { systemClock } from '../../engine/clock.ts';
import {
  insertLines,
  type JobLine,
  readLines,
  refuse,
  refuseUnknown,
  toldLines,
} from '../../engine/job-lines.ts';
import type { TypeDefaults } from '../../engine/queue.ts';
import { messageOf, type Problem } from '../../errors.ts';
import { readTime, timeForm } from '../../outpass/read-time.ts';
import type { LoadedJob } from '../../runner/loader.ts';
import { publishedType, Queries } from '../../store/sqlite/queries.ts';
import type { Input } from './command.ts';
import { checkedKey, knownType } from './type-info.ts';
import { readText } from './values.ts';
import { counted } from '../../engine/units.ts';

/** Dispatches a file. Every line is checked before the first is written. */
export async function dispatchLines(input: Input, config: Config): Promise<number> {
  const path = input.option('ndjson') as string;
  const what = path === '-' ? 'Standard input' : path;
  const { timeZone } = config.settings;
  const times = { read: (text: string) => readTime(text, timeZone), form: timeForm };
  const lines = readLines(readText(path), times, what);
  const definitions = await checkTypes(lines, config, what);
  const store = await openStore(config, 'create');
  try {
    const queries = new Queries(store.db, systemClock);
    for (const [type, definition] of definitions) {
      definitions.set(type, { ...(definition ?? publishedType(queries, type)), ...config.jobs[type] });
    }
    // Before the first batch is written: a slip in the last line must not leave the others behind.
    await store.read(() => refuseUnknown(lines, (ids) => queries.unknown(ids)));
    const inserted = await insertLines(lines, {
      atomic: input.has('atomic'),
      defaults: (type) => definitions.get(type),
      insert: (jobs) => store.insert(jobs),
    });
    const told = toldLines(lines, inserted);
    if (input.json) input.print(JSON.stringify(told));
    else {
      const { dispatched, existing } = told;
      input.print(
        `${counted(dispatched, 'job')} dispatched.${existing > 0 ? ` ${existing} existed already.` : ''}`,
      );
    }
    return 0;
  } finally {
    await store.close();
  }
}

/** Checks payloads where a type's schema is known here; gives the definitions by type. */
async function checkTypes(
  lines: readonly JobLine[],
  config: Config,
  what: string,
): Promise<Map<string, TypeDefaults | undefined>> {
  const definitions = new Map<string, LoadedJob | undefined>();
  const problems: Problem[] = [];
  for (const { number, request } of lines) {
    if (!definitions.has(request.type)) definitions.set(request.type, await knownType(request.type, config));
    const definition = definitions.get(request.type);
    if (definition === undefined) continue;
    try {
      const own = await checkedKey(definition, request.payload);
      if (own !== undefined) request.uniqueKey ??= own;
    } catch (error) {
      problems.push({ line: number, key: 'payload', message: messageOf(error) });
    }
  }
  refuse(what, problems);
  return definitions;
}
