/** Mails that no server takes: how a job waits, for how long, and what begins anew. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { MailError } from '../../src/edge/mail-error.ts';
import { isDiscard, isSnooze } from '../../src/engine/handler.ts';
import { sendPasswordResetEmail } from '../../src/outpass/jobs/account-emails.ts';
import { generateOutpassPdf } from '../../src/outpass/jobs/generate-outpass-pdf.ts';
import { generateQrCode } from '../../src/outpass/jobs/generate-qr-code.ts';
import { sendOutpassEmail } from '../../src/outpass/jobs/send-outpass-email.ts';
import { FakeClock } from '../tools/engine.ts';
import { openOffice } from '../tools/office.ts';

const HOUR = 3_600_000;
const payload = { outpass_id: 1 };

/** An office with one approved pass, and a mail server that answers `fault.error`. */
async function opened(t: TestContext) {
  const clock = new FakeClock();
  const it = await openOffice(t, undefined, clock);
  await it.write(() => it.office.approvePass(1, 'Dr. Kavitha Raman'));
  for (const job of [generateQrCode, generateOutpassPdf]) await job.handle(payload, it.context());
  const fault: { error: Error } = { error: new MailError('451 later', false) };
  const context = (job: { id?: number; attempt?: number } = {}) =>
    it.context({ ...job, mail: () => Promise.reject(fault.error) });
  const run = (job?: { id?: number; attempt?: number }) =>
    thrownBy(() => sendOutpassEmail.handle(payload, context(job)));
  const state = (job = 1) => it.db.prepare('SELECT state FROM mails WHERE job_id = ?').pluck().get(job);
  return { it, clock, fault, context, run, state };
}

async function thrownBy(handle: () => unknown): Promise<unknown> {
  try {
    await handle();
  } catch (error) {
    return error;
  }
  assert.fail('it was sent');
}

/** For how long the job asks to wait. */
function delayOf(error: unknown): number {
  assert.ok(isSnooze(error), String(error));
  assert.equal(typeof error.delay, 'number');
  return error.delay as number;
}

test('a mail that is not taken waits with the answer, for a day; then the job fails and says so', async (t) => {
  const { clock, fault, run, state } = await opened(t);
  const began = clock.now();
  for (;;) {
    const error = await run();
    if (isDiscard(error)) {
      assert.equal(error.message, 'Tried for 24 hours and given up. 452 the last answer');
      break;
    }
    const delay = delayOf(error);
    assert.equal(isSnooze(error) && error.reason, fault.error.message);
    assert.equal(state(), 'queued');
    await clock.advance(delay);
    fault.error = new MailError('452 the last answer', false);
  }
  assert.equal(clock.now() - began, 24 * HOUR, 'the last try is made as the day ends');
  assert.equal(state(), 'failed');
});

test('what the server refuses for good is given up at once, in its own words', async (t) => {
  const { fault, run, state } = await opened(t);
  fault.error = new MailError('550 never', true);
  const error = await run();
  assert.ok(isDiscard(error));
  assert.equal(error.message, '550 never');
  assert.equal(state(), 'failed');
});

test('tried again after it was given up, and sent anew for its pass: each has a day of its own', async (t) => {
  const { it, clock, run, state } = await opened(t);
  assert.equal(delayOf(await run()), 30_000);
  it.db.exec(`UPDATE mails SET created_at = '2026-11-22 07:59:59.000'`);
  assert.ok(isDiscard(await run()), 'the first try was a day ago');
  assert.equal(state(), 'failed');
  assert.equal(delayOf(await run({ attempt: 2 })), 30_000, 'as jobs retry has it');
  await clock.advance(30_000);
  assert.equal(delayOf(await run({ attempt: 2 })), 60_000);
  assert.equal(delayOf(await run({ id: 2 })), 30_000, 'as mail resend has it');
});

test('a supervisor that was off over the weekend gives nothing up at its first try', async (t) => {
  const { clock, run } = await opened(t);
  await run();
  await clock.advance(60 * HOUR);
  assert.equal(delayOf(await run()), 30_000);
});

test('a fault of the code is thrown, and so spends an attempt; with the last one the mail has failed', async (t) => {
  const { fault, run, state } = await opened(t);
  fault.error = new TypeError('odd');
  assert.equal(await run({ attempt: 1 }), fault.error);
  assert.equal(state(), 'queued');
  assert.equal(await run({ attempt: 3 }), fault.error);
  assert.equal(state(), 'failed');
});

test('a link to a new password is waited for as long as it works, and a day at most', async (t) => {
  const { clock, context } = await opened(t);
  const link = { to: 'a@example.edu', reset_link: 'https://x/hush' };
  for (const [id, expires_minutes, tried, words] of [
    [1, undefined, HOUR, '60 minutes'],
    [2, 15, HOUR / 4, '15 minutes'],
    [3, 10_080, 24 * HOUR, '24 hours'],
  ] as const) {
    const began = clock.now();
    const run = () =>
      thrownBy(() => sendPasswordResetEmail.handle({ ...link, expires_minutes }, context({ id })));
    let error = await run();
    while (!isDiscard(error)) {
      await clock.advance(delayOf(error));
      error = await run();
    }
    assert.equal(error.message, `Tried for ${words} and given up. 451 later`);
    assert.equal(clock.now() - began, tried);
  }
});
