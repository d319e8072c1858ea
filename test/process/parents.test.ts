/** Asking a parent through the executable: the SMS, the page, the answer, and what follows from it. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { type Daemon, Site } from '../tools/daemon.ts';
import { refuseSms, startTwilio, type TestTwilio } from '../tools/twilio.ts';

type Ends = { after: (clean: () => Promise<void> | void) => void };

/** One student with a pass of tomorrow, number 1. */
async function campus(t: Ends, env: Record<string, string> = {}) {
  const twilio = await startTwilio(t);
  const here = new Site((clean) => t.after(clean), {
    APP_URL: 'https://gate.example.edu/',
    PASSITO_TWILIO_URL: twilio.url,
    TWILIO_SID: 'AC1',
    TWILIO_AUTH_TOKEN: 'hush-hush',
    TWILIO_FROM: '+15005550006',
    TWILIO_VERIFICATION_MESSAGE: 'Namaste! {student_name}: {purpose} → {verification_link}',
    ...env,
  });
  here.write(
    'students.csv',
    'name,email,roll_number,hostel,parent_phone,parent_email\nAsha Verma,asha@example.edu,21CS001,Ganga,098400-12345,parent@example.in\n',
  );
  await here.ok('import', 'students', 'students.csv');
  const time = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 16) + 'Z';
  const create = ['outpass', 'create', '--student', '21CS001', '--kind', 'Home pass', '--purpose', 'Wedding'];
  await here.ok(
    ...create,
    '--destination',
    'Madurai',
    '--out',
    time(1),
    '--in',
    time(3),
    '--reference',
    'OP-1',
  );
  return { here, twilio };
}

/** Starts a supervisor whose page listens on a port of its own. */
async function served(here: Site): Promise<{ daemon: Daemon; base: string }> {
  const daemon = await here.start(['--public', '127.0.0.1:0']);
  const line = await daemon.line(/the parents' page is served/);
  return { daemon, base: `http://${/address=(\S+)/.exec(line)![1]!}` };
}

function linkOf(twilio: TestTwilio): string {
  const [, path] = /https:\/\/gate\.example\.edu(\/parent\/[\w-]{22})$/.exec(twilio.asked[0]!.body) ?? [];
  assert.ok(path !== undefined, twilio.asked[0]!.body);
  return path;
}

const post = (url: string, decision: string) =>
  fetch(url, { method: 'POST', body: new URLSearchParams({ decision }) });

describe('a parent is asked', { concurrency: 2 }, () => {
  it('by SMS; a scanner that opens the link changes nothing; the answer counts once', async (t) => {
    const { here, twilio } = await campus(t);
    const { daemon, base } = await served(here);
    await here.ok('dispatch', 'SendParentApproval', '--payload', '{"outpass_id":1}', '--wait', '20s');
    assert.deepEqual([twilio.asked[0]?.to, twilio.asked[0]?.from], ['+919840012345', '+15005550006']);
    assert.match(twilio.asked[0]!.body, /^Namaste! Asha Verma: Wedding → /);
    const link = base + linkOf(twilio);

    const shown = await fetch(link);
    const html = await shown.text();
    assert.equal(shown.status, 200);
    for (const words of ['Asha Verma', '21CS001', 'Madurai', 'Wedding', 'Yes, I allow it']) {
      assert.ok(html.includes(words), words);
    }
    await fetch(link, { method: 'HEAD' });
    assert.equal(here.value('SELECT status FROM outpasses'), 'parent_pending');

    const said = await post(link, 'approve');
    assert.deepEqual([said.status, (await said.text()).includes('You said yes')], [200, true]);
    assert.equal(here.value('SELECT status FROM outpasses'), 'parent_approved');
    const again = await post(link, 'deny');
    assert.equal(again.status, 410);
    assert.equal(here.value('SELECT status FROM outpasses'), 'parent_approved');
    assert.equal((await fetch(link)).status, 410);
    assert.equal((await fetch(`${base}/parent/${'A'.repeat(22)}`)).status, 404);

    assert.equal(here.value('SELECT count(*) FROM jobs'), 1, 'a warden decides next');
    assert.match(await here.ok('outpass', 'show', 'OP-1'), /Parent +SMS to \+919840012345, .*; said yes, /);
    const { parent } = await here.json<{ parent: { decision: string; channel: string }[] }>(
      'outpass',
      'show',
      'OP-1',
    );
    assert.deepEqual(
      parent.map(({ decision, channel }) => [channel, decision]),
      [['sms', 'parent_approved']],
    );
    await daemon.line(/a parent answered.*outpass=OP-1/);
    assert.doesNotMatch(daemon.log, /hush-hush/);
    assert.ok(!daemon.log.includes(link.split('/').at(-1)!), 'the link stays out of the log');
    assert.equal((await daemon.stop()).code, 0);
  });

  it('where a yes is enough, it approves the pass and the chain follows; a no ends it', async (t) => {
    const { here, twilio } = await campus(t, { PASSITO_PARENT_APPROVES: 'yes' });
    const { base } = await served(here);
    await here.ok(
      'dispatch',
      'SendParentApproval',
      '--payload',
      '{"outpass_id":1,"channel":"sms"}',
      '--wait',
      '20s',
    );
    const said = await post(base + linkOf(twilio), 'approve');
    assert.equal(said.status, 200);
    await here.drained();
    const pass = await here.json<{ status: string; approved_by: string; document_path: string }>(
      'outpass',
      'show',
      'OP-1',
    );
    assert.deepEqual([pass.status, pass.approved_by], ['approved', 'the parent']);
    assert.deepEqual(
      [1, 2, 3, 4].map((id) => here.status(id)),
      Array.from({ length: 4 }, () => 'completed'),
    );
    assert.ok(pass.document_path !== null);
  });

  it('by mail where that is wanted; the link outlives a kill -9', async (t) => {
    const { here } = await campus(t);
    const first = await served(here);
    await here.ok(
      'dispatch',
      'SendParentApproval',
      '--payload',
      '{"outpass_id":1,"channel":"mail"}',
      '--wait',
      '20s',
    );
    await first.daemon.kill();
    const [name] = readdirSync(here.path('outbox'));
    const mail = readFileSync(here.path('outbox', name!), 'utf8');
    const [, path] = /gate\.example\.edu(\/parent\/[\w-]{22})/.exec(mail.replaceAll('=\r\n', '')) ?? [];
    const { base } = await served(here);
    assert.equal((await post(base + path, 'deny')).status, 200);
    assert.equal(here.value('SELECT status FROM outpasses'), 'parent_denied');
    assert.match(await here.ok('mail', 'show', '1'), /parent_approval/);
    const resent = await here.run(['mail', 'resend', '1']);
    assert.equal(resent.code, 0);
    await here.drained();
    assert.match(
      String(here.value('SELECT last_error FROM jobs ORDER BY id DESC LIMIT 1')),
      /the pass is parent_denied/,
    );
  });

  it('a number that Twilio refuses for good: the pass says that it could not be sent', async (t) => {
    const { here, twilio } = await campus(t);
    twilio.answer = (response) => refuseSms(response, 400, 21_211, "Invalid 'To' phone number");
    await served(here);
    const ask = ['dispatch', 'SendParentApproval', '--payload', '{"outpass_id":1}', '--wait', '20s'];
    assert.equal((await here.run(ask)).code, 1);
    const shown = await here.ok('outpass', 'show', 'OP-1');
    assert.match(shown, /Parent +SMS to \+919840012345 could not be sent: .*Invalid 'To' phone number.*\.\n/);
    assert.doesNotMatch(shown, /not sent yet|no answer/);
    const { parent } = await here.json<{ parent: { unsent: string | null }[] }>('outpass', 'show', 'OP-1');
    assert.match(parent[0]?.unsent ?? '', /Invalid 'To' phone number/);
    twilio.answer = undefined;
    await here.ok('jobs', 'retry', '1');
    await here.reaches(1, 'completed');
    assert.match(await here.ok('outpass', 'show', 'OP-1'), /Parent +SMS to \S+, .*; no answer \(until /);
  });

  it('not without a public address: the job says what to set', async (t) => {
    const { here, twilio } = await campus(t);
    await here.start();
    const { code, stderr } = await here.run([
      'dispatch',
      'SendParentApproval',
      '--payload',
      '{"outpass_id":1}',
      '--wait',
      '20s',
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /no public address.*--public ADDR/);
    assert.equal(twilio.asked.length, 0);
    assert.equal(here.value('SELECT status FROM outpasses'), 'pending');
  });

  it('an address that is taken stops the start with one line', async (t) => {
    const { here } = await campus(t);
    const { base } = await served(here);
    const { code, stderr } = await here.run(['supervisor', '--public', base.slice('http://'.length)]);
    assert.equal(code, 3);
    assert.match(
      stderr,
      /The parents' page cannot be served on 127\.0\.0\.1:\d+: another program listens there already\./,
    );
    assert.equal(here.value('SELECT count(*) FROM processes'), 1, 'no trace of the second');
  });
});
