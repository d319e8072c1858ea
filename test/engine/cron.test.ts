/** Cron expressions in time zones, against a calendar that is read minute by minute. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import fc from 'fast-check';

import { readCron } from '../../src/engine/cron.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

const next = (expression: string, zone: string, from: string, n = 1) => {
  const ticks = readCron(expression, zone, 'cron');
  const found: string[] = [];
  let at: number | undefined = Date.parse(from);
  for (let i = 0; i < n && at !== undefined; i += 1) {
    at = ticks.after(at);
    found.push(at === undefined ? 'never' : new Date(at).toISOString().slice(0, 16));
  }
  return found.join(' ');
};

describe('a cron expression', () => {
  for (const [what, expression, zone, from, ticks] of [
    [
      'ticks in its zone',
      '0 2 * * *',
      'Asia/Kolkata',
      '2026-11-20T00:00Z',
      '2026-11-20T20:30 2026-11-21T20:30',
    ],
    [
      'has names and ranges',
      '30 9 * JAN MON-TUE',
      'UTC',
      '2026-11-20T00:00Z',
      '2027-01-04T09:30 2027-01-05T09:30',
    ],
    ['may be a nickname', '@daily', 'UTC', '2026-11-20T00:00Z', '2026-11-21T00:00 2026-11-22T00:00'],
    [
      'takes 7 for Sunday, as 0',
      '0 0 * * 7',
      'UTC',
      '2026-11-20T00:00Z',
      '2026-11-22T00:00 2026-11-29T00:00',
    ],
    [
      'takes either day where both are named',
      '0 0 13 * FRI',
      'UTC',
      '2026-11-12T00:00Z',
      '2026-11-13T00:00 2026-11-20T00:00',
    ],
    ['waits for a leap year', '0 0 29 2 *', 'UTC', '2026-03-01T00:00Z', '2028-02-29T00:00 2032-02-29T00:00'],
    ['may never tick', '0 0 31 2 *', 'UTC', '2026-03-01T00:00Z', 'never'],
    [
      'comes after a gap at once',
      '30 2 * * *',
      'America/New_York',
      '2026-03-07T12:00Z',
      '2026-03-08T07:00 2026-03-09T06:30',
    ],
    [
      'comes once for several in a gap',
      '10,40 2 * * *',
      'America/New_York',
      '2026-03-07T12:00Z',
      '2026-03-08T07:00 2026-03-09T06:10',
    ],
    [
      'comes once for a time shown twice',
      '30 1 * * *',
      'America/New_York',
      '2026-10-31T12:00Z',
      '2026-11-01T05:30 2026-11-02T06:30',
    ],
    [
      'goes on in an hour shown twice, if of every hour',
      '30 * * * *',
      'America/New_York',
      '2026-11-01T05:00Z',
      '2026-11-01T05:30 2026-11-01T06:30',
    ],
    [
      'comes after a whole day that is skipped',
      '0 12 30 12 *',
      'Pacific/Apia',
      '2011-12-01T00:00Z',
      '2011-12-30T10:00 2012-12-29T22:00',
    ],
  ] as const) {
    test(`${what}: ${expression} in ${zone}`, () => {
      assert.equal(next(expression, zone, from, ticks.split(' ').length), ticks);
    });
  }

  test('counts seconds where it has six fields', () => {
    const at = readCron('*/20 * * * * *', 'UTC', 'cron').after(Date.UTC(2026, 0, 1, 0, 0, 1));
    assert.equal(at, Date.UTC(2026, 0, 1, 0, 0, 20));
  });

  for (const bad of ['', '* * *', '60 * * * *', '@reboot', '0 0 * * FUN', '* * * * * * *', 'now']) {
    test(`'${bad}' is refused in one line`, () => {
      assert.throws(() => readCron(bad, 'UTC', 'schedules.x'), {
        code: 'BAD_CRON',
        message: /^schedules\.x cannot be '.*': [^\n]+\.$/,
      });
    });
  }
});

/** Around these the clocks change: by an hour, by half an hour, at midnight, by a day, and for good. */
const CHANGES = [
  ['Europe/Berlin', '2026-03-29T01:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00Z'],
  ['America/St_Johns', '2026-03-08T05:30Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
  ['America/Santiago', '2026-09-06T04:00Z'],
  ['Africa/Cairo', '2026-10-29T21:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'],
  ['Asia/Pyongyang', '2018-05-04T15:00Z'],
  ['Asia/Kolkata', '2026-06-01T00:00Z'],
] as const;

/** What the clock of a zone shows, as minutes since 1970 if it were UTC; read from the formatter alone. */
function shownIn(zone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  return (instant) => Date.parse(`${format.format(instant).replace(' ', 'T')}Z`) / MINUTE;
}

test('46 gaps and overlaps: every tick once, where it belongs, as a calendar read minute by minute says', () => {
  const list = (max: number) => fc.uniqueArray(fc.nat(max), { minLength: 1, maxLength: 3 });
  const run = fc.property(
    fc.constantFrom(...CHANGES),
    list(59),
    fc.option(list(23)),
    fc.option(list(6)),
    ([zone, change], minutes, hours, weekdays) => {
      const expression = `${minutes.join(',')} ${hours?.join(',') ?? '*'} * * ${weekdays?.join(',') ?? '*'}`;
      const start = Date.parse(change) - 2 * DAY;
      const end = Date.parse(change) + 2 * DAY;
      const shown = shownIn(zone);
      const matches = (wall: number) => {
        const date = new Date(wall * MINUTE);
        return (
          minutes.includes(date.getUTCMinutes()) &&
          (hours?.includes(date.getUTCHours()) ?? true) &&
          (weekdays?.includes(date.getUTCDay()) ?? true)
        );
      };
      const expected: number[] = [];
      let latest = shown(start);
      for (let instant = start + MINUTE; instant <= end; instant += MINUTE) {
        const wall = shown(instant);
        if (hours === null) {
          if (matches(wall)) expected.push(instant);
          continue;
        }
        // All that the clock has newly reached, what it skipped included.
        let any = false;
        for (let reached = latest + 1; reached <= wall; reached += 1) any ||= matches(reached);
        if (any) expected.push(instant);
        latest = Math.max(latest, wall);
      }
      const ticks = readCron(expression, zone, 'cron');
      const found: number[] = [];
      for (let at = ticks.after(start); at !== undefined && at <= end; at = ticks.after(at)) found.push(at);
      assert.deepEqual(
        found.map((at) => new Date(at).toISOString()),
        expected.map((at) => new Date(at).toISOString()),
        `${expression} in ${zone}`,
      );
    },
  );
  fc.assert(run, { numRuns: 150 });
});
