/** `passito reports …`: which report goes to whom, and when. */

import { openOffice } from '../../app.ts';
import { formatTime, systemClock } from '../../engine/clock.ts';
import { newJob } from '../../engine/queue.ts';
import type { Inserted } from '../../engine/store.ts';
import { errors } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import {
  frequencies,
  type Gender,
  genders,
  readAddresses,
  readClock,
  type ReportName,
  reportNames,
  type ReportSetting,
  type ReportTimes,
  tellTimes,
} from '../../outpass/report-settings.ts';
import type { SqliteOffice } from '../../store/sqlite/office.ts';
import type { ReportChange } from '../../store/sqlite/report-settings.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { oneLine } from '../terminal.ts';
import { audited } from './audit.ts';
import { type Command, type CommandOption, type Input, JSON_OPTION } from './command.ts';
import { withStore } from './with-store.ts';
import { told } from './render.ts';
import { readAt, readWhole, set } from './values.ts';

const GENDER: CommandOption = {
  name: 'gender',
  value: 'gender',
  about: 'Of the hostels of male or female students (both)',
};

export const list: Command = {
  name: 'reports list',
  about: 'List the reports, when they go out and to whom',
  options: [JSON_OPTION],
  example: 'passito reports list',
  run: (input) =>
    withStore(input, async (store, _queries, config) => {
      print(input, await openOffice(config, store).reportSettings(), config.settings.timeZone);
      return 0;
    }),
};

export const change: Command = {
  name: 'reports set',
  args: '<report>',
  about: 'Say when a report goes out, and to whom',
  options: [
    GENDER,
    { name: 'frequency', value: 'word', about: frequencies.join(', ') },
    { name: 'time', value: 'HH:MM', about: 'At this time, in TIME_ZONE' },
    { name: 'weekday', value: 'n', about: 'Weekly: 1 (Monday) to 7' },
    { name: 'day', value: 'n', about: 'Monthly and yearly: 1 to 31; a shorter month has it on its last day' },
    { name: 'month', value: 'n', about: 'Yearly: 1 to 12' },
    {
      name: 'recipients',
      value: 'mails',
      about: "Wardens' addresses with commas between, or none; chief wardens get every report",
    },
    JSON_OPTION,
  ],
  example: 'passito reports set late_arrivals --gender female --time 21:30 --recipients warden@example.edu',
  run(input) {
    const times = readTimes(input);
    const recipients = readRecipients(input);
    if (Object.keys(times).length === 0 && recipients === undefined) {
      throw errors.missingArgument('reports set', '--frequency, --time or --recipients');
    }
    const given = Object.keys(times).length > 0 ? { times } : {};
    return apply(input, { ...given, ...set('recipients', recipients) });
  },
};

const toggle = (name: 'enable' | 'disable', about: string): Command => ({
  name: `reports ${name}`,
  args: '<report>',
  about,
  options: [GENDER, JSON_OPTION],
  example: `passito reports ${name} daily_movement --gender male`,
  run: (input) => apply(input, { enabled: name === 'enable' }),
});

export const runNow: Command = {
  name: 'reports run',
  args: '<report>',
  about: 'Send a report now, whatever its times are',
  options: [
    GENDER,
    { name: 'at', value: 'time', about: 'Of the day of this time, such as "2026-12-24 18:00" (today)' },
    JSON_OPTION,
  ],
  example: 'passito reports run late_arrivals --gender female',
  run(input) {
    const report = oneOf('The report', input.args[0] ?? '', reportNames);
    const given = input.option('gender');
    const gender = given === undefined ? undefined : oneOf('--gender', given, genders);
    return withStore(input, async (store, _queries, config) => {
      const text = input.option('at');
      const at = text === undefined ? systemClock.now() : readAt(text, config.settings.timeZone);
      const office = openOffice(config, store);
      const inserted = await dispatchReports(store, office, { report, ...set('gender', gender), at });
      if (input.json) input.print(JSON.stringify(inserted));
      else for (const { id } of inserted) input.print(`Job #${id} dispatched.`);
      return 0;
    });
  },
};

/** Dispatches a report of the day of `at`, for one gender or both. */
export async function dispatchReports(
  store: SqliteStore,
  office: SqliteOffice,
  { report, gender, at }: { report: ReportName; gender?: Gender; at: number },
): Promise<Inserted[]> {
  const settings = await office.reportSettings();
  const jobs = settings
    .filter((one) => one.report === report && (gender === undefined || one.gender === gender))
    .map(({ id }) =>
      newJob({
        type: 'SendScheduledReport',
        payload: JSON.stringify({ setting_id: id, scheduled_for: formatTime(at) }),
      }),
    );
  return store.insert(jobs);
}

export const enable = toggle('enable', 'Let a report go out');
export const disable = toggle('disable', 'Keep a report from going out');

function apply(input: Input, changes: ReportChange): Promise<number> {
  const report = oneOf('The report', input.args[0] as string, reportNames);
  const gender = input.option('gender');
  const which = gender === undefined ? undefined : oneOf('--gender', gender, genders);
  return withStore(input, async (store, _queries, config) => {
    const what = Object.entries(changes.times ?? {}).map(([name, value]) => `${name} ${String(value)}`);
    if (changes.enabled !== undefined) what.push(changes.enabled ? 'on' : 'off');
    if (changes.recipients !== undefined) what.push(`recipients ${changes.recipients.join(' ')}`);
    const named = [report, ...(which === undefined ? [] : [which])].join(' ');
    const office = openOffice(config, store);
    const settings = await audited(
      store,
      input,
      'reports',
      () => office.changeReport(report, which, changes),
      () => `${named}: ${what.join(', ')}`,
    );
    print(input, settings, config.settings.timeZone);
    return 0;
  });
}

function readTimes(input: Input): Partial<ReportTimes> {
  const frequency = input.option('frequency');
  const time = input.option('time');
  const clock = time === undefined ? undefined : readClock(time);
  if (time !== undefined && clock === undefined) {
    throw errors.badValue('--time', time, 'a time from 00:00 to 23:59');
  }
  return {
    ...(frequency === undefined ? {} : { frequency: oneOf('--frequency', frequency, frequencies) }),
    ...set('time', clock),
    ...set('weekday', readWhole(input, 'weekday', 1, 7)),
    ...set('day', readWhole(input, 'day', 1, 31)),
    ...set('month', readWhole(input, 'month', 1, 12)),
  };
}

function readRecipients(input: Input): string[] | undefined {
  const text = input.option('recipients');
  if (text === undefined || text.trim() === 'none') return text === undefined ? undefined : [];
  const addresses = readAddresses(text);
  if (addresses.length === 0) {
    throw errors.badValue('--recipients', text, "addresses with commas between, or the word 'none'");
  }
  return addresses;
}

function oneOf<W extends string>(what: string, text: string, words: readonly W[]): W {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  // 'all' is no slip of 'male'.
  const close = text === 'all' ? undefined : nearest(text, words);
  throw errors.badValue(what, text, `one of: ${words.join(', ')}`, close);
}

function print(input: Input, settings: readonly ReportSetting[], zone: string): void {
  if (input.json) {
    input.print(JSON.stringify(settings.map(asJson)));
    return;
  }
  for (const { report, gender, enabled, recipients, lastSentAt, nextSendAt, ...times } of settings) {
    const state = enabled ? input.paint('green', 'on '.padEnd(3)) : input.paint('dim', 'off');
    const to = ['chief wardens', ...recipients.map(({ email }) => email)].join(', ');
    const sent = lastSentAt === null ? '' : `; last ${told(lastSentAt, zone)}`;
    const next = nextSendAt === null || !enabled ? '' : `; next ${told(nextSendAt, zone)}`;
    const head = `${report.padEnd(14)}  ${gender.padEnd(6)}  ${state}`;
    input.print(`${head}  ${oneLine(`${tellTimes(times)} (${zone}), to ${to}${sent}${next}`)}`);
  }
}

function asJson({ lastSentAt, nextSendAt, recipients, ...setting }: ReportSetting): object {
  return {
    ...setting,
    recipients: recipients.map(({ email }) => email),
    last_sent_at: lastSentAt,
    next_send_at: nextSendAt,
  };
}
