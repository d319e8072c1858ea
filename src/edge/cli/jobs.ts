/** `passito jobs …`: look at jobs, and act on them. */

import { formatTime, systemClock } from '../../engine/clock.ts';
import type { JobState } from '../../engine/job.ts';
import type { Applied } from '../../engine/store.ts';
import { EXIT, errors } from '../../errors.ts';
import type { JobFilter } from '../../store/sqlite/queries.ts';
import { jobAsJson, jobWhole } from '../../store/sqlite/job-json.ts';
import { pruneJobs, type Retention } from '../../store/sqlite/prune.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { audited } from './audit.ts';
import { withStore } from './with-store.ts';
import { type Command, type Input, JSON_OPTION, limitOption } from './command.ts';
import { showJob, table } from './render.ts';
import { FILTERS, readDuration, readId, readIds, readStates, readWhole, set } from './values.ts';
import { counted, formatDuration } from '../../engine/units.ts';

/** The most jobs that one command acts on; it is run again for more. */
const MOST = 1_000_000;

/** Jobs that one transaction deletes: short enough that nobody waits. */
const PRUNE_BATCH = 200;

export const list: Command = {
  name: 'jobs list',
  about: 'List jobs, the newest first',
  options: [...FILTERS, limitOption(20), JSON_OPTION],
  example: 'passito jobs list --state failed --type SendOutpassEmail',
  run: (input) =>
    withStore(input, async (_store, queries, config) => {
      const rows = queries.list(readFilter(input, readWhole(input, 'limit', 1, MOST) ?? 20));
      const secrets = queries.secrets();
      if (input.json) {
        input.print(JSON.stringify(rows.map((row) => jobAsJson(row, secrets))));
        return 0;
      }
      if (rows.length === 0) {
        input.note('No jobs.');
        return 0;
      }
      input.print(table(rows, config.settings.timeZone, input));
      return 0;
    }),
};

export const show: Command = {
  name: 'jobs show',
  args: '<id>',
  about: 'Show one job: payload, result, attempts, dependencies',
  options: [JSON_OPTION],
  example: 'passito jobs show 12',
  run: (input) =>
    withStore(input, async (_store, queries, config) => {
      const id = readId(input.args[0] as string);
      const job = queries.job(id);
      if (job === undefined) throw errors.unknownJob(id);
      if (input.json) input.print(JSON.stringify(jobWhole(queries, id)));
      else {
        const more = {
          attempts: queries.attempts(id),
          parents: queries.parents(id),
          children: queries.children(id),
        };
        input.print(showJob(job, more, queries.secrets(), config.settings.timeZone, input));
      }
      return 0;
    }),
};

export const retry: Command = {
  name: 'jobs retry',
  args: '[...ids]',
  about: 'Give failed or cancelled jobs one more attempt',
  options: [{ name: 'failed', about: 'All that have failed' }, ...FILTERS, JSON_OPTION],
  example: 'passito jobs retry --failed --type SendOutpassEmail',
  run: (input) =>
    act(input, 'retry', ['failed', 'cancelled'], input.has('failed') ? ['failed'] : undefined, (store, ids) =>
      store.revive(ids),
    ),
};

export const cancel: Command = {
  name: 'jobs cancel',
  args: '[...ids]',
  about: 'Cancel jobs that wait or run',
  options: [...FILTERS, JSON_OPTION],
  example: 'passito jobs cancel 12 13',
  run: (input) =>
    act(input, 'cancel', ['blocked', 'pending', 'processing'], undefined, (store, ids) => store.cancel(ids)),
};

export const remove: Command = {
  name: 'jobs delete',
  args: '[...ids]',
  about: 'Delete jobs that do not run',
  options: [...FILTERS, JSON_OPTION],
  example: 'passito jobs delete --state cancelled',
  run: (input) =>
    act(
      input,
      'delete',
      ['blocked', 'pending', 'completed', 'failed', 'cancelled'],
      undefined,
      (store, ids) => store.remove(ids),
    ),
};

export const prune: Command = {
  name: 'jobs prune',
  about: 'Delete jobs that ended long ago: completed after 30 days, failed and cancelled after 90',
  options: [
    { name: 'completed', value: 'age', about: 'Completed longer ago than this (30d)' },
    { name: 'failed', value: 'age', about: 'Failed or cancelled longer ago than this (90d)' },
    JSON_OPTION,
  ],
  example: 'passito jobs prune --completed 7d',
  run: (input) =>
    withStore(input, async (store, _queries, config) => {
      const { keepCompleted, keepFailed } = config.settings;
      const keep = {
        completed: readDuration(input, 'completed') ?? keepCompleted,
        failed: readDuration(input, 'failed') ?? keepFailed,
      };
      const ages = `completed longer ago than ${formatDuration(keep.completed)}, failed than ${formatDuration(keep.failed)}`;
      // Many transactions: what was asked for stands beside the first that deletes something.
      let noted = false;
      const { completed, failed } = await audited<Retention, unknown>(
        store,
        input,
        'jobs prune',
        () => pruneJobs(store, systemClock, keep),
        (written) => {
          if (noted || !Array.isArray(written)) return undefined;
          noted = (written as Applied[]).some(({ to }) => to === null);
          return noted ? ages : undefined;
        },
      );
      if (input.json) input.print(JSON.stringify({ completed, failed }));
      else input.print(`Deleted ${completed} completed and ${failed} failed or cancelled jobs.`);
      return 0;
    }),
};

type Verb = 'retry' | 'cancel' | 'delete';
const DONE: Record<Verb, string> = { retry: 'will be tried again', cancel: 'cancelled', delete: 'deleted' };

async function act(
  input: Input,
  verb: Verb,
  from: readonly JobState[],
  chosen: JobState[] | undefined,
  apply: (store: SqliteStore, ids: number[]) => Promise<Applied[]>,
): Promise<number> {
  const named = input.args.flatMap((ids) => readIds(ids));
  const filtered = chosen !== undefined || FILTERS.some(({ name }) => input.has(name));
  if (named.length === 0 && !filtered) {
    throw errors.missingArgument(`jobs ${verb}`, 'ids of jobs, or a filter such as --state failed');
  }
  if (named.length > 0 && filtered) throw errors.conflictingOptions('ids', 'filters');
  return withStore(input, async (store, queries) => {
    const filter = readFilter(input, MOST);
    const states = (filter.states ?? chosen ?? from).filter((state) => from.includes(state));
    const ids = named.length > 0 ? named : states.length === 0 ? [] : queries.ids({ ...filter, states });
    const applied: Applied[] = [];
    // In steps: a hundred thousand jobs at once would hold the file for seconds.
    for (let start = 0; start < ids.length; start += PRUNE_BATCH) {
      const step = ids.slice(start, start + PRUNE_BATCH);
      applied.push(...(await audited(store, input, `jobs ${verb}`, () => apply(store, step), listed)));
    }
    return tell(input, verb, applied, named.length > 0);
  });
}

/** Of those that changed, enough of a long list to know it by. */
function listed(applied: readonly Applied[]): string | undefined {
  const ids = applied.filter(({ from, to }) => from !== to).map(({ id }) => `#${id}`);
  if (ids.length === 0) return undefined;
  return ids.length <= 20 ? ids.join(' ') : `${ids.slice(0, 20).join(' ')} and ${ids.length - 20} more`;
}

function tell(input: Input, verb: Verb, applied: Applied[], named: boolean): number {
  const changed = applied.filter(({ from, to }) => from !== to);
  const refused = applied.filter(({ from, to }) => from === to);
  if (input.json) {
    input.print(
      JSON.stringify({
        changed: changed.map(({ id }) => id),
        refused: refused.map(({ id, from }) => ({ id, status: from })),
      }),
    );
    return named && refused.length > 0 ? EXIT.no : 0;
  }
  if (!named || changed.length > 5) {
    input.print(`${counted(changed.length, 'job')} ${DONE[verb]}.`);
  } else for (const { id } of changed) input.print(`Job #${id} ${DONE[verb]}.`);
  for (const { id, from } of refused.slice(0, 20)) {
    input.note(
      from === null
        ? `There is no job #${id}.`
        : `Job #${id} is ${from}${whyNot(verb, from)}; nothing was changed.`,
    );
  }
  return named && refused.length > 0 ? EXIT.no : 0;
}

function whyNot(verb: Verb, from: JobState): string {
  if (verb === 'delete') return from === 'processing' ? ' (cancel it first)' : ' and other jobs wait for it';
  if (verb === 'retry') {
    return from === 'completed' ? ' (a completed job is never run again)' : ', not failed or cancelled';
  }
  return ' already';
}

function readFilter(input: Input, limit: number): JobFilter {
  const age = readDuration(input, 'older-than');
  // An empty variable of a script must not pass for "all of them", or for "none".
  const empty = ['type', 'error'].find((name) => input.option(name) === '');
  if (empty !== undefined) throw errors.missingValue(`--${empty}`);
  const state = input.option('state');
  return {
    ...set('states', state === undefined ? undefined : readStates(state)),
    ...set('type', input.option('type')),
    ...set('queue', input.option('queue')),
    ...set('error', input.option('error')),
    ...set('createdBefore', age === undefined ? undefined : formatTime(systemClock.now() - age)),
    limit,
  };
}
