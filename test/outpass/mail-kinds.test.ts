/** The kinds of mail about a pass, and the mails about an account. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { simpleParser } from 'mailparser';

import { KEYS } from '../../src/config/keys.ts';
import { type Clock, systemClock } from '../../src/engine/clock.ts';
import type { MailMessage } from '../../src/engine/handler.ts';
import { passChain } from '../../src/outpass/chain.ts';
import { officeJobs } from '../../src/outpass/jobs.ts';
import { tryOffice } from '../tools/attempt.ts';
import { FakeClock } from '../tools/engine.ts';
import { openOffice } from '../tools/office.ts';
import type { TestOffice } from '../tools/office.ts';
import { smtpAnswer, startBreakable, startSmtp } from '../tools/smtp.ts';

/** An office whose pass is approved and has its files. */
async function approved(t: TestContext, clock: Clock = systemClock): Promise<TestOffice> {
  const it = await openOffice(t, undefined, clock);
  await it.write(() => it.office.approvePass(1, 'Dr. Kavitha Raman'));
  for (const { type, payload } of passChain(1).slice(0, 2)) {
    await officeJobs.find((job) => job.type === type)?.handle(payload, it.context());
  }
  return it;
}

/** The message that a job hands to the mailer. */
let lastJob = 0;

async function written(it: TestOffice, type: string, payload: unknown): Promise<MailMessage> {
  const asked: MailMessage[] = [];
  const mail = async (message: MailMessage) => {
    asked.push(message);
    return { messageId: '<a@b>', via: 'smtp', response: '250 OK' } as const;
  };
  const definition = officeJobs.find((job) => job.type === type);
  assert.ok(definition);
  const answer = await definition.schema?.['~standard'].validate(payload);
  assert.equal(answer?.issues, undefined, JSON.stringify(answer?.issues));
  await definition.handle((answer as { value: unknown }).value, it.context({ mail, id: ++lastJob }));
  assert.equal(asked.length, 1);
  return asked[0]!;
}

const complaints = async (type: string, payload: unknown) => {
  const answer = await officeJobs.find((job) => job.type === type)?.schema?.['~standard'].validate(payload);
  return answer?.issues?.map(({ message }) => message) ?? [];
};

/** The words of the HTML, tags and styles gone, as a reader sees them. */
const words = (html: string) =>
  html
    .replace(/<head>[^]*<\/head>/, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ');

/** Every line of the plain text stands in the HTML as well, but for the layout. */
function saysTheSame({ text, html }: MailMessage): void {
  const shown = words(html ?? '');
  for (const line of text.split('\n')) {
    for (const part of line.split(/(?<=^[\w ]+:) +/)) {
      const said = part.trim().replace(/:$/, '');
      if (said !== '' && said !== '--') assert.ok(shown.includes(said), `'${said}' is not in: ${shown}`);
    }
  }
}

test('accepted, the default, and document carry the files; rejected carries the reason alone', async (t) => {
  const it = await approved(t);
  const plain = await written(it, 'SendOutpassEmail', { outpass_id: 1 });
  assert.deepEqual(await written(it, 'SendOutpassEmail', { outpass_id: 1, kind: 'accepted' }), plain);
  assert.match(plain.subject, /^Outpass OP-000001 is approved: Home pass/);
  const document = await written(it, 'SendOutpassEmail', { outpass_id: 1, kind: 'document' });
  assert.match(document.subject, /^Document of outpass OP-000001: Home pass/);
  for (const mail of [plain, document]) {
    assert.deepEqual(
      mail.attachments?.map(({ filename }) => filename),
      ['OP-000001.pdf', 'OP-000001.png'],
    );
    assert.ok(mail.html?.includes(`src="cid:${mail.attachments?.[1]?.cid}"`));
    saysTheSame(mail);
  }
  it.db.exec(
    `UPDATE outpasses SET status = 'rejected', remarks = 'Exams begin.' || char(10) || 'Ask later.'`,
  );
  const rejected = await written(it, 'SendOutpassEmail', { outpass_id: 1, kind: 'rejected' });
  assert.match(rejected.subject, /^Outpass OP-000001 is rejected/);
  assert.match(rejected.text, /^Reason: +Exams begin\.\n +Ask later\.$/m);
  assert.deepEqual(rejected.attachments, []);
  saysTheSame(rejected);
});

test('a mail that no longer fits the pass is given up with the reason', async (t) => {
  const it = await openOffice(t);
  for (const kind of ['accepted', 'document', 'rejected']) {
    const payload = { outpass_id: 1, kind };
    const end = await tryOffice(it, { id: 5, type: 'SendOutpassEmail', payload, attempt: 1 });
    const status = kind === 'rejected' ? 'rejected' : 'approved';
    assert.ok(end.move === 'fail' && end.discarded);
    assert.equal(end.error.message, `Outpass #1 (OP-000001) is pending, not ${status}.`);
  }
  assert.deepEqual(await complaints('SendOutpassEmail', { outpass_id: 1, kind: 'approved' }), [
    'must be one of accepted, rejected and document',
  ]);
});

test('the account mails say what the portal gave, in both forms', async (t) => {
  const it = await openOffice(t);
  const who = { to: 'asha@example.edu', name: 'Asha Verma' };
  const link = 'https://gate.example.edu/x?a=1&b=2';
  const created = await written(it, 'SendAccountCreationEmail', {
    ...who,
    login_url: link,
    default_password: 'tR7<&">\'',
  });
  assert.equal(created.subject, 'Your Passito account is ready');
  assert.match(created.text, /^Your first password: tR7<&">'$/m);
  const bare = await written(it, 'SendAccountCreationEmail', who);
  assert.doesNotMatch(bare.text, /password/);
  const removed = await written(it, 'SendAccountDeletionEmail', { ...who, support_email: 'o@example.edu' });
  assert.match(removed.text, /write to o@example\.edu/);
  const reset = await written(it, 'SendPasswordResetEmail', {
    user_id: 7,
    ...who,
    reset_link: link,
    expires_minutes: 30,
  });
  assert.match(reset.text, /for 30 minutes from/);
  assert.ok(reset.html?.includes('href="https://gate.example.edu/x?a=1&amp;b=2"'));
  assert.ok(!reset.subject.includes(link));
  const nameless = await written(it, 'SendPasswordResetEmail', { to: who.to, reset_link: link });
  assert.match(nameless.text, /^Hello,\n[^]*for 60 minutes from/);
  for (const mail of [created, bare, removed, reset, nameless]) {
    assert.equal(mail.to, who.to);
    assert.equal(mail.attachments, undefined);
    saysTheSame(mail);
  }
});

test('what could break out of a header, or run something, is refused at dispatch, and not repeated', async () => {
  const who = { to: 'a@example.edu', name: 'Asha' };
  const secret = 'javascript:alert("hush")';
  for (const [type, payload] of [
    ['SendAccountCreationEmail', { ...who, to: 'a@example.edu\r\nBcc: x@y.z' }],
    ['SendAccountCreationEmail', { ...who, to: 'a@example.edu, x@y.z' }],
    ['SendAccountCreationEmail', { ...who, name: 'Asha\nBcc: x@y.z' }],
    ['SendAccountCreationEmail', { ...who, login_url: secret }],
    ['SendAccountCreationEmail', { ...who, default_password: 'hush\nX' }],
    ['SendAccountCreationEmail', { ...who, default_password: { path: '/etc/passwd' } }],
    ['SendAccountDeletionEmail', { to: who.to }],
    ['SendPasswordResetEmail', { ...who, reset_link: secret }],
    ['SendPasswordResetEmail', { ...who, reset_link: 'https://x/" onclick="hush' }],
    ['SendPasswordResetEmail', { ...who, reset_link: 'https://x/y', expires_minutes: 0 }],
  ] as const) {
    const said = await complaints(type, payload);
    assert.equal(said.length > 0, true, JSON.stringify(payload));
    assert.ok(!said.join().includes('hush'), said.join());
  }
});

test('all mails at once leave workers of the default pool to other jobs', () => {
  const mails = officeJobs.filter(({ type = '' }) => type.endsWith('Email'));
  assert.equal(mails.length, 4);
  const most = mails.reduce((sum, { concurrency = Infinity }) => sum + concurrency, 0);
  assert.ok(most < Number(KEYS.maxWorkers.fallback()), String(most));
});

test('the secrets of account mails are named for masking and dropping, and stay out of what is kept', async (t) => {
  const redacted = officeJobs
    .map(({ type, redact = [] }) => [type, ...redact])
    .filter((one) => one.length > 1);
  assert.deepEqual(redacted, [
    ['SendAccountCreationEmail', 'default_password'],
    ['SendPasswordResetEmail', 'reset_link'],
  ]);
  const it = await openOffice(t);
  const payload = { to: 'a@example.edu', reset_link: 'https://x/hush' };
  const job = { id: 9, type: 'SendPasswordResetEmail', payload, attempt: 1 };
  const smtp = await startSmtp(t, {
    onRcptTo: (_to, _session, done) => done(smtpAnswer(450, 'busy')),
  });
  const waits = await tryOffice(it, job, { host: '127.0.0.1', port: smtp.port });
  assert.ok(waits.move === 'release' && waits.error !== undefined);
  assert.ok(!JSON.stringify(waits).includes('hush'));
  assert.ok(!JSON.stringify(await tryOffice(it, job)).includes('hush'));
});

test('names and values with line breaks or markup stay values, in every mail about a pass', async (t) => {
  const it = await approved(t);
  const evil = '"><script>alert(1)</script>\r\nBcc: x@y.z\r\n\r\n-- \r\n<b>';
  it.db.prepare('UPDATE students SET name = ?').run(evil);
  it.db
    .prepare('UPDATE outpasses SET kind = ?, destination = ?, purpose = ?, remarks = ?')
    .run(evil, evil, evil, evil);
  const smtp = await startSmtp(t);
  const server = { host: '127.0.0.1', port: smtp.port };
  for (const kind of ['accepted', 'rejected']) {
    it.db.prepare('UPDATE outpasses SET status = ?').run(kind === 'rejected' ? kind : 'approved');
    const payload = { outpass_id: 1, kind };
    // A changed pass needs its files anew; what is of interest here is the mail.
    if (kind === 'accepted') {
      for (const { type } of passChain(1).slice(0, 2)) {
        await officeJobs.find((job) => job.type === type)?.handle({ outpass_id: 1 }, it.context());
      }
    }
    const id = kind === 'rejected' ? 2 : 1;
    const end = await tryOffice(it, { id, type: 'SendOutpassEmail', payload, attempt: 1 }, server);
    assert.equal(end.move, 'complete', JSON.stringify(end));
  }
  assert.equal(smtp.mails.length, 2);
  for (const source of smtp.mails) {
    const mail = await simpleParser(source);
    assert.equal(mail.headers.has('bcc'), false);
    assert.ok(mail.html && !/<script|<b>/.test(mail.html));
    assert.equal(mail.text?.match(/^-- $/gm)?.length, 1);
    assert.equal(mail.text?.match(/^Bcc:/gm), null);
  }
});

test('an address with a line break in the records is given up, and nothing is sent', async (t) => {
  const it = await approved(t);
  it.db.prepare('UPDATE students SET email = ?').run('a@example.edu\r\nRCPT TO:<x@y.z>');
  const smtp = await startSmtp(t);
  const job = { id: 1, type: 'SendOutpassEmail', payload: { outpass_id: 1 }, attempt: 1 };
  const end = await tryOffice(it, job, { host: '127.0.0.1', port: smtp.port });
  assert.ok(end.move === 'fail' && end.discarded);
  assert.match(end.error.message, /^The mail cannot be sent: the recipient holds a line break/);
  assert.equal(smtp.mails.length, 0);
});

test('a document outside the files folder, named by the records, is not sent', async (t) => {
  const it = await approved(t);
  it.db.prepare('UPDATE outpasses SET document_path = ?').run('../../../../etc/passwd');
  const job = { id: 1, type: 'SendOutpassEmail', payload: { outpass_id: 1 }, attempt: 1 };
  const end = await tryOffice(it, job);
  assert.ok(end.move === 'fail' && end.discarded);
  assert.match(end.error.message, /lies outside the files folder|does not exist in the files folder/);
});

test('greylisted, then cut off, then taken: the job waits longer each time and one mail arrives', async (t) => {
  const clock = new FakeClock();
  const it = await approved(t, clock);
  let met = 0;
  const smtp = await startSmtp(t, {
    disabledCommands: ['STARTTLS'],
    onRcptTo: (_to, _session, done) => done(met++ === 0 ? smtpAnswer(451, 'greylisted') : undefined),
  });
  const cut = await startBreakable(t, smtp.port, ({ sent }) => sent.length > 5000);
  const job = { id: 12, type: 'SendOutpassEmail', payload: { outpass_id: 1 } };
  const at = (port: number) => tryOffice(it, { ...job, attempt: 1 }, { host: '127.0.0.1', port });

  const first = await at(smtp.port);
  assert.ok(first.move === 'release');
  assert.equal(first.delay, 30_000);
  assert.equal(first.error?.message, `The mail server 127.0.0.1:${smtp.port} answered: 451 greylisted`);
  await clock.advance(first.delay);
  const second = await at(cut);
  assert.ok(second.move === 'release');
  assert.equal(second.delay, 60_000);
  assert.match(
    second.error?.message ?? '',
    new RegExp(`^The mail server 127.0.0.1:${cut} cannot be used: [^(]+$`),
  );
  await clock.advance(second.delay);
  const third = await at(smtp.port);
  assert.ok(third.move === 'complete');
  assert.deepEqual(Object.keys(JSON.parse(third.result ?? '') as object), ['message_id', 'via', 'response']);
  assert.equal(smtp.mails.length, 1);
  assert.equal((await simpleParser(smtp.mails[0]!)).messageId, '<passito.12.1@x.passito>');
});

test('a refusal for good ends the job at once, with the server’s words alone', async (t) => {
  const it = await approved(t);
  const smtp = await startSmtp(t, {
    onData: (stream, _session, done) => {
      stream.resume();
      stream.on('end', () => done(smtpAnswer(554, 'looks like spam')));
    },
  });
  const job = { id: 1, type: 'SendOutpassEmail', payload: { outpass_id: 1 }, attempt: 1 };
  const end = await tryOffice(it, job, { host: '127.0.0.1', port: smtp.port });
  assert.ok(end.move === 'fail' && end.discarded);
  assert.match(end.error.message, /answered: 554 looks like spam$/);
});

test('while the login is refused the mail waits with that reason, and is sent once it is mended', async (t) => {
  const clock = new FakeClock();
  const it = await approved(t, clock);
  const smtp = await startSmtp(t, {
    onAuth: ({ password }, _session, done) =>
      password === 'right' ? done(null, { user: 'u' }) : done(smtpAnswer(535, 'bad login')),
  });
  const job = { id: 1, type: 'SendOutpassEmail', payload: { outpass_id: 1 }, attempt: 1 };
  const by = (password: string) =>
    tryOffice(it, job, { host: '127.0.0.1', port: smtp.port, user: 'u', password });
  const state = () => it.db.prepare('SELECT state, response FROM mails').raw().get();
  const first = await by('hush');
  assert.ok(first.move === 'release');
  assert.equal(first.delay, 30_000);
  assert.match(first.error?.message ?? '', /answered: 535 bad login \(SMTP_USER and SMTP_PASS .*\)$/);
  assert.ok(!JSON.stringify(first).includes('hush'));
  assert.deepEqual(state(), ['queued', first.error?.message]);
  await clock.advance(first.delay);
  assert.equal((await by('right')).move, 'complete');
  assert.equal(smtp.mails.length, 1);
});
