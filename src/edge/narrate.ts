/** Turns what the engine emits into log lines. Every line about a job bears its id, type and attempt. */

import { formatTime } from '../engine/clock.ts';
import type { Events } from '../engine/events.ts';
import { roughDuration } from '../engine/units.ts';
import { messageOf } from '../errors.ts';
import type { Log } from './log.ts';
import { Repeats } from './repeats.ts';

/** Listens for as long as the process lives. */
export function narrate(events: Events, log: Log): void {
  if (log.isLevelEnabled('debug')) {
    events.on('completed', ({ id, type, attempt, ms }) =>
      log.debug({ id, type, attempt, ms: Math.round(ms) }, 'job completed'),
    );
    events.on('claimed', ({ count }) => log.debug({ count }, 'jobs claimed'));
  }
  events.on('retried', ({ id, type, attempt, error, delay }) =>
    log.warn(
      { id, type, attempt, error: error.message, again: `in ${roughDuration(delay)}` },
      'attempt failed',
    ),
  );
  events.on('failed', ({ id, type, attempt, error, discarded }) =>
    log.error(
      { id, type, attempt, error: error.message },
      discarded ? 'job discarded by its handler' : 'job failed',
    ),
  );
  events.on('released', ({ id, type, attempt, delay, error }) => {
    const again = { again: `in ${roughDuration(delay)}` };
    if (error !== undefined) log.warn({ id, type, attempt, error: error.message, ...again }, 'job waits');
    else if (delay > 0) log.info({ id, type, attempt, ...again }, 'job snoozed');
    else log.info({ id, type, attempt }, 'job given back');
  });
  events.on('lost', ({ id, type, attempt }) =>
    log.warn({ id, type, attempt }, 'outcome dropped: the job was cancelled or taken over'),
  );
  events.on('rescued', ({ pid, returned, failed }) =>
    log.warn(
      { pid, returned: returned.length, failed: failed.length, ids: [...returned, ...failed].slice(0, 20) },
      'rescued the jobs of a process that is gone',
    ),
  );
  events.on('ticked', ({ schedule, tick, outcome, job }) => {
    const line = { schedule, tick: formatTime(tick), ...(job === null ? {} : { id: job }) };
    // What the supervisor does itself, it does every minute.
    if (outcome === 'run') log[job === null ? 'debug' : 'info'](line, 'schedule ticked');
    else log.warn(line, "a tick was skipped: the last one's job has not ended");
  });
  // After a restart: of chores nothing is lost that the next one does not do.
  events.on('missed', ({ schedule, count, from, to, chore }) =>
    log[chore ? 'info' : 'warn'](
      { schedule, count, from: formatTime(from), to: formatTime(to) },
      'ticks were missed; they do not run any more',
    ),
  );
  events.on('scaled', ({ from, to, pending, load, reason }) =>
    log.info({ from, to, pending, load: Number(load.toFixed(1)), reason }, 'workers scaled'),
  );
  const repeats = new Repeats();
  /** Its fields, with how often it came; undefined where it was told a moment ago. */
  const now = <T extends object>(fields: T, what: string): T | undefined => {
    const times = repeats.count(what);
    return times === 0 ? undefined : { ...fields, ...(times > 1 && { times }) };
  };
  events.on('workerDied', ({ worker, reason }) => {
    const told = now({ worker, reason }, `ended: ${reason}`);
    if (told !== undefined) log.warn(told, 'worker thread ended');
  });
  events.on('trouble', ({ where, error }) => {
    const told = now({ where, error: messageOf(error) }, `${where}: ${messageOf(error)}`);
    if (told !== undefined) log.error(told, 'trouble');
  });
  events.on('log', ({ id, type, attempt, level, message, fields }) =>
    log[level]({ ...apart(fields), id, type, attempt }, message),
  );
}

/** Names that every line has from us. A payload that a handler logs may hold them too: they get a name beside those. */
const OURS = new Set(['level', 'time', 'msg', 'err', 'id', 'type', 'attempt']);

function apart(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [OURS.has(name) ? `${name}_` : name, value]),
  );
}
