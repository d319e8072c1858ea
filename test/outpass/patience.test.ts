/** How long mails wait for their server, and when they are given up. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { givenUp, LONGEST_PATIENCE, nextTry, triedSince } from '../../src/outpass/mail/patience.ts';
import { MORNING } from '../tools/engine.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const patiences = fc.integer({ min: MINUTE, max: LONGEST_PATIENCE });

test('a wait lies between half of all that went before and all of it, and ends with the patience', () => {
  fc.assert(
    fc.property(patiences, fc.nat(LONGEST_PATIENCE), chance, (patience, tried, random) => {
      const wait = nextTry(MORNING, MORNING + tried, patience, () => random);
      assert.equal(wait === null, tried >= patience);
      if (wait === null) return;
      assert.ok(Number.isInteger(wait));
      const full = Math.min(30 * SECOND + tried, 30 * MINUTE);
      const [least, most] = [Math.floor(full / 2), full].map((ms) => Math.min(ms, patience - tried));
      assert.ok(wait >= least! && wait <= most!, `${wait} after ${tried}`);
    }),
    { numRuns: 1000 },
  );
});

/** The times at which a mail is tried, in milliseconds from the first; `takes` is how long each try lasts. */
function tries(patience: number, takes: () => number, random: () => number): number[] {
  const since = triedSince(undefined, MORNING);
  const times: number[] = [];
  let [now, latest] = [MORNING, MORNING];
  for (;;) {
    times.push(now - MORNING);
    assert.equal(triedSince({ failed: false, since, latest }, now), since, 'no try of its own begins anew');
    now += takes();
    latest = now;
    const wait = nextTry(since, now, patience, random);
    if (wait === null) return times;
    now += wait;
  }
}

test('a mail is tried for a day and not longer, however long each try takes', () => {
  fc.assert(
    fc.property(
      fc.infiniteStream(chance),
      fc.infiniteStream(fc.integer({ min: 0, max: 4 * MINUTE })),
      (chances, durations) => {
        const next = <T>(stream: Iterator<T>) => stream.next().value as T;
        const times = tries(
          LONGEST_PATIENCE,
          () => next(durations),
          () => next(chances),
        );
        const last = times.at(-1)!;
        assert.ok(last >= LONGEST_PATIENCE - 4 * MINUTE && last <= LONGEST_PATIENCE, `the last at ${last}`);
        assert.ok(times.length >= 50 && times.length <= 120, `${times.length} tries`);
      },
    ),
    { numRuns: 50 },
  );
});

test('where tries take no time, waits double up to half an hour', () => {
  const times = tries(
    LONGEST_PATIENCE,
    () => 0,
    () => 1,
  );
  const waits = times.slice(1).map((time, i) => (time - times[i]!) / SECOND);
  assert.deepEqual(waits.slice(0, 8), [30, 60, 120, 240, 480, 960, 1800, 1800]);
  assert.equal(times.at(-1), LONGEST_PATIENCE);
  const short = tries(
    HOUR,
    () => 0,
    () => 1,
  );
  assert.equal(short.at(-1), HOUR);
});

test('mails that fail together do not come back together', () => {
  for (const tried of [0, HOUR]) {
    const due = Array.from({ length: 1000 }, () => nextTry(0, tried, LONGEST_PATIENCE, Math.random)!);
    const full = Math.min(30 * SECOND + tried, 30 * MINUTE);
    for (let tenth = 0; tenth < 10; tenth++) {
      const from = full / 2 + (tenth * full) / 20;
      const here = due.filter((ms) => ms >= from && ms < from + full / 20).length;
      assert.ok(here > 40 && here < 200, `${here} of 1000 in one tenth of the time`);
    }
  }
});

test('a try counts from the first one, over restarts; a failed mail, and a standstill, begin anew', () => {
  const now = MORNING + 30 * HOUR;
  const earlier = { failed: false, since: MORNING, latest: now - HOUR };
  assert.equal(triedSince(undefined, now), now);
  assert.equal(triedSince(earlier, now), MORNING);
  assert.equal(triedSince({ ...earlier, failed: true }, now), now);
  assert.equal(triedSince({ ...earlier, latest: now - 7 * HOUR }, now), now, 'off over night');
  assert.equal(
    triedSince({ ...earlier, since: now + 1, latest: now + 1 }, now),
    now,
    'the clock was set back',
  );
  fc.assert(
    fc.property(fc.boolean(), fc.integer(), fc.integer(), fc.integer(), (failed, since, latest, at) => {
      const from = triedSince({ failed, since, latest }, at);
      assert.ok(from <= at && (from === at || from === since));
    }),
  );
});

test('a mail that is given up says for how long it was tried, and the last answer', () => {
  const said = (ms: number) => givenUp(ms, 'The mail server mx:25 answered: 451 later');
  assert.equal(
    said(LONGEST_PATIENCE),
    'Tried for 24 hours and given up. The mail server mx:25 answered: 451 later',
  );
  assert.match(said(HOUR), /^Tried for 60 minutes and given up\. /);
  assert.match(said(20 * SECOND), /^Tried for 1 minute and given up\. /);
});
