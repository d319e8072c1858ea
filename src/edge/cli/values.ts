/** Reading what was typed: ids, numbers, durations, times. Each mistake names its option and value. */

import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { JOB_STATES, type JobState } from '../../engine/job.ts';
import { NAME } from '../../engine/types.ts';
import { formatDuration, parseDuration } from '../../engine/units.ts';
import { errors, messageOf, PassitoError } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import { readTime, timeForm } from '../../outpass/read-time.ts';
import type { CommandOption, Input } from './command.ts';

/** A job's id: `12` or `#12`. */
export function readId(text: string, what = 'The id'): number {
  const digits = text.replace(/^#/, '');
  if (!/^\d{1,15}$/.test(digits) || Number(digits) === 0) {
    throw errors.badValue(what, text, 'a number such as 12');
  }
  return Number(digits);
}

/** Ids separated by commas or blanks; at least one, lest an empty variable of a script passes for none wanted. */
export function readIds(text: string, what = 'The id'): number[] {
  const parts = text.trim().split(/\s*,\s*|\s+/);
  if (parts.includes('')) throw errors.badValue(what, text, 'ids separated by commas, such as 1,2');
  return parts.map((part) => readId(part, what));
}

/** A whole number within bounds. */
export function readWhole(input: Input, option: string, from: number, to: number): number | undefined {
  const text = input.option(option);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text) || Number(text) < from || Number(text) > to) {
    throw errors.badValue(`--${option}`, text, `a whole number from ${from} to ${to}`);
  }
  return Number(text);
}

/** A duration in milliseconds. */
export function readDuration(input: Input, option: string): number | undefined {
  const text = input.option(option);
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined) throw errors.badValue(`--${option}`, text, 'a duration such as 90s, 5m, 2h or 30d');
  return ms;
}

/** A point in time, in milliseconds since 1970; without an offset it is told in `zone`. */
export function readAt(text: string, zone: string, what = '--at'): number {
  const ms = readTime(text, zone);
  if (ms === undefined) throw errors.badValue(what, text, timeForm);
  return ms;
}

/** States separated by commas. */
export function readStates(text: string): JobState[] {
  return text.split(',').map((part) => {
    const state = JOB_STATES.find((one) => one === part.trim());
    if (state !== undefined) return state;
    const close = nearest(part, JOB_STATES);
    throw errors.badValue('--state', part, `one of: ${JOB_STATES.join(', ')}`, close);
  });
}

/** A file's bytes, or standard input for `-`. */
export function readFile(path: string): Buffer {
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EACCES'
          ? 'this user may not read it'
          : code === 'EISDIR'
            ? 'it is a folder'
            : messageOf(error);
    throw errors.badFile(path === '-' ? 'standard input' : path, reason);
  }
}

/** A file's text, without the mark that some editors put before it. */
export function readText(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFile(path));
  } catch (error) {
    if (error instanceof PassitoError) throw error;
    throw errors.badFile(path === '-' ? 'standard input' : path, 'it is not UTF-8 text');
  }
}

/** The payload that was typed or named; throws where it is no JSON, as it is where a shell has eaten its quotes. */
export function readPayload(input: Input): string {
  const inline = input.option('payload');
  const file = input.option('payload-file');
  if (inline !== undefined && file !== undefined) {
    throw errors.conflictingOptions('--payload', '--payload-file');
  }
  const payload = file === undefined ? (inline ?? '{}') : readText(file);
  try {
    JSON.parse(payload);
  } catch (error) {
    const hint = `In a shell, put it into single quotes: --payload '{"id": 1}'`;
    throw errors.badJson('The payload', messageOf(error), file === undefined ? hint : undefined);
  }
  return payload;
}

/** The filters of `jobs list`, and of the verbs that take them. */
export const FILTERS: readonly CommandOption[] = [
  { name: 'state', value: 'states', about: `Of these states: ${JOB_STATES.join(', ')}` },
  { name: 'type', value: 'type', about: 'Of this type' },
  { name: 'queue', value: 'queue', about: 'In this queue' },
  {
    name: 'older-than',
    value: 'age',
    about: `Dispatched longer ago than this, such as ${formatDuration(7 * 86_400_000)}`,
  },
  { name: 'error', value: 'text', about: 'With this text in the last error' },
];

/** An option only where it was given: absent is not undefined. */
export function set<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: V });
}

/** A queue's name. */
export function readQueue(input: Input): string | undefined {
  const name = input.option('queue');
  if (name === undefined || NAME.test(name)) return name;
  throw errors.badValue('--queue', name, 'a name of letters, digits and . _ : -');
}

/** Who acts: what --by says, or else the user who types. It stands in one line of the pass and of the log. */
export function readBy(input: Input): string {
  const given = input.option('by');
  if (given === undefined) return whoAmI();
  const name = given.normalize('NFC').trim();
  if (name === '' || name.length > 120 || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) {
    throw errors.badValue('--by', given, 'a name of at most 120 characters in one line');
  }
  return name;
}

function whoAmI(): string {
  // Under sudo, whoever typed it.
  const behind = process.getuid?.() === 0 ? process.env['SUDO_USER'] : undefined;
  if (behind !== undefined && /^[\w.-]{1,64}$/.test(behind)) return behind;
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
