import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { simpleParser } from 'mailparser';

import { createMailer } from '../../src/edge/mail.ts';
import { isDiscard } from '../../src/engine/handler.ts';
import { passChain } from '../../src/outpass/chain.ts';
import { officeJobs } from '../../src/outpass/jobs.ts';
import { generateQrCode } from '../../src/outpass/jobs/generate-qr-code.ts';
import { sendOutpassEmail } from '../../src/outpass/jobs/send-outpass-email.ts';
import { openOffice } from '../tools/office.ts';
import type { TestOffice } from '../tools/office.ts';
import { startSmtp } from '../tools/smtp.ts';

const payload = { outpass_id: 1 };

/** Approves the pass and runs its chain, up to the mail. */
async function runChain(it: TestOffice, mail: Parameters<TestOffice['context']>[0]): Promise<unknown> {
  await it.write(() => it.office.approvePass(1, 'Dr. Kavitha Raman'));
  let result: unknown;
  for (const job of passChain(1)) {
    const definition = officeJobs.find(({ type }) => type === job.type);
    assert.ok(definition, job.type);
    result = await (definition as typeof generateQrCode).handle(job.payload, it.context(mail));
  }
  return result;
}

function mailerFor(it: TestOffice, port: number) {
  const mailer = createMailer({
    host: '127.0.0.1',
    port,
    from: 'Gate Pass Office <office@example.edu>',
    outbox: path.join(it.folder, 'outbox'),
    filesRoot: it.files,
    hostname: 'gate.example.edu',
  });
  return {
    mail: (message: Parameters<typeof mailer.send>[0]) => mailer.send(message, { messageId: 'job.1@gate' }),
  };
}

test('the whole chain ends with a mail that carries the very document and QR code', async (t) => {
  const it = await openOffice(t);
  const smtp = await startSmtp(t);
  const result = await runChain(it, mailerFor(it, smtp.port));
  assert.deepEqual(Object.keys(result as object), ['message_id', 'via', 'response']);
  assert.equal((result as { message_id: string }).message_id, '<job.1@gate>');
  assert.equal((result as { via: string }).via, 'smtp');
  assert.equal(smtp.mails.length, 1);

  const mail = await simpleParser(smtp.mails[0]!);
  assert.equal(mail.subject, 'Outpass OP-000001 is approved: Home pass, Fri 20 Nov 2026');
  assert.equal(mail.from?.text, '"Gate Pass Office" <office@example.edu>');
  assert.equal([mail.to].flat()[0]?.text, 'arjun@students.example.edu');
  assert.equal(mail.messageId, '<job.1@gate>');
  const pass = await it.office.pass(1);
  const byType = new Map(mail.attachments.map((attachment) => [attachment.contentType, attachment]));
  assert.equal(mail.attachments.length, 2);
  const document = await readFile(path.join(it.files, pass!.files.document!));
  const qr = await readFile(path.join(it.files, pass!.files.qr!));
  assert.deepEqual(byType.get('application/pdf')?.content, document);
  assert.equal(byType.get('application/pdf')?.filename, 'OP-000001.pdf');
  assert.deepEqual(byType.get('image/png')?.content, qr);
  assert.equal(byType.get('image/png')?.filename, 'OP-000001.png');
  for (const text of [mail.text, mail.html || '']) {
    for (const fact of ['Arjun Selvam', 'OP-000001', 'Fri 20 Nov 2026, 6:00 PM', 'Madurai', 'UTC+05:30']) {
      assert.ok(text?.includes(fact), `${fact} is missing in: ${text}`);
    }
  }
});

test('values are escaped in the HTML, and a line break in one cannot reach the subject', async (t) => {
  const it = await openOffice(t);
  const smtp = await startSmtp(t);
  it.db
    .prepare('UPDATE outpasses SET destination = ?, kind = ?')
    .run('<img src=x onerror=a> & "co"', 'Home\r\nBcc: x@y.z');
  await runChain(it, mailerFor(it, smtp.port));
  const mail = await simpleParser(smtp.mails[0]!);
  assert.ok(mail.html && mail.html.includes('&lt;img src=x onerror=a&gt; &amp; &quot;co&quot;'));
  assert.ok(!mail.html.includes('<img src=x'));
  assert.ok(!mail.headers.has('bcc'));
  assert.match(mail.subject ?? '', /Home Bcc: x@y\.z/);
});

test('run twice, it sends one mail, and tells the same of it', async (t) => {
  const it = await openOffice(t);
  const asked: unknown[] = [];
  const mail = async (message: object) => {
    asked.push(message);
    return { messageId: 'passito.1.1@.passito', via: 'smtp', response: '250 OK' } as const;
  };
  const first = await runChain(it, { mail });
  assert.deepEqual(await sendOutpassEmail.handle(payload, it.context({ mail })), first);
  assert.equal(asked.length, 1);
  assert.deepEqual(
    it.db.prepare('SELECT kind, outpass_id, sent_to, state, attempts, response FROM mails').all(),
    [
      {
        kind: 'accepted',
        outpass_id: 1,
        sent_to: 'arjun@students.example.edu',
        state: 'sent',
        attempts: 1,
        response: '250 OK',
      },
    ],
  );
});

test('without its files the mail is given up with the reason', async (t) => {
  const it = await openOffice(t);
  await it.write(() => it.office.approvePass(1, 'x'));
  const run = async () => sendOutpassEmail.handle(payload, it.context());
  await assert.rejects(run, (error) => isDiscard(error) && /has no QR code yet/.test(error.message));
  await generateQrCode.handle(payload, it.context());
  await assert.rejects(
    run,
    (error) => isDiscard(error) && /has no document yet: GenerateOutpassPdf/.test(error.message),
  );
});
