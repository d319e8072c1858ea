/** `passito dispatch`: one job from the command line, or a file of them. */

import { openStore } from '../../app.ts';
import type { Config } from '../../config.ts';
import { LONGEST_TIMEOUT, systemClock } from '../../engine/clock.ts';
import { newJob } from '../../engine/queue.ts';
import type { Json } from '../../engine/handler.ts';
import { EXIT, errors } from '../../errors.ts';
import { publishedType, publishedTypes, Queries } from '../../store/sqlite/queries.ts';
import { Waits } from '../../engine/waits.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { hanging, oneLine } from '../terminal.ts';
import { type Command, type Input, JSON_OPTION } from './command.ts';
import { dispatchLines } from './ndjson.ts';
import { checkedKey, knownType, nearestType } from './type-info.ts';
import { readAt, readDuration, readIds, readPayload, readQueue, readWhole, set } from './values.ts';

/** How long `--wait` waits where it says nothing, in milliseconds. */
const WAIT_MS = 60_000;

export const dispatch: Command = {
  name: 'dispatch',
  aliases: ['jobs:dispatch'],
  args: '[type]',
  about: 'Put a job into the queue',
  options: [
    { name: 'payload', value: 'json', about: 'What the job is about, as JSON ({})' },
    { name: 'payload-file', value: 'file', about: 'The same from a file; - is standard input' },
    { name: 'delay', value: 'time', about: 'Run it no sooner than this from now, such as 5m' },
    { name: 'at', value: 'time', about: 'Run it no sooner than then, such as "2026-12-24 08:00"' },
    {
      name: 'depends-on',
      value: 'ids',
      about: 'Run it once these jobs have completed, such as 1,2',
      many: true,
    },
    { name: 'priority', value: 'n', about: '0 to 9, higher first (0)' },
    { name: 'queue', value: 'name', about: 'The queue (default)' },
    { name: 'max-attempts', value: 'n', about: 'Attempts before it is failed (3)' },
    { name: 'timeout', value: 'time', about: 'Time for one attempt (10m); 0 for none' },
    {
      name: 'unique-key',
      value: 'key',
      about: 'While a job of the type with this key waits or runs, make no second one',
    },
    {
      name: 'wait',
      value: 'time',
      about: 'Wait until it has ended, at most this long (60s); exit 1 if it failed',
      valueOptional: true,
    },
    { name: 'ndjson', value: 'file', about: 'Dispatch a file, one JSON object a line; - is standard input' },
    { name: 'atomic', about: 'With --ndjson: all lines or none' },
    {
      name: 'jobs',
      value: 'folder',
      about: 'The folder with your job files (./jobs)',
      setting: 'jobsFolder',
    },
    JSON_OPTION,
  ],
  example: `passito dispatch GenerateQrCode --payload '{"outpass_id": 1}' --delay 5m`,
  async run(input) {
    const config = await input.config();
    if (input.has('ndjson')) {
      refuseBoth(input);
      return dispatchLines(input, config);
    }
    if (input.has('atomic')) throw errors.conflictingOptions('--atomic', 'a single job');
    const [type] = input.args;
    if (type === undefined) throw errors.missingArgument('dispatch', 'a TYPE, or --ndjson FILE');
    return dispatchOne(input, config, type);
  },
};

/** A file of jobs says everything of each job itself. */
function refuseBoth(input: Input): void {
  if (input.args.length > 0) throw errors.conflictingOptions('--ndjson', 'a TYPE');
  const single = [
    'payload',
    'payload-file',
    'delay',
    'at',
    'depends-on',
    'priority',
    'queue',
    'max-attempts',
    'timeout',
    'unique-key',
    'wait',
  ];
  const given = single.find((name) => input.has(name));
  if (given !== undefined) throw errors.conflictingOptions('--ndjson', `--${given}`);
}

async function dispatchOne(input: Input, config: Config, type: string): Promise<number> {
  const payload = readPayload(input);
  const at = input.option('at');
  if (at !== undefined && input.has('delay')) throw errors.conflictingOptions('--delay', '--at');
  const request = {
    type,
    payload,
    ...set('delay', readDuration(input, 'delay')),
    ...set('availableAt', at === undefined ? undefined : readAt(at, config.settings.timeZone)),
    ...set('priority', readWhole(input, 'priority', 0, 9)),
    ...set('queue', readQueue(input)),
    ...set('maxAttempts', readWhole(input, 'max-attempts', 1, 1000)),
    ...set('timeout', readDuration(input, 'timeout')),
    ...set('uniqueKey', input.option('unique-key')),
    dependsOn: (input.options.get('depends-on') ?? []).flatMap((ids) => readIds(ids, '--depends-on')),
  };
  const wait = waitTime(input);
  // Everything about the request itself is known to be right before a database is touched, or made.
  newJob(request);

  const definition = await knownType(type, config);
  const ownKey = definition === undefined ? undefined : await checkedKey(definition, payload);
  const store = await openStore(config, 'create');
  try {
    const defaults = {
      ...(definition ?? publishedType(new Queries(store.db, systemClock), type)),
      ...config.jobs[type],
    };
    const job = newJob({ ...request, ...set('uniqueKey', request.uniqueKey ?? ownKey) }, defaults);
    const [inserted] = await store.insert([job]);
    const { id, existing } = inserted as { id: number; existing: boolean };
    if (definition === undefined) await doubt(input, config, type, new Queries(store.db, systemClock));
    if (wait === undefined) {
      tell(input, id, existing);
      return 0;
    }
    return await report(input, store, id, existing, wait);
  } finally {
    await store.close();
  }
}

/** It may be right, and its handler elsewhere or still to come: a slip is only asked about. */
async function doubt(input: Input, config: Config, type: string, queries: Queries): Promise<void> {
  const published = queries.processes().flatMap(({ info }) => publishedTypes(info).map((one) => one.type));
  const close = await nearestType(type, config, published);
  if (close !== undefined) {
    input.note(`No handler is known for the type '${type}', so it waits for one. Did you mean '${close}'?`);
  }
}

function waitTime(input: Input): number | undefined {
  if (!input.has('wait')) return undefined;
  return input.option('wait') === '' ? WAIT_MS : readDuration(input, 'wait');
}

function tell(input: Input, id: number, existing: boolean): void {
  if (input.json) input.print(JSON.stringify({ id, existing }));
  else {
    input.print(
      existing ? `Job #${id} exists already; no second one was dispatched.` : `Job #${id} dispatched.`,
    );
  }
}

async function report(
  input: Input,
  store: SqliteStore,
  id: number,
  existing: boolean,
  wait: number,
): Promise<number> {
  if (!input.json) tell(input, id, existing);
  const ended = await new Waits(store).until(id, AbortSignal.timeout(Math.min(wait, LONGEST_TIMEOUT)));
  const job = new Queries(store.db, systemClock).job(id);
  if (input.json) {
    input.print(
      JSON.stringify({
        id,
        existing,
        status: job?.status,
        result: job?.result ? (JSON.parse(job.result) as Json) : null,
        last_error: job?.last_error ?? null,
      }),
    );
  } else if (!ended) {
    input.note(
      `Job #${id} has not ended within the time; it is ${job?.status ?? 'deleted'}. Type: passito explain ${id}`,
    );
  } else if (job?.status === 'completed') {
    input.print(`Job #${id} completed.${job.result === null ? '' : ` Result: ${oneLine(job.result)}`}`);
  } else {
    const why = hanging(job?.last_error ?? 'no reason was kept', 2);
    input.note(`Job #${id} ${job?.status ?? 'was deleted'}: ${why}`);
  }
  return ended && job?.status === 'completed' ? 0 : EXIT.no;
}
