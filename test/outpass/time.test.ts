import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { formatTime } from '../../src/engine/clock.ts';
import { tellOffset, zoneOffset } from '../../src/engine/zone.ts';
import { inZone, tellTime, tellZone } from '../../src/outpass/local-time.ts';
import { readTime } from '../../src/outpass/read-time.ts';

const utc = (text: string, zone: string) => {
  const ms = readTime(text, zone);
  return ms === undefined ? undefined : formatTime(ms);
};

test('a time without an offset is in the zone, one with an offset is not', () => {
  assert.equal(utc('2026-11-20 18:00', 'Asia/Kolkata'), '2026-11-20 12:30:00.000');
  assert.equal(utc('2026-11-20T18:00:05.25', 'Asia/Kolkata'), '2026-11-20 12:30:05.250');
  assert.equal(utc('2026-11-20 18:00Z', 'Asia/Kolkata'), '2026-11-20 18:00:00.000');
  assert.equal(utc('2026-11-20 18:00 +02:00', 'Asia/Kolkata'), '2026-11-20 16:00:00.000');
  assert.equal(utc('2026-11-20T18:00:00-0330', 'UTC'), '2026-11-20 21:30:00.000');
});

test('what is no time is none', () => {
  const bad = ['', 'tomorrow', '20-11-2026 18:00', '2026-11-20', '2026-02-30 10:00', '2026-13-01 10:00'];
  for (const text of [
    ...bad,
    '2026-11-20 24:00',
    '2026-11-20 10:60',
    '2026-11-20 10:00:60',
    '2026-11-20 1:00',
    '2026-11-20 10:00-99:99',
    '2026-11-20 10:00+15:00',
  ]) {
    assert.equal(utc(text, 'UTC'), undefined, text);
  }
});

test('a time that the clock skips is the first instant after the gap', () => {
  // Berlin, 29 March 2026: 02:00 becomes 03:00.
  assert.equal(utc('2026-03-29 02:30', 'Europe/Berlin'), '2026-03-29 01:00:00.000');
  assert.equal(utc('2026-03-29 01:59', 'Europe/Berlin'), '2026-03-29 00:59:00.000');
  assert.equal(utc('2026-03-29 03:00', 'Europe/Berlin'), '2026-03-29 01:00:00.000');
  // Lord Howe Island moves by half an hour.
  assert.equal(utc('2026-10-04 02:15', 'Australia/Lord_Howe'), '2026-10-03 15:30:00.000');
});

test('a time that the clock shows twice is the earlier one', () => {
  assert.equal(utc('2026-10-25 02:30', 'Europe/Berlin'), '2026-10-25 00:30:00.000');
  assert.equal(utc('2026-10-25 03:00', 'Europe/Berlin'), '2026-10-25 02:00:00.000');
});

test('reading undoes telling, wherever the clock shows a time once', () => {
  const zone = fc.constantFrom('Asia/Kolkata', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia', 'UTC');
  const minute = fc.integer({ min: Date.UTC(2001, 0) / 60_000, max: Date.UTC(2040, 0) / 60_000 });
  fc.assert(
    fc.property(zone, minute, (where, at) => {
      const ms = at * 60_000;
      const wall = formatTime(ms + zoneOffset(ms, where)).slice(0, 16);
      const back = readTime(wall, where);
      // Shown twice, the earlier instant is meant; it shows the same wall time.
      return (
        back !== undefined && back <= ms && back + zoneOffset(back, where) === ms + zoneOffset(ms, where)
      );
    }),
  );
});

test('times are told with weekday, twelve hours and offset', () => {
  assert.equal(tellTime('2026-11-20 12:30:00.000', 'Asia/Kolkata'), 'Fri 20 Nov 2026, 6:00 PM');
  assert.equal(tellTime('2026-11-20 18:30:00.000', 'Asia/Kolkata'), 'Sat 21 Nov 2026, 12:00 AM');
  assert.equal(tellTime('2026-11-20 12:05:00.000', 'UTC'), 'Fri 20 Nov 2026, 12:05 PM');
  assert.deepEqual(
    [inZone('12:05 PM', 'UTC'), inZone('6:00 PM', 'Asia/Kolkata')],
    ['12:05 PM UTC', '6:00 PM (Asia/Kolkata)'],
  );
  assert.equal(tellOffset(0, 'America/St_Johns'), 'UTC-03:30');
  assert.equal(tellZone('2026-07-01 00:00:00.000', 'Europe/Berlin'), 'Europe/Berlin, UTC+02:00');
  assert.equal(tellZone('2026-07-01 00:00:00.000', 'UTC'), 'UTC');
});
