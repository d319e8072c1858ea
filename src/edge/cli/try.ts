/** `passito try TYPE`: one handler, once, in the foreground, without the queue. For writing and testing handlers. */

import { databaseId, filesRoot, mailSettings, openOffice, openStore, stateFolder } from '../../app.ts';
import type { Config } from '../../config.ts';
import type { Json } from '../../engine/handler.ts';
import type { Outcome } from '../../engine/job.ts';
import { completeType } from '../../engine/types.ts';
import { formatDuration } from '../../engine/units.ts';
import type { WireJob } from '../../engine/wire.ts';
import { EXIT, errors } from '../../errors.ts';
import { commandJobs } from '../../job-types.ts';
import { nearest } from '../../nearest.ts';
import { LONGEST_PATIENCE, nextTry } from '../../outpass/mail/patience.ts';
import { attempt } from '../../runner/attempt.ts';
import { commandJob } from '../../runner/command.ts';
import { Context, type ThreadServices } from '../../runner/context.ts';
import { jobFiles } from '../../runner/files.ts';
import type { LoadedJob } from '../../runner/loader.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { readJobFiles } from '../job-files.ts';
import { createLog } from '../log.ts';
import { createMailer } from '../mail.ts';
import { type Command, type Input, JSON_OPTION } from './command.ts';
import { loadFolder, typeFromFolder } from './type-info.ts';
import { readPayload } from './values.ts';

export const tryOnce: Command = {
  name: 'try',
  args: '<type>',
  about: 'Run one handler once, here and now, without the queue',
  options: [
    { name: 'payload', value: 'json', about: 'What the job is about, as JSON ({})' },
    { name: 'payload-file', value: 'file', about: 'The same from a file; - is standard input' },
    {
      name: 'jobs',
      value: 'folder',
      about: 'The folder with your job files (./jobs)',
      setting: 'jobsFolder',
    },
    JSON_OPTION,
  ],
  example: `passito try MyCustomJob --payload '{"id": 123}'`,
  async run(input) {
    const config = await input.config();
    const [type = ''] = input.args;
    const payload = readPayload(input);
    const definition = await find(type, config);
    const opened: { store?: SqliteStore } = {};
    try {
      const job: WireJob = {
        id: 0,
        type,
        payload,
        attempt: 1,
        maxAttempts: completeType({ ...definition, source: '' }).maxAttempts,
        dependencies: [],
      };
      const context = new Context(job, 0, 0, services(config, opened));
      const started = performance.now();
      const text = await withTimeout(attempt(definition, job, context), definition, context);
      return tell(input, type, text, performance.now() - started);
    } finally {
      await opened.store?.close();
    }
  },
};

async function find(type: string, config: Config): Promise<LoadedJob> {
  const command = commandJobs(config)[type];
  if (command !== undefined) return commandJob(type, command, () => undefined);
  const { officeJobs } = await import('../../outpass/jobs.ts');
  const builtIns = officeJobs as unknown as LoadedJob[];
  const own =
    (await typeFromFolder(type, config)) ?? (await loadFolder(config)).find((job) => job.type === type);
  const found = own ?? builtIns.find((job) => job.type === type);
  if (found !== undefined) return found;
  const files = readJobFiles(config).paths.map((path) => path.replace(/^.*\//, '').replace(/\.\w+$/, ''));
  throw errors.unknownType(
    type,
    nearest(type, [...files, ...builtIns.map((job) => job.type), ...Object.keys(commandJobs(config))]),
  );
}

/** What a thread has, without a thread. The database is opened only for a job that asks the office. */
function services(config: Config, opened: { store?: SqliteStore }): ThreadServices {
  const log = createLog(config.settings.logFormat, 'debug');
  const files = filesRoot(config);
  const store = async () => (opened.store ??= await openStore(config, 'existing'));
  return {
    files: () => jobFiles(files, 'try'),
    log: (_job, level, message, fields) => log[level](fields ?? {}, message),
    async call(_chunk, _index, service, method, args) {
      if (service === 'job') return log.info({ progress: args[0] }, 'progress');
      // The ledger is for jobs: what is tried again by hand is meant to be sent again.
      if (method === 'mailBegins') return { receipt: null, inDoubt: false };
      if (method === 'mailRefused') return { wait: nextTry(0, 0, LONGEST_PATIENCE, () => 1), tried: 0 };
      if (method === 'mailTaken') return undefined;
      const office = openOffice(config, await store());
      return (office as unknown as Record<string, (...args: unknown[]) => unknown>)[method]?.(...args);
    },
    async mail(_job, key, message) {
      const id = await databaseId(await store());
      const messageId = `passito.try.${Date.now()}.${key}@${id}.passito`;
      return createMailer(mailSettings(config, stateFolder(config), files)).send(message, { messageId });
    },
  };
}

async function withTimeout(
  running: string | undefined | Promise<string | undefined>,
  definition: LoadedJob,
  context: Context,
): Promise<string | undefined> {
  const { timeout } = completeType({ ...definition, source: '' });
  if (timeout === 0 || !(running instanceof Promise)) return running;
  const message = `Timed out after ${formatDuration(timeout)}.`;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      context.abort(message);
      resolve(JSON.stringify({ kind: 'failed', error: { message } } satisfies Outcome));
    }, timeout);
  });
  const text = await Promise.race([running, late]);
  clearTimeout(timer);
  return text;
}

function tell(input: Input, type: string, text: string | undefined, ms: number): number {
  const outcome: Outcome =
    text === undefined ? { kind: 'completed', result: null } : (JSON.parse(text) as Outcome);
  const result: Json =
    outcome.kind === 'completed' && outcome.result !== null ? (JSON.parse(outcome.result) as Json) : null;
  if (input.json) {
    input.print(JSON.stringify(outcome.kind === 'completed' ? { ...outcome, result } : outcome));
  }
  switch (outcome.kind) {
    case 'completed':
      if (!input.json) {
        const shown = result === null ? '' : ` Result: ${JSON.stringify(result)}`;
        input.print(`${type} completed in ${Math.round(ms)} ms.${shown}`);
      }
      for (const one of outcome.dispatches ?? []) {
        input.note(`Would dispatch ${one.type} with ${one.payload}.`);
      }
      return 0;
    case 'snoozed':
      return snoozed(input, type, outcome);
    case 'discarded':
      input.note(`${type} gave the job up: ${outcome.error.message}`);
      return EXIT.no;
    case 'failed':
      // The author of a handler wants to see where it was thrown.
      input.note(`${type} failed: ${outcome.error.stack ?? outcome.error.message}`);
      return EXIT.no;
    case 'released':
      return 0;
  }
}

/** With a reason it is a "no": what the handler was to do is not done. */
function snoozed(
  input: Input,
  type: string,
  { delay, error }: Extract<Outcome, { kind: 'snoozed' }>,
): number {
  const asked = `${type} asked to be tried again in ${formatDuration(delay)}`;
  if (error !== undefined) {
    input.note(`${asked}: ${error.message}`);
    return EXIT.no;
  }
  if (!input.json) input.print(`${asked}.`);
  return 0;
}
