/** The schedules: those that are built in, as changed by the config file, and the config file's own. */

import { readCron } from '../engine/cron.ts';
import { type DispatchRequest, newJob } from '../engine/queue.ts';
import { CATCH_UP, OVERLAP, type Schedule } from '../engine/schedule.ts';
import { messageOf, sentence } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { readZone } from './read.ts';

/** A schedule whose job is still to be filled in with what its type says. */
export interface ConfiguredSchedule extends Omit<Schedule, 'job'> {
  /** Absent where the supervisor itself does the work. */
  request?: DispatchRequest;
}

/** What is built in; the names are those of the commands that do the same by hand. */
const BUILT_IN: Readonly<Record<string, { cron: string; request?: DispatchRequest }>> = {
  'cleanup-expired-files': {
    cron: '0 2 * * *',
    request: { type: 'CleanupExpiredFiles', payload: '{}', uniqueKey: 'cleanup' },
  },
  'dispatch-scheduled-reports': { cron: '* * * * *' },
  'prune-jobs': { cron: '30 3 * * *' },
};

/** Where PASSITO_BACKUPS names a folder. */
const BACKUP = { backup: { cron: '30 2 * * *' } };

type BuiltIn = typeof BUILT_IN;

const OF_ALL = ['cron', 'zone', 'overlap', 'catchUp'];
const OF_JOBS = ['type', 'payload', 'queue', 'priority', 'maxAttempts', 'uniqueKey'];

/** Reads `schedules` of the config file. Each entry that is wrong is a problem, named by `where`. */
export function readSchedules(
  given: unknown,
  { zone, backups }: { zone: string; backups: boolean },
  where: string,
): { schedules: ConfiguredSchedule[]; problems: string[] } {
  const problems: string[] = [];
  const entries = given ?? {};
  if (typeof entries !== 'object' || Array.isArray(entries)) {
    return {
      schedules: [],
      problems: [`${where} must be an object: { 'nightly-sync': { cron: '0 1 * * *', type: 'Sync' } }.`],
    };
  }
  const builtIn: BuiltIn = backups ? { ...BUILT_IN, ...BACKUP } : BUILT_IN;
  const names = [...new Set([...Object.keys(builtIn), ...Object.keys(entries)])];
  const schedules = names.flatMap((name) => {
    const at = `${where}.${name}`;
    const entry: unknown = (entries as Record<string, unknown>)[name] ?? {};
    if (entry === false) return [];
    try {
      return [readOne(name, entry, zone, at, builtIn[name])];
    } catch (error) {
      problems.push(sentence(messageOf(error)));
      return [];
    }
  });
  return { schedules, problems };
}

function readOne(
  name: string,
  entry: unknown,
  zone: string,
  at: string,
  builtIn: BuiltIn[string] | undefined,
): ConfiguredSchedule {
  if (typeof entry !== 'object' || entry === null) {
    throw new Error(`${at} must be an object, or false to switch it off`);
  }
  if (!/^[\w.-]{1,60}$/.test(name)) {
    throw new Error(`${at}: a name has letters, digits and . _ -, at most 60`);
  }
  const known = builtIn === undefined ? [...OF_ALL, ...OF_JOBS] : OF_ALL;
  const values = entry as Record<string, unknown>;
  for (const key of Object.keys(values)) {
    if (!known.includes(key)) throw new Error(unknownKey(at, key, known));
  }
  const cron = values['cron'] ?? builtIn?.cron;
  if (typeof cron !== 'string') throw new Error(`${at}.cron is missing: five fields, such as '30 2 * * MON'`);
  const ownZone = values['zone'] ?? zone;
  if (typeof ownZone !== 'string' || readZone(ownZone) === undefined) {
    throw new Error(`${at}.zone cannot be ${JSON.stringify(ownZone)}: an IANA zone such as Asia/Kolkata`);
  }
  readCron(cron, ownZone, `${at}.cron`);
  const request = builtIn === undefined ? readRequest(values, at) : builtIn.request;
  return {
    name,
    cron,
    zone: ownZone,
    overlap: choice(values, 'overlap', OVERLAP, 'skip', at),
    catchUp: choice(values, 'catchUp', CATCH_UP, 'latest', at),
    ...(request === undefined ? {} : { request }),
  };
}

function unknownKey(at: string, key: string, known: readonly string[]): string {
  const close = nearest(key, known);
  return `${at} has no '${key}'${close === undefined ? `: ${known.join(', ')}` : `; did you mean '${close}'?`}`;
}

function readRequest(values: Record<string, unknown>, at: string): DispatchRequest {
  const { type, payload } = values;
  if (typeof type !== 'string') {
    throw new Error(`${at}.type is missing: the type of the job that each tick dispatches`);
  }
  const options = Object.fromEntries(
    OF_JOBS.slice(2).flatMap((key) => (values[key] === undefined ? [] : [[key, values[key]]])),
  );
  const request: DispatchRequest = { type, payload: JSON.stringify(payload ?? {}), ...options };
  // Its errors name what is wrong.
  newJob(request, {}, at);
  return request;
}

function choice<const T extends string>(
  values: Record<string, unknown>,
  key: string,
  allowed: readonly T[],
  fallback: T,
  at: string,
): T {
  const given = values[key] ?? fallback;
  const found = allowed.find((one) => one === given);
  if (found === undefined) {
    throw new Error(`${at}.${key} cannot be ${JSON.stringify(given)}: ${allowed.join(', ')}`);
  }
  return found;
}
