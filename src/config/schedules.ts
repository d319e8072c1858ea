/** The schedules: those that are built in, as changed by the config file, and the config file's own. */

import { readCron } from '../engine/cron.ts';
import { type DispatchRequest, newJob } from '../engine/queue.ts';
import { CATCH_UP, OVERLAP, type Schedule } from '../engine/schedule.ts';
import { cannotBe, messageOf, sentence } from '../errors.ts';
import { nearest, slipOf } from '../nearest.ts';
import { readZone, shown } from './read.ts';

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

/** Reads `schedules` of the config file. All that is wrong with an entry is told, named by `where`. */
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
    if (!backups && Object.hasOwn(BACKUP, name) && isChange(entry)) {
      problems.push(
        `${at} is built in only where PASSITO_BACKUPS names a folder for the backups: set that, or leave ${at} out.`,
      );
      return [];
    }
    const wrong: string[] = [];
    const own = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined;
    const schedule = readOne(name, entry, zone, at, own, wrong);
    problems.push(...wrong.map(sentence));
    return schedule === undefined || wrong.length > 0 ? [] : [schedule];
  });
  return { schedules, problems };
}

/** Whether an entry only changes what is built in; one with a type of its own is a schedule of its own. */
function isChange(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && !('type' in entry);
}

/** Undefined where `wrong`, which gets all that is, says why. */
function readOne(
  name: string,
  entry: unknown,
  zone: string,
  at: string,
  builtIn: BuiltIn[string] | undefined,
  wrong: string[],
): ConfiguredSchedule | undefined {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    wrong.push(`${at} must be an object, or false to switch it off`);
    return undefined;
  }
  if (!/^[\w.-]{1,60}$/.test(name)) {
    wrong.push(`${at}: a name has letters, digits and . _ -, at most 60`);
  }
  const values = entry as Record<string, unknown>;
  for (const key of Object.keys(values)) {
    const problem = unknownKey(at, key, builtIn !== undefined);
    if (problem !== undefined) wrong.push(problem);
  }
  const ownZone = values['zone'] ?? zone;
  const isZone = typeof ownZone === 'string' && readZone(ownZone) !== undefined;
  if (!isZone) wrong.push(cannotBe(`${at}.zone`, shown(ownZone), 'an IANA zone such as Asia/Kolkata'));
  const cron = values['cron'] ?? builtIn?.cron;
  if (cron === undefined || cron === null) {
    wrong.push(`${at}.cron is missing: five fields, such as '30 2 * * MON'`);
  } else if (typeof cron !== 'string') {
    wrong.push(cannotBe(`${at}.cron`, shown(cron), "a text of five fields, such as '30 2 * * MON'"));
  } else told(wrong, () => readCron(cron, isZone ? ownZone : zone, `${at}.cron`));
  const request = builtIn === undefined ? readRequest(name, values, at, wrong) : builtIn.request;
  const [overlap, catchUp] = [
    choice(values, 'overlap', OVERLAP, 'skip', at, wrong),
    choice(values, 'catchUp', CATCH_UP, 'latest', at, wrong),
  ];
  if (typeof cron !== 'string' || typeof ownZone !== 'string') return undefined;
  return { name, cron, zone: ownZone, overlap, catchUp, ...(request === undefined ? {} : { request }) };
}

function unknownKey(at: string, key: string, isBuiltIn: boolean): string | undefined {
  const known = isBuiltIn ? OF_ALL : [...OF_ALL, ...OF_JOBS];
  if (known.includes(key)) return undefined;
  if (isBuiltIn && OF_JOBS.includes(key)) {
    return `${at} is built in, so its job cannot be changed by '${key}'; what can be set is ${known.join(', ')}`;
  }
  const close = nearest(key, known);
  return `${at} has no '${key}'; ${close === undefined ? `there are ${known.join(', ')}` : `did you mean '${close}'?`}`;
}

function readRequest(
  name: string,
  values: Record<string, unknown>,
  at: string,
  wrong: string[],
): DispatchRequest | undefined {
  const { type } = values;
  if (type === undefined) {
    const close = slipOf(name, Object.keys({ ...BUILT_IN, ...BACKUP }));
    const ask = close === undefined ? '' : `; or did you mean the schedule '${close}'?`;
    wrong.push(`${at}.type is missing: the type of the job that each tick dispatches${ask}`);
  } else if (typeof type !== 'string') wrong.push(cannotBe(`${at}.type`, shown(type), 'a text'));
  const payload = payloadText(values['payload'] ?? {}, at, wrong);
  const options = Object.fromEntries(
    OF_JOBS.slice(2).flatMap((key) => (values[key] === undefined ? [] : [[key, values[key]]])),
  );
  // Its errors name what is wrong, one at a time: so each part is tried alone.
  const whole = { type: 'unnamed', payload: '{}' };
  for (const part of [
    ...(typeof type === 'string' ? [{ type }] : []),
    { payload },
    ...Object.entries(options).map(([key, value]) => ({ [key]: value })),
  ]) {
    told(wrong, () => newJob({ ...whole, ...part }, {}, at));
  }
  return { type: String(type), payload, ...options };
}

function payloadText(payload: unknown, at: string, wrong: string[]): string {
  try {
    const text = JSON.stringify(payload) as string | undefined;
    if (text !== undefined) return text;
    wrong.push(cannotBe(`${at}.payload`, `a ${typeof payload}`, 'what JSON can hold'));
  } catch (error) {
    // A BigInt, or an object that holds itself; V8 tells of the latter in several lines.
    wrong.push(`${at}.payload cannot be written as JSON: ${messageOf(error).split('\n')[0]}`);
  }
  return '{}';
}

function choice<const T extends string>(
  values: Record<string, unknown>,
  key: string,
  allowed: readonly T[],
  fallback: T,
  at: string,
  wrong: string[],
): T {
  const given = values[key] ?? fallback;
  const found = allowed.find((one) => one === given);
  if (found === undefined) {
    wrong.push(cannotBe(`${at}.${key}`, shown(given), `one of: ${allowed.join(', ')}`));
  }
  return found ?? fallback;
}

/** Notes what an attempt throws. */
function told(wrong: string[], attempt: () => unknown): void {
  try {
    attempt();
  } catch (error) {
    wrong.push(messageOf(error));
  }
}
