/** `passito status`: what runs now. */

import { formatTime, parseTime, systemClock } from '../../engine/clock.ts';
import type { AlertState } from '../../engine/alert.ts';
import { counted, roughDuration } from '../../engine/units.ts';
import { shorten } from '../../errors.ts';
import { prepareAlertState } from '../../store/sqlite/alert-state.ts';
import { type Pause, preparePauses } from '../../store/sqlite/pauses.ts';
import type { JobRow, ProcessRow, Queries } from '../../store/sqlite/queries.ts';
import { type Command, type Input, JSON_OPTION } from './command.ts';
import { oneLine } from '../terminal.ts';
import { isAlive, startCommand } from '../machine.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { nextTicks } from '../../store/sqlite/schedules.ts';
import { pauseTold, told } from './render.ts';
import { withStore } from './with-store.ts';

/** Throughput is told over this time, in milliseconds. */
const WINDOW_MS = 60_000;

export const status: Command = {
  name: 'status',
  about: 'Show what runs now: supervisors, workers, due jobs, throughput',
  options: [JSON_OPTION],
  example: 'passito status',
  run: (input) =>
    withStore(input, async (store, queries, config) => {
      const picture = await store.read(() => look(store, queries));
      if (input.json) input.print(JSON.stringify(picture));
      else print(input, picture, config.settings.timeZone);
      return 0;
    }),
};

export interface Picture {
  processes: {
    id: number; pid: number; host: string; kind: string; alive: boolean; up_seconds: number;
    socket: string | null; http: string | null; retiring: boolean;
    workers: { target: number; min: number; max: number; threads: { thread: number; job: number | null; memory_mb: number | null }[] };
    running: { id: number; type: string; attempt: number; seconds: number }[];
  }[]; // prettier-ignore
  due: { type: string; queue: string; count: number; oldest_seconds: number }[];
  last_minute: { completed: number; failed: number };
  paused: Pause[];
  next_ticks: { schedule: string; at: string }[];
  alert_failure: AlertState['failure'];
}

interface Info {
  retiring?: boolean;
  socket?: string | null;
  http?: string | null;
  target?: number;
  min?: number;
  max?: number;
  workers?: { thread: number; memory: number | null; job: number | null }[];
}

/** What runs now; for use inside a read. */
export function look({ db }: SqliteStore, queries: Queries): Picture {
  const now = systemClock.now();
  const running = queries.running();
  return {
    processes: queries.processes().map((row) => describe(row, running, now)),
    due: queries.due().map(({ type, queue, count, oldest }) => ({
      type,
      queue,
      count,
      oldest_seconds: seconds(now, oldest),
    })),
    last_minute: queries.finishedSince(formatTime(now - WINDOW_MS)),
    paused: preparePauses(db).list(),
    next_ticks: nextTicks(db),
    alert_failure: prepareAlertState(db).read().failure,
  };
}

function describe(row: ProcessRow, running: JobRow[], now: number): Picture['processes'][number] {
  const info = JSON.parse(row.info) as Info;
  const mine = running.filter(({ claimed_by: holder }) => holder === row.id);
  return {
    id: row.id,
    pid: row.pid,
    host: row.host,
    kind: row.kind,
    alive: isAlive(row),
    up_seconds: seconds(now, row.started_at),
    socket: info.socket ?? null,
    http: info.http ?? null,
    retiring: info.retiring ?? false,
    workers: {
      target: info.target ?? 0,
      min: info.min ?? 0,
      max: info.max ?? 0,
      threads: (info.workers ?? []).map(({ thread, memory, job }) => ({
        thread,
        // Told with the last heartbeat: a job that has ended since is not running any more.
        job: mine.some(({ id }) => id === job) ? job : null,
        memory_mb: memory === null ? null : Math.round(memory / 1024 ** 2),
      })),
    },
    running: mine.map((job) => ({
      id: job.id,
      type: job.type,
      attempt: job.attempts,
      seconds: job.started_at === null ? 0 : seconds(now, job.started_at),
    })),
  };
}

function seconds(now: number, since: string): number {
  return Math.max(0, Math.round((now - parseTime(since)) / 1000));
}

/** Shows it to people. */
export function print(
  input: Pick<Input, 'print' | 'paint' | 'proposal'>,
  picture: Picture,
  zone: string,
): void {
  const { processes, due, last_minute: last, paused, next_ticks: ticks, alert_failure: failure } = picture;
  if (processes.every(({ alive }) => !alive)) {
    input.print(input.proposal(`No supervisor runs. Start one: ${startCommand()}`));
  }
  for (const { kind, pid, alive, up_seconds: up, socket, http, retiring, workers, running } of processes) {
    const name = kind === 'supervisor' ? 'Supervisor' : 'Worker';
    if (!alive) {
      input.print(
        input.paint(
          'red',
          `${name} with pid ${pid} ended without a clean stop; its jobs run again once one starts.`,
        ),
      );
      continue;
    }
    const does = retiring
      ? 'reloaded; it finishes what it had begun'
      : `${counted(workers.target, 'worker')} wanted (${workers.min} to ${workers.max}), ${counted(workers.threads.length, 'thread')}`;
    input.print(`${input.paint('bold', name)} pid ${pid}, up ${roughDuration(up * 1000)}: ${does}`);
    if (socket !== null) input.print(`  socket ${oneLine(socket)}`);
    if (http !== null) input.print(`  http   ${oneLine(http)}`);
    for (const { thread, job, memory_mb: memory } of workers.threads) {
      const at = memory === null ? '' : `  ${memory} MB`;
      if (job === null) input.print(input.paint('dim', `  worker ${thread}${at}`));
      else input.print(`  worker ${thread}${at}  ${jobLine(running.find(({ id }) => id === job))}`);
    }
    const elsewhere = running.filter(({ id }) => workers.threads.every(({ job }) => job !== id));
    for (const job of elsewhere.slice(0, 50)) input.print(`  claimed    ${jobLine(job)}`);
    if (elsewhere.length > 50) input.print(`  … and ${elsewhere.length - 50} more`);
  }
  for (const one of paused) input.print(input.paint('yellow', oneLine(pauseTold(one, zone))));
  input.print('');
  if (due.length === 0) input.print('Nothing is due.');
  for (const { type, queue, count, oldest_seconds: age } of due) {
    input.print(
      oneLine(
        `Due: ${count} ${shorten(type)}${queue === 'default' ? '' : ` in ${shorten(queue)}`}, the oldest for ${roughDuration(age * 1000)}`,
      ),
    );
  }
  input.print(`Last minute: ${last.completed} completed, ${last.failed} failed.`);
  if (ticks.length > 0) {
    const next = ticks.map(({ schedule, at }) => `${schedule} ${told(at, zone)}`);
    input.print(oneLine(`Next: ${next.join(', ')}  (times in ${zone})`));
  }
  if (failure !== null) {
    const tries = counted(failure.tries, 'try', 'tries');
    input.print(input.paint('red', oneLine(`An alert could not be mailed (${tries}): ${failure.message}`)));
  }
}

function jobLine(job: Picture['processes'][number]['running'][number] | undefined): string {
  return job === undefined
    ? ''
    : `#${job.id}  ${oneLine(job.type)}  attempt ${job.attempt}  for ${roughDuration(job.seconds * 1000)}`;
}
