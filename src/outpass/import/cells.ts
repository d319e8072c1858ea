/** Checks one value of an import file against its column. */

import { readTime, timeForm } from '../read-time.ts';
import { passStatuses } from '../pass-states.ts';
import { frequencies, genders, readClock, reportNames } from '../report-settings.ts';
import { formatTime } from '../../engine/clock.ts';
import { type Column, roles } from './columns.ts';
import { isMailAddress } from '../../mail-address.ts';
import { nearest } from '../../nearest.ts';

/** A value that fits, or what is wrong with it: the end of a sentence that begins with the column's name. */
export type CellVerdict = { value: string | number | null } | { wrong: string };

/** Catches slips: the mailer takes `asha@gmail` as well, for a machine of that name. */
const HAS_DOMAIN = /@.*\./;
const PHONE = /^\+?[0-9][0-9 -]{5,22}$/;

/** Checks a value; an empty one is null, which the caller may not allow. */
export function checkCell(raw: unknown, column: Column, zone: string): CellVerdict {
  if (raw === null || raw === undefined || raw === '') return { value: null };
  if (typeof raw === 'boolean' && column.kind === 'switch') return { value: raw ? 1 : 0 };
  if (typeof raw !== 'string' && typeof raw !== 'number') return { wrong: 'must be text' };
  const text = String(raw).normalize('NFC').trim();
  if (text === '') return { value: null };
  if (text.length > column.max) return { wrong: `is longer than ${column.max} characters` };
  // Tabs and line breaks may stand in what students write; other control characters have no meaning anywhere.
  if (/[\p{Cc}--[\t\n\r]]/v.test(text)) {
    return { wrong: 'holds a control character' };
  }
  if (column.kind !== 'text' && /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) {
    return { wrong: 'holds a line break or tab' };
  }
  return checks[column.kind](text, zone);
}

const GENDERS = new Map([
  ['m', 'male'],
  ['f', 'female'],
]);

const SWITCH = new Map([
  ...['yes', 'true', '1', 'active'].map((word) => [word, 1] as const),
  ...['no', 'false', '0', 'inactive'].map((word) => [word, 0] as const),
]);

const quoted = (text: string): string => `'${text}'`;

const checks: Record<Column['kind'], (text: string, zone: string) => CellVerdict> = {
  line: (text) => ({ value: text }),
  text: (text) => ({ value: text }),
  email: (text) =>
    isMailAddress(text) && HAS_DOMAIN.test(text)
      ? { value: text }
      : { wrong: `${quoted(text)} is not an e-mail address` },
  phone: (text) => (PHONE.test(text) ? { value: text } : { wrong: `${quoted(text)} is not a phone number` }),
  year: (text) => upTo(10, text, 'a year of study (1 to 10)'),
  weekday: (text) => upTo(7, text, 'a weekday (1, Monday, to 7)'),
  day: (text) => upTo(31, text, 'a day of the month (1 to 31)'),
  month: (text) => upTo(12, text, 'a month (1 to 12)'),
  clock: (text) => {
    const value = readClock(text);
    return value === undefined
      ? { wrong: `${quoted(text)} is not a time of day (00:00 to 23:59)` }
      : { value };
  },
  time: (text, zone) => {
    const ms = readTime(text, zone);
    return ms === undefined
      ? { wrong: `${quoted(text)} is not a time (${timeForm})` }
      : { value: formatTime(ms) };
  },
  status: (text) => oneOf(text, passStatuses, 'a status'),
  role: (text) => oneOf(text.replaceAll(/[ -]/g, '_'), roles, 'a role'),
  report: (text) => oneOf(text.replaceAll(/[ -]/g, '_'), reportNames, 'a report'),
  frequency: (text) => oneOf(text, frequencies, 'a frequency'),
  gender: (text) => oneOf(GENDERS.get(text.toLowerCase()) ?? text, genders, 'a gender'),
  switch: (text) => {
    const value = SWITCH.get(text.toLowerCase());
    return value === undefined ? { wrong: `${quoted(text)} is neither yes nor no` } : { value };
  },
  reference: (text) =>
    /^\d+$/.test(text)
      ? { wrong: `${quoted(text)} has digits only and would be taken for an id` }
      : { value: text },
};

function upTo(most: number, text: string, what: string): CellVerdict {
  const value = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= most ? { value } : { wrong: `${quoted(text)} is not ${what}` };
}

function oneOf(text: string, words: readonly string[], what: string): CellVerdict {
  const word = text.toLowerCase();
  if (words.includes(word)) return { value: word };
  // 'all' is no slip of 'male'.
  const meant = word === 'all' ? undefined : nearest(text, words);
  const hint = meant === undefined ? `one of ${words.join(', ')}` : `did you mean ${meant}?`;
  return { wrong: `${quoted(text)} is not ${what} (${hint})` };
}
