import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { dayAround } from '../../src/outpass/reports/calendar.ts';
import { decideDue, latestDue, nextDue } from '../../src/outpass/reports/due.ts';
import { readSchedule } from '../../src/outpass/reports/schedule.ts';
import type { ReportSchedule, ScheduleFields } from '../../src/outpass/reports/schedule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const at = (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`);
const tell = (instant: number) => new Date(instant).toISOString().slice(0, 16).replace('T', ' ');

/** The next few due instants, as UTC text. */
function run(schedule: ReportSchedule, zone: string, after: string, count: number): string[] {
  const found: string[] = [];
  let instant = at(after);
  while (found.length < count) {
    instant = nextDue(schedule, zone, instant);
    found.push(tell(instant));
  }
  return found;
}

// ---- The calendar that the code is held against: it only looks at what a wall clock shows, minute after minute.

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What the wall clock shows, such as `2026-03-29 03:00`; text that sorts as the clock's times do. */
function shown(instant: number, zone: string): string {
  let clock = clocks.get(zone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
    clocks.set(zone, clock);
  }
  return clock.format(instant);
}

/** The first minute at which the wall clock shows a time, or has gone past it without showing it. */
function firstReached(date: string, hour: number, minute: number, zone: string): number {
  const wanted = `${date} ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
  // No zone is further than 15 hours from UTC, and none skips more than a day.
  let instant = at(wanted) - 16 * HOUR;
  while (shown(instant, zone) < wanted) instant += MINUTE;
  return instant;
}

/** Whether a report is sent on a date of the calendar. */
function isDay(schedule: ReportSchedule, date: Date): boolean {
  const tomorrow = new Date(date.getTime() + DAY);
  const monthEnds = tomorrow.getUTCMonth() !== date.getUTCMonth();
  const fits = (day: number) => date.getUTCDate() === day || (monthEnds && date.getUTCDate() < day);
  switch (schedule.frequency) {
    case 'daily':
      return true;
    case 'weekly':
      return (
        'Mon Tue Wed Thu Fri Sat Sun'.split(' ')[schedule.dayOfWeek - 1] === date.toUTCString().slice(0, 3)
      );
    case 'monthly':
      return fits(schedule.dayOfMonth);
    case 'yearly':
      return date.getUTCMonth() + 1 === schedule.month && fits(schedule.dayOfMonth);
  }
}

function expectedNext(schedule: ReportSchedule, zone: string, after: number): number {
  for (let date = Math.floor(after / DAY) * DAY - 3 * DAY; ; date += DAY) {
    if (!isDay(schedule, new Date(date))) continue;
    const instant = firstReached(tell(date).slice(0, 10), schedule.hour, schedule.minute, zone);
    if (instant > after) return instant;
  }
}

const hour = fc.integer({ min: 0, max: 23 });
const minute = fc.constantFrom(0, 0, 15, 30, 45, 59);
const dayOfMonth = fc.oneof(fc.integer({ min: 1, max: 31 }), fc.constantFrom(28, 29, 30, 31));
const schedules: fc.Arbitrary<ReportSchedule> = fc.oneof(
  fc.record({ frequency: fc.constant('daily' as const), hour, minute }),
  fc.record({
    frequency: fc.constant('weekly' as const),
    hour,
    minute,
    dayOfWeek: fc.integer({ min: 1, max: 7 }),
  }),
  fc.record({ frequency: fc.constant('monthly' as const), hour, minute, dayOfMonth }),
  fc.record({
    frequency: fc.constant('yearly' as const),
    hour,
    minute,
    month: fc.integer({ min: 1, max: 12 }),
    dayOfMonth,
  }),
);

/** Around days on which clocks were changed, at midnight, by half an hour, backwards in winter, by a day. */
const changes = (
  [
    ['Europe/Berlin', '2026-03-29 01:00', '2026-10-25 01:00'],
    ['Australia/Lord_Howe', '2026-04-04 15:00', '2026-10-03 15:30'],
    ['America/Santiago', '2026-04-05 03:00', '2026-09-06 04:00'],
    ['Africa/Casablanca', '2026-02-15 02:00', '2026-03-22 02:00'],
    ['Africa/Cairo', '2026-04-23 22:00', '2026-10-29 21:00'],
    ['America/Havana', '2026-03-08 05:00', '2026-11-01 05:00'],
    // At one minute past midnight, back to the day before.
    ['America/St_Johns', '2010-03-14 03:31', '2010-11-07 02:31'],
    ['Atlantic/Azores', '2026-03-29 01:00', '2026-10-25 01:00'],
    ['Pacific/Apia', '2011-12-30 10:00', '2011-12-30 10:00'],
    ['Pacific/Kwajalein', '1993-08-21 12:00', '1993-08-21 12:00'],
    ['Asia/Pyongyang', '2015-08-14 15:00', '2018-05-04 15:00'],
    ['America/Caracas', '2007-12-09 07:00', '2016-05-01 07:00'],
    ['Asia/Kathmandu', '1985-12-31 18:30', '1985-12-31 18:30'],
  ] as const
).flatMap(([zone, ...texts]) => texts.map((text) => ({ zone, change: at(text) })));

function holds(schedule: ReportSchedule, zone: string, after: number): void {
  const expected = expectedNext(schedule, zone, after);
  const next = nextDue(schedule, zone, after);
  assert.equal(tell(next), tell(expected));
  assert.equal(next, expected);
  // Between the last one and the next there is none.
  assert.ok(latestDue(schedule, zone, after) <= after);
  assert.equal(nextDue(schedule, zone, latestDue(schedule, zone, after)), next);
  assert.equal(latestDue(schedule, zone, next), next);
  assert.ok(latestDue(schedule, zone, next - 1) <= after);
}

test('[46] the next due instant is the one that a wall clock shows: any zone, any year', () => {
  const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
  const minutes = fc.integer({ min: Date.UTC(1980, 0) / MINUTE, max: Date.UTC(2037, 11) / MINUTE });
  fc.assert(
    fc.property(schedules, zones, minutes, (schedule, zone, after) => holds(schedule, zone, after * MINUTE)),
    { numRuns: 400 },
  );
});

test('[46] the same beside every kind of change of the clock', () => {
  const minutes = fc.oneof(
    fc.integer({ min: -2 * 1440, max: 2 * 1440 }),
    fc.integer({ min: -120, max: 120 }),
  );
  fc.assert(
    fc.property(schedules, fc.constantFrom(...changes), minutes, (schedule, { zone, change }, away) =>
      holds(schedule, zone, change + away * MINUTE),
    ),
    { numRuns: 600 },
  );
});

test('[46] each day has its report once, also in a gap and in an overlap', () => {
  const half = { frequency: 'daily', hour: 2, minute: 30 } as const;
  // Berlin: 02:30 does not exist on 29 March, and exists twice on 25 October.
  assert.deepEqual(run(half, 'Europe/Berlin', '2026-03-28 00:00', 3), [
    '2026-03-28 01:30',
    '2026-03-29 01:00',
    '2026-03-30 00:30',
  ]);
  assert.deepEqual(run(half, 'Europe/Berlin', '2026-10-24 00:00', 3), [
    '2026-10-24 00:30',
    '2026-10-25 00:30',
    '2026-10-26 01:30',
  ]);
  // Lord Howe Island moves by half an hour; in Santiago the day begins at 01:00.
  assert.deepEqual(run({ ...half, minute: 15 }, 'Australia/Lord_Howe', '2026-10-03 00:00', 1), [
    '2026-10-03 15:30',
  ]);
  assert.deepEqual(run({ ...half, hour: 0 }, 'America/Santiago', '2026-09-05 12:00', 2), [
    '2026-09-06 04:00',
    '2026-09-07 03:30',
  ]);
});

test('[46] a midnight that the clock shows, and then goes back behind, has its report once', () => {
  const midnight = { frequency: 'daily', hour: 0, minute: 0 } as const;
  // St. John's, 7 November 2010: after 00:00 came 23:01 of the day before.
  assert.equal(tell(latestDue(midnight, 'America/St_Johns', at('2010-11-07 02:45'))), '2010-11-07 02:30');
  assert.deepEqual(run(midnight, 'America/St_Johns', '2010-11-07 02:29', 2), [
    '2010-11-07 02:30',
    '2010-11-08 03:30',
  ]);
});

test('[46] a day that a zone leaves out falls on the first instant after it, once', () => {
  // Samoa went from 29 to 31 December 2011.
  assert.deepEqual(run({ frequency: 'daily', hour: 9, minute: 0 }, 'Pacific/Apia', '2011-12-29 00:00', 4), [
    '2011-12-29 19:00',
    '2011-12-30 10:00',
    '2011-12-30 19:00',
    '2011-12-31 19:00',
  ]);
  assert.deepEqual(run({ frequency: 'daily', hour: 0, minute: 0 }, 'Pacific/Apia', '2011-12-29 00:00', 3), [
    '2011-12-29 10:00',
    '2011-12-30 10:00',
    '2011-12-31 10:00',
  ]);
});

test('the week begins on Monday: 1 is Monday, 7 is Sunday', () => {
  const weekly = (dayOfWeek: number) => ({ frequency: 'weekly', hour: 18, minute: 0, dayOfWeek }) as const;
  for (const [dayOfWeek, date] of [
    [1, '2026-11-23'],
    [5, '2026-11-20'],
    [6, '2026-11-21'],
    [7, '2026-11-22'],
  ] as const) {
    assert.deepEqual(run(weekly(dayOfWeek), 'Asia/Kolkata', '2026-11-20 00:00', 1), [`${date} 12:30`]);
  }
});

test('a day that a month lacks is its last', () => {
  const noon = { hour: 12, minute: 0 };
  assert.deepEqual(run({ ...noon, frequency: 'monthly', dayOfMonth: 31 }, 'UTC', '2027-12-31 12:00', 4), [
    '2028-01-31 12:00',
    '2028-02-29 12:00',
    '2028-03-31 12:00',
    '2028-04-30 12:00',
  ]);
  const leapDay = { ...noon, frequency: 'yearly', month: 2, dayOfMonth: 29 } as const;
  assert.deepEqual(run(leapDay, 'UTC', '2026-01-01 00:00', 3), [
    '2026-02-28 12:00',
    '2027-02-28 12:00',
    '2028-02-29 12:00',
  ]);
});

const daily = { frequency: 'daily', hour: 18, minute: 0 } as const;

test('a setting without a next send gets one and sends nothing', () => {
  for (const now of ['2026-11-20 12:29', '2026-11-19 12:30']) {
    assert.deepEqual(decideDue(daily, 'Asia/Kolkata', null, at(now)), {
      state: 'initialized',
      nextSendAt: at('2026-11-20 12:30'),
    });
  }
});

test('[43] due at its minute, once, also when the clock is set back', () => {
  const decide = (nextSendAt: number, now: number) => decideDue(daily, 'Asia/Kolkata', nextSendAt, now);
  const instant = at('2026-11-20 12:30');
  assert.deepEqual(decide(instant, instant - 1), { state: 'waiting', nextSendAt: instant });
  const due = { state: 'due', scheduledFor: instant, nextSendAt: instant + DAY };
  assert.deepEqual(decide(instant, instant), due);
  for (const now of [instant + 1, instant, instant - HOUR, instant - DAY + 1]) {
    assert.equal(decide(instant + DAY, now).state, 'waiting');
  }
});

test('a next send that a clock of the future has noted holds up nothing', () => {
  const yearly = { frequency: 'yearly', hour: 18, minute: 0, month: 11, dayOfMonth: 20 } as const;
  const now = at('2026-11-20 09:00');
  for (const [schedule, regular, second] of [
    [daily, '2026-11-20 12:30', '2026-11-21 12:30'],
    [yearly, '2026-11-20 12:30', '2027-11-20 12:30'],
  ] as const) {
    const decide = (nextSendAt: number) => decideDue(schedule, 'Asia/Kolkata', nextSendAt, now);
    const anew = { state: 'initialized', nextSendAt: at(regular) };
    assert.deepEqual(decide(at('2036-01-01 12:30')), anew);
    assert.deepEqual(decide(at(second) + 1), anew);
    assert.equal(decide(at(second)).state, 'waiting');
  }
});

test('[43] a clock that was far behind for a while sends no run again', () => {
  const [sent, behind] = [at('2026-11-20 12:30'), at('2026-11-10 09:00')];
  const anew = decideDue(daily, 'Asia/Kolkata', sent + DAY, behind, sent);
  assert.deepEqual(anew, { state: 'initialized', nextSendAt: at('2026-11-10 12:30') });
  assert.deepEqual(decideDue(daily, 'Asia/Kolkata', anew.nextSendAt, sent + HOUR, sent), {
    state: 'initialized',
    nextSendAt: sent + DAY,
  });
});

test('[45] of the runs that were missed the latest is sent, and no other', () => {
  const missed = at('2026-11-16 12:30');
  assert.deepEqual(decideDue(daily, 'Asia/Kolkata', missed, at('2026-11-20 09:00')), {
    state: 'due',
    scheduledFor: at('2026-11-19 12:30'),
    nextSendAt: at('2026-11-20 12:30'),
  });
});

test('[45] a next send that the schedule does not know counts as it stands', () => {
  assert.deepEqual(decideDue(daily, 'UTC', at('2026-11-20 19:00'), at('2026-11-20 19:01')), {
    state: 'due',
    scheduledFor: at('2026-11-20 19:00'),
    nextSendAt: at('2026-11-21 18:00'),
  });
});

test('[45] looked at by whatever clock, runs follow one another and none comes twice, unless it is set back by far', () => {
  const steps = fc.array(fc.integer({ min: -3 * 1440, max: 20 * 1440 }), { maxLength: 40 });
  fc.assert(
    fc.property(schedules, fc.constantFrom(...changes), steps, (schedule, { zone, change }, moves) => {
      let now = change - 2 * DAY;
      let next = decideDue(schedule, zone, null, now).nextSendAt;
      // Since the next send was taken back last.
      const sent: number[] = [];
      for (const move of moves) {
        now += move * MINUTE;
        const [decision, last] = [decideDue(schedule, zone, next, now, sent.at(-1)), sent.at(-1)];
        assert.ok(decision.nextSendAt > now);
        if (decision.state === 'due') {
          assert.ok(next <= now && decision.scheduledFor <= now && decision.scheduledFor !== last);
          sent.push(decision.scheduledFor);
        } else if (next <= now) assert.equal(latestDue(schedule, zone, now), last);
        // Only what no clock of today can have noted is taken back.
        if (decision.nextSendAt < next) {
          assert.ok(next > nextDue(schedule, zone, nextDue(schedule, zone, now)));
          assert.equal(decision.state, 'initialized');
          sent.length = 0;
        }
        next = decision.nextSendAt;
        if (sent.length > 1) assert.ok(sent.at(-1)! > sent.at(-2)!);
      }
    }),
    { numRuns: 200 },
  );
});

test('a day of the office is as long as its clock makes it', () => {
  const hours = (text: string, zone: string) => {
    const { from, to } = dayAround(at(text), zone);
    return `${tell(from)} + ${(to - from) / HOUR} h`;
  };
  assert.equal(hours('2026-11-20 12:30', 'Asia/Kolkata'), '2026-11-19 18:30 + 24 h');
  assert.equal(hours('2026-11-19 18:30', 'Asia/Kolkata'), '2026-11-19 18:30 + 24 h');
  assert.equal(hours('2026-11-20 18:29', 'Asia/Kolkata'), '2026-11-19 18:30 + 24 h');
  assert.equal(hours('2026-03-29 12:00', 'Europe/Berlin'), '2026-03-28 23:00 + 23 h');
  assert.equal(hours('2026-10-25 12:00', 'Europe/Berlin'), '2026-10-24 22:00 + 25 h');
  assert.equal(hours('2026-09-06 12:00', 'America/Santiago'), '2026-09-06 04:00 + 23 h');
  assert.equal(hours('2026-10-04 00:00', 'Australia/Lord_Howe'), '2026-10-03 13:30 + 23.5 h');
  assert.equal(hours('2011-12-30 00:00', 'Pacific/Apia'), '2011-12-29 10:00 + 24 h');
});

test('a setting is read, or says which field is wrong', () => {
  const fields = { frequency: 'yearly', time: '07:05', dayOfWeek: null, dayOfMonth: 29, month: 2 };
  assert.deepEqual(readSchedule(fields), {
    schedule: { frequency: 'yearly', hour: 7, minute: 5, month: 2, dayOfMonth: 29 },
  });
  assert.deepEqual(readSchedule({ ...fields, frequency: 'daily', time: '23:59:00' }), {
    schedule: { frequency: 'daily', hour: 23, minute: 59 },
  });
  const wrong = (changed: Partial<ScheduleFields>) => {
    const verdict = readSchedule({ ...fields, ...changed });
    return 'field' in verdict ? verdict.field : undefined;
  };
  const times = ['', '24:00', '7:05', '07:60', '07:05:30', '07:05 '].map((time) => ({ time }));
  const weekDays = [null, 0, 8, 1.5, Number.NaN].map((dayOfWeek) => ({ frequency: 'weekly', dayOfWeek }));
  const monthDays = [null, 0, 32, 1.5].map((day) => ({ frequency: 'monthly', dayOfMonth: day }));
  const months = [null, 0, 13].map((month) => ({ month }));
  assert.equal(wrong({ frequency: 'hourly' }), 'frequency');
  for (const changed of times) assert.equal(wrong(changed), 'time');
  for (const changed of weekDays) assert.equal(wrong(changed), 'dayOfWeek');
  for (const changed of monthDays) assert.equal(wrong(changed), 'dayOfMonth');
  for (const changed of months) assert.equal(wrong(changed), 'month');
});
