/** When an alert is mailed: one a trouble, whoever looks and however often. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import fc from 'fast-check';

import {
  afterAlert,
  type AlertKind,
  CHECK_MS,
  decideAlert,
  QUIET,
  thresholdOf,
} from '../../src/engine/alert.ts';

const HOUR = 3_600_000;

/** An admin's mailbox, and the ways to look. */
function mailbox() {
  let state = QUIET;
  let now = 1_000_000_000_000;
  const mails: AlertKind[] = [];
  let works = true;
  const check = (by: 'monitor' | 'command', codes: readonly string[], force = false) => {
    const decided = decideAlert(state, { by, codes, threshold: 1, now, sends: true, force });
    state = decided.state;
    const kind = decided.mail;
    if (kind === null) return;
    if (works) mails.push(kind);
    state = afterAlert(state, {
      kind,
      codes,
      threshold: 1,
      at: now,
      to: 'a@b',
      ...(works ? {} : { failure: 'down' }),
    });
  };
  return {
    mails,
    check,
    pass: (ms: number) => {
      now += ms;
    },
    break: (broken: boolean) => {
      works = !broken;
    },
    get state() {
      return state;
    },
  };
}

suite('the monitor', () => {
  test('mails at the second bad check, once, and once when all is well', () => {
    const { mails, check, pass } = mailbox();
    for (const codes of [[], ['stale'], ['stale'], ['stale'], ['stale'], [], []]) {
      check('monitor', codes);
      pass(CHECK_MS);
    }
    assert.deepEqual(mails, ['problem', 'recovered']);
  });

  test('says nothing of a trouble that is over at the next check', () => {
    const { mails, check, pass } = mailbox();
    for (const codes of [['stale'], [], ['stale'], [], ['stale'], []]) {
      check('monitor', codes);
      pass(CHECK_MS);
    }
    assert.deepEqual(mails, []);
  });

  test('mails again when a reason joins, after a second look, and not when one of several goes', () => {
    const { mails, check, pass } = mailbox();
    for (const codes of [['a'], ['a'], ['b', 'a'], ['a', 'b'], ['a', 'b'], ['b'], ['b']]) {
      check('monitor', codes);
      pass(CHECK_MS);
    }
    assert.deepEqual(mails, ['problem', 'changed']);
  });

  test('is not put off by a second reason that comes and goes, nor mails of it each time', () => {
    for (const by of ['monitor', 'command'] as const) {
      const { mails, check, pass } = mailbox();
      for (let gone = 0; gone < 4 * HOUR; gone += CHECK_MS) {
        check(by, (gone / CHECK_MS) % 2 === 0 ? ['stale'] : ['stale', 'waiting-mails']);
        pass(CHECK_MS);
      }
      assert.deepEqual(mails, by === 'monitor' ? ['problem'] : ['problem', 'changed'], by);
    }
  });

  test('mails again of a reason that was gone for two checks, beside one that stayed', () => {
    const { mails, check, pass } = mailbox();
    const [low, gone] = ['disk', 'supervisor-gone'];
    for (const codes of [
      [low],
      [low],
      [low, gone],
      [low, gone],
      [low],
      [low],
      [low],
      [low, gone],
      [low, gone],
    ]) {
      check('monitor', codes);
      pass(CHECK_MS);
    }
    assert.deepEqual(mails, ['problem', 'changed', 'changed']);
  });

  test('mails of a trouble whose reason differs at each check', () => {
    const { mails, check, pass } = mailbox();
    for (const codes of [['a'], ['b'], ['a'], ['b'], ['a']]) {
      check('monitor', codes);
      pass(CHECK_MS);
    }
    assert.deepEqual(mails, ['problem']);
  });

  test('reminds every four hours', () => {
    const { mails, check, pass } = mailbox();
    for (let gone = 0; gone < 9 * HOUR; gone += CHECK_MS) {
      check('monitor', ['a']);
      pass(CHECK_MS);
    }
    assert.deepEqual(mails, ['problem', 'reminder', 'reminder']);
  });

  test('counts as one where several run', () => {
    const { mails, check, pass } = mailbox();
    check('monitor', ['a']);
    pass(1000);
    check('monitor', ['a']);
    assert.deepEqual(mails, []);
    pass(CHECK_MS);
    check('monitor', ['a']);
    check('monitor', ['a']);
    assert.deepEqual(mails, ['problem']);
  });
});

suite('the command', () => {
  test('mails at once, and not what was mailed before, unless it is forced', () => {
    const { mails, check, pass } = mailbox();
    check('command', ['a']);
    pass(1000);
    check('command', ['a']);
    check('monitor', ['a']);
    pass(CHECK_MS);
    check('monitor', ['a']);
    assert.deepEqual(mails, ['problem']);
    check('command', ['a'], true);
    assert.deepEqual(mails, ['problem', 'reminder']);
    check('command', []);
    check('command', [], true);
    assert.deepEqual(mails, ['problem', 'reminder', 'recovered']);
  });

  test('by cron beside the monitor: one mail of each for an hour of trouble', () => {
    const { mails, check, pass } = mailbox();
    for (let minute = 0; minute < 120; minute += 5) {
      const codes = minute >= 20 && minute < 80 ? ['supervisor-gone'] : [];
      check('command', codes);
      check('monitor', codes);
      pass(CHECK_MS);
    }
    assert.deepEqual(mails, ['problem', 'recovered']);
  });
});

test('a mail that failed is tried at each check, the recovery too, and the failure is kept', () => {
  const box = mailbox();
  box.break(true);
  for (let i = 0; i < 4; i += 1) {
    box.check('monitor', ['a']);
    box.pass(CHECK_MS);
  }
  assert.deepEqual([box.mails, box.state.failure], [[], { message: 'down', tries: 3 }]);
  box.break(false);
  box.check('monitor', ['a']);
  assert.deepEqual([box.mails, box.state.failure], [['problem'], null]);
  box.break(true);
  box.pass(CHECK_MS);
  box.check('monitor', []);
  box.pass(CHECK_MS);
  box.break(false);
  box.check('monitor', []);
  assert.deepEqual(box.mails, ['problem', 'recovered']);
});

test('while one sends, another does not; if the first dies, the next does after a while', () => {
  const at = 1_000_000_000_000;
  const check = { by: 'command', codes: ['a'], threshold: 1, sends: true } as const;
  const first = decideAlert(QUIET, { ...check, now: at });
  assert.equal(first.mail, 'problem');
  assert.equal(decideAlert(first.state, { ...check, now: at + 60_000 }).mail, null);
  assert.equal(decideAlert(first.state, { ...check, now: at + 60_000, force: true }).mail, 'problem');
  assert.equal(decideAlert(first.state, { ...check, now: at + 6 * 60_000 }).mail, 'problem');
});

test('a trouble that ended before its mail could be sent is told all the same', () => {
  const box = mailbox();
  box.break(true);
  box.check('monitor', ['a']);
  box.pass(CHECK_MS);
  box.check('monitor', ['a']);
  const { since } = box.state;
  box.pass(CHECK_MS);
  box.check('monitor', []);
  assert.deepEqual([box.mails, box.state.since], [[], since]);
  box.break(false);
  box.pass(CHECK_MS);
  box.check('monitor', []);
  assert.deepEqual([box.mails, box.state.failure, box.state.since], [['recovered'], null, null]);
});

test('what lies in the outbox was told to nobody, once a server is there', () => {
  const check = { by: 'command', codes: ['a'], threshold: 1 } as const;
  const first = decideAlert(QUIET, { ...check, now: 1000, sends: false });
  const state = afterAlert(first.state, { ...check, kind: 'problem', at: 1000, to: null });
  assert.equal(decideAlert(state, { ...check, now: 2000, sends: false }).mail, null);
  assert.equal(decideAlert(state, { ...check, now: 2000, sends: true }).mail, 'problem');
});

suite('checks that judge by different thresholds', () => {
  test('the end of a trouble is seen by the threshold by which it was told', () => {
    assert.equal(thresholdOf(QUIET, 300), 300);
    const told = { ...QUIET, mailed: 'stale', mailedThreshold: 60 };
    assert.equal(thresholdOf(told, 300), 60);
    assert.equal(thresholdOf(told, 30), 30);
    assert.equal(thresholdOf({ ...told, mailedThreshold: null }, 300), 300);
  });

  test('a command that is less strict does not make the monitor begin again', () => {
    const { mails, check, pass } = mailbox();
    check('monitor', ['stale']);
    check('command', []);
    pass(CHECK_MS);
    check('command', []);
    check('monitor', ['stale']);
    assert.deepEqual(mails, ['problem']);
  });
});

test('whatever happens: no recovery without a problem, no two problems without a recovery', () => {
  const look = fc.record({
    by: fc.constantFrom('monitor', 'command'),
    codes: fc.subarray(['a', 'b', 'c']),
    wait: fc.integer({ min: 0, max: HOUR }),
  });
  fc.assert(
    fc.property(fc.array(look, { maxLength: 60 }), (looks) => {
      const { mails, check, pass } = mailbox();
      for (const { by, codes, wait } of looks) {
        check(by, codes);
        pass(wait);
      }
      let open = false;
      for (const kind of mails) {
        assert.equal(kind === 'problem', !open, mails.join());
        open = kind !== 'recovered';
      }
    }),
  );
});
