/** `passito explain ID`: in one sentence, why a job is where it is and what would move it. */

import { parseTime, systemClock } from '../../engine/clock.ts';
import { readOptions } from '../../engine/stored-options.ts';
import { counted, roughDuration } from '../../engine/units.ts';
import { errors } from '../../errors.ts';
import { quoted } from '../../escape.ts';
import { type Pause, preparePauses } from '../../store/sqlite/pauses.ts';
import { type JobRow, type ProcessRow, publishedTypes, type Queries } from '../../store/sqlite/queries.ts';
import { CRASH_REASON } from '../../store/sqlite/rescue.ts';
import { oneLine } from '../terminal.ts';
import { type Command, JSON_OPTION } from './command.ts';
import { isAlive, startCommand } from '../machine.ts';
import { withStore } from './with-store.ts';
import { pauseTold, toldIn } from './render.ts';
import { readId } from './values.ts';

export const explain: Command = {
  name: 'explain',
  args: '<id>',
  about: 'Say why a job is where it is, and what would move it',
  options: [JSON_OPTION],
  example: 'passito explain 12',
  run: (input) =>
    withStore(input, async (store, queries, config) => {
      const id = readId(input.args[0] as string);
      const job = queries.job(id);
      if (job === undefined) throw errors.unknownJob(id);
      const held = preparePauses(store.db)
        .list()
        .find(({ queue }) => queue === null || queue === job.queue);
      const { timeZone: zone } = config.settings;
      const sentence = oneLine(input.proposal(await sentenceFor(job, queries, zone, held)));
      input.print(input.json ? JSON.stringify({ id, status: job.status, explanation: sentence }) : sentence);
      return 0;
    }),
};

async function sentenceFor(
  job: JobRow,
  queries: Queries,
  zone: string,
  held: Pause | undefined,
): Promise<string> {
  const name = `Job #${job.id} (${job.type})`;
  switch (job.status) {
    case 'completed':
      return `${name} completed at ${toldIn(job.finished_at, zone)}; nothing will run it again.`;
    case 'failed':
      return `${name} failed${howOften(job)} (${reason(job)}); 'passito jobs retry ${job.id}' gives it one more attempt.`;
    case 'cancelled':
      return `${name} was cancelled at ${toldIn(job.finished_at, zone)}; 'passito jobs retry ${job.id}' brings it back.`;
    case 'blocked':
      return blocked(name, job, queries);
    case 'processing':
      return processing(name, job, queries);
    case 'pending':
      return pending(name, job, queries, zone, held);
  }
}

function howOften(job: JobRow): string {
  if (job.discarded === 1) return ' because its handler gave it up';
  // Attempts were given back; the reason tells how often the process died.
  if (job.last_error === CRASH_REASON) return '';
  return ` after ${counted(job.attempts, 'attempt')}`;
}

function blocked(name: string, job: JobRow, queries: Queries): string {
  const waiting = queries.parents(job.id).filter(({ status }) => status !== 'completed');
  const dead = waiting.find(({ status }) => status === 'failed' || status === 'cancelled');
  if (dead !== undefined) {
    return `${name} waits for #${dead.id} (${dead.type}), which is ${dead.status}; 'passito jobs retry ${dead.id}' would let it go on.`;
  }
  const shown = waiting.slice(0, 3).map(({ id, type, status }) => `#${id} (${type}, ${status})`);
  const more = waiting.length > 3 ? ` and ${waiting.length - 3} more` : '';
  return `${name} waits for ${shown.join(', ')}${more}, and runs once ${waiting.length === 1 ? 'it has' : 'they have'} completed.`;
}

function processing(name: string, job: JobRow, queries: Queries): string {
  const holder = queries.processes().find(({ id }) => id === job.claimed_by);
  const since =
    job.started_at === null ? '' : ` for ${roughDuration(systemClock.now() - parseTime(job.started_at))}`;
  if (holder !== undefined && isAlive(holder)) {
    return `${name} runs${since} in the ${holder.kind} with pid ${holder.pid}, attempt ${job.attempts}.`;
  }
  return `${name} was running when its process ended; it runs again as soon as a supervisor is there: ${startCommand()}`;
}

function pending(name: string, job: JobRow, queries: Queries, zone: string, held: Pause | undefined): string {
  const now = systemClock.now();
  const due = parseTime(job.available_at);
  if (due > now) {
    const when = `${toldIn(job.available_at, zone)}, in ${roughDuration(due - now)}`;
    if (waitsForSomething(job, queries)) return `${name} waits until ${when}, because: ${reason(job)}.`;
    const why = job.attempts > 0 ? `failed (${reason(job)}) and is tried again` : 'is scheduled';
    return `${name} ${why} at ${when}.`;
  }
  if (held !== undefined) {
    const option = held.queue === null ? '' : ` --queue ${quoted(held.queue)}`;
    return `${name} is due, but: ${pauseTold(held, zone)} To go on, type: passito resume${option}`;
  }
  const living = queries.processes().filter(isAlive);
  if (living.length === 0) {
    return `${name} is due, but no supervisor runs; start one: ${startCommand()}`;
  }
  const known = living.some(({ info }) => publishedTypes(info).some(({ type }) => type === job.type));
  if (!known) {
    return `${name} is due, but no running supervisor knows the type '${job.type}'; put its file into the jobs folder and reload the supervisor (sudo systemctl reload passito-supervisor, or SIGHUP).`;
  }
  const served = living.some(({ info }) => {
    const { queues } = JSON.parse(info) as { queues?: string[] | null };
    return queues === null || queues === undefined || queues.includes(job.queue);
  });
  if (!served) {
    return `${name} is due, but no running supervisor serves the queue '${job.queue}'; start one without --queues, or with it.`;
  }
  const limit = limitOf(job, living);
  const running = queries.running().filter(({ type }) => type === job.type);
  if (limit !== undefined && running.length >= limit) {
    const some = running.slice(0, 3).map(({ id }) => `#${id}`);
    const more = running.length > 3 ? ' …' : '';
    return `${name} is due, but of its type at most ${limit} may run at once (concurrency), and ${running.length} ${running.length === 1 ? 'does' : 'do'}: ${some.join(', ')}${more}; it can start when one has ended.`;
  }
  const ahead = queries.due().reduce((sum, { count }) => sum + count, 0) - 1;
  if (job.crashes > 1) {
    return `${name} is due, but ran each of the ${job.crashes} times when the process died; it runs alone, once nothing else runs.`;
  }
  const crashed = job.crashes > 0 ? ' It was running when its process died, so it runs by itself first.' : '';
  return `${name} is due and waits for a worker; ${before(ahead)} come before it.${crashed}`;
}

/** How many of its type may run at once: by the job's own option, or by what a running process says of the type. */
function limitOf(job: JobRow, living: readonly ProcessRow[]): number | undefined {
  const own = readOptions(job.options).concurrency;
  const types = living.flatMap(({ info }) => publishedTypes(info));
  const limits = [own, ...types.filter(({ type }) => type === job.type).map((one) => one.concurrency)];
  const known = limits.filter((limit) => limit !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** How many go first, as the start of "… come before it". */
function before(others: number): string {
  if (others <= 0) return 'no other due job can';
  return `${counted(others, 'other due job')} may`;
}

/** Whether the last error is the reason of a snooze: those of failed attempts stand in the history as well. */
function waitsForSomething(job: JobRow, queries: Queries): boolean {
  const { id, last_error: last } = job;
  return last !== null && !queries.attempts(id).some(({ error }) => error === last);
}

/** The last error, to stand in a sentence. */
function reason(job: JobRow): string {
  return (job.last_error ?? 'no reason was kept').replace(/[.\s]+$/, '');
}
