import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { simpleParser } from 'mailparser';

import { createMailer, MailError } from '../../src/edge/mail.ts';
import type { MailSettings } from '../../src/edge/mail.ts';
import type { MailMessage } from '../../src/engine/handler.ts';
import { smtpAnswer, startSmtp } from '../tools/smtp.ts';

const messageId = 'passito.12@gate.example.edu';
const message: MailMessage = { to: 'a@example.edu', subject: 'Größe ✓', text: 'Hello' };

function setUp(t: TestContext, changes: Partial<MailSettings> = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'passito-mail-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const filesRoot = path.join(folder, 'files');
  mkdirSync(filesRoot);
  writeFileSync(path.join(filesRoot, 'a.txt'), 'inside');
  writeFileSync(path.join(folder, 'secret.txt'), 'outside');
  const outbox = path.join(folder, 'outbox');
  const mailer = createMailer({
    from: 'office@example.edu',
    outbox,
    filesRoot,
    hostname: 'gate.example.edu',
    ...changes,
  });
  const send = (extra: Partial<MailMessage> = {}, id = messageId) =>
    mailer.send({ ...message, ...extra }, { messageId: id });
  const fault = async (extra: Partial<MailMessage> = {}, id = messageId) => {
    const error = await send(extra, id).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof MailError, `it was sent, or failed otherwise: ${String(error)}`);
    return error;
  };
  return { folder, filesRoot, outbox, send, fault };
}

test('without a server the mail lands in the outbox, and the receipt says so', async (t) => {
  const { outbox, send } = setUp(t);
  const receipt = await send({ html: '<p>Hello</p>', attachments: [{ filename: 'a.txt', path: 'a.txt' }] });
  assert.equal(receipt.via, 'outbox');
  assert.equal(receipt.messageId, `<${messageId}>`);
  assert.equal(receipt.response, path.join(outbox, `${messageId}.eml`));
  assert.equal((statSync(outbox).mode & 0o777).toString(8), '700');
  assert.equal((statSync(receipt.response).mode & 0o777).toString(8), '600');
  const mail = await simpleParser(await readFile(receipt.response));
  assert.equal(mail.subject, 'Größe ✓');
  assert.equal(mail.text?.trim(), 'Hello');
  assert.equal(mail.html, '<p>Hello</p>');
  assert.equal(mail.messageId, `<${messageId}>`);
  assert.equal(mail.attachments[0]?.content.toString(), 'inside');
});

test('the same mail twice is one file, other ids are others', async (t) => {
  const { outbox, send } = setUp(t);
  await send();
  await send();
  assert.deepEqual(readdirSync(outbox), [`${messageId}.eml`]);
  await send({}, '<a/../b@x>');
  await send({}, '<a_.._b@x>');
  assert.equal(readdirSync(outbox).length, 3);
  assert.ok(readdirSync(outbox).every((name) => name.endsWith('.eml')));
});

test('an outbox that cannot be written is no reason to give up', async (t) => {
  const { outbox, fault } = setUp(t);
  writeFileSync(outbox, 'a file');
  const error = await fault();
  assert.equal(error.permanent, false);
  assert.match(error.message, /^The outbox .* cannot be written/);
});

test('a server’s answer stands in the receipt', async (t) => {
  const smtp = await startSmtp(t);
  const { send } = setUp(t, {
    host: '127.0.0.1',
    port: smtp.port,
    from: 'Office, Main <office@example.edu>',
  });
  const receipt = await send({ to: ['a@example.edu', 'Bea <b@example.edu>'] });
  assert.equal(receipt.via, 'smtp');
  assert.match(receipt.response, /^250 /);
  const mail = await simpleParser(smtp.mails[0]!);
  assert.equal(mail.from?.value[0]?.name, 'Office, Main');
  assert.deepEqual(
    [mail.to].flat()[0]?.value.map(({ address }) => address),
    ['a@example.edu', 'b@example.edu'],
  );
});

test('STARTTLS is used where a server offers it, and not missed where it does not', async (t) => {
  const offering = await startSmtp(t);
  await setUp(t, { host: '127.0.0.1', port: offering.port }).send();
  assert.deepEqual(offering.encrypted, [true]);
  const plain = await startSmtp(t, { disabledCommands: ['STARTTLS'] });
  await setUp(t, { host: '127.0.0.1', port: plain.port }).send();
  assert.deepEqual(plain.encrypted, [false]);
});

test('user and password are used where they are set', async (t) => {
  const smtp = await startSmtp(t, {
    authOptional: false,
    onAuth: ({ username, password }, _session, done) =>
      username === 'u' && password === 'p'
        ? done(null, { user: 'u' })
        : done(smtpAnswer(535, 'no such user')),
  });
  const server = { host: '127.0.0.1', port: smtp.port, user: 'u' };
  assert.equal((await setUp(t, { ...server, password: 'p' }).send()).via, 'smtp');
  const error = await setUp(t, { ...server, password: 'hush' }).fault();
  assert.equal(error.permanent, false);
  assert.match(error.message, /535/);
  assert.ok(!error.message.includes('hush'));
});

test('500 and above is final and tells the server’s words; 400 and above is not', async (t) => {
  const refusing = (code: number, text: string) =>
    startSmtp(t, { onRcptTo: (_address, _session, done) => done(smtpAnswer(code, text)) });
  const gone = await refusing(550, 'no such mailbox');
  const error = await setUp(t, { host: '127.0.0.1', port: gone.port }).fault();
  assert.equal(error.permanent, true);
  assert.equal(error.message, `The mail server 127.0.0.1:${gone.port} answered: 550 no such mailbox`);
  const busy = await refusing(451, 'try later');
  const later = await setUp(t, { host: '127.0.0.1', port: busy.port }).fault();
  assert.equal(later.permanent, false);
  assert.match(later.message, /451 try later/);
});

test('a server that takes some recipients only is said in the receipt', async (t) => {
  const smtp = await startSmtp(t, {
    onRcptTo: ({ address }, _session, done) =>
      address.startsWith('b') ? done(smtpAnswer(550, 'unknown')) : done(),
  });
  const { send } = setUp(t, { host: '127.0.0.1', port: smtp.port });
  const { response } = await send({ to: ['a@example.edu', 'b@example.edu'] });
  assert.match(response, /^250 .*refused for some recipients: .*550 unknown/);
});

test('a refused connection and one that breaks off are tried again', async (t) => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  assert.equal((await setUp(t, { host: '127.0.0.1', port }).fault()).permanent, false);
  await new Promise((resolve) => {
    server.close(resolve);
  });
  const error = await setUp(t, { host: '127.0.0.1', port }).fault();
  assert.equal(error.permanent, false);
  assert.match(
    error.message,
    new RegExp(`^The mail server 127.0.0.1:${port} cannot be used: .*ECONNREFUSED`),
  );
});

test('line breaks in header fields are refused before anything is written', async (t) => {
  const { outbox, fault } = setUp(t);
  const cases: Partial<MailMessage>[] = [
    { subject: 'Hi\r\nBcc: x@example.com' },
    { subject: 'Hi\nBcc: x@example.com' },
    { to: 'a@example.edu\r\nBcc: x@example.com' },
    { to: 'Name\n <a@example.edu>' },
    { attachments: [{ filename: 'a\r\nX: y', content: Buffer.from('x') }] },
    { attachments: [{ filename: 'a', content: Buffer.from('x'), contentType: 'a/b\r\nX: y' }] },
    { attachments: [{ filename: 'a', content: Buffer.from('x'), cid: 'a\nb' }] },
  ];
  for (const extra of cases) {
    const error = await fault(extra);
    assert.equal(error.permanent, true);
    assert.match(error.message, /holds a line break/);
  }
  assert.match((await fault({}, 'a@b\r\nX: y')).message, /holds a line break/);
  assert.throws(() => statSync(outbox));
});

test('what is not one address is refused and named', async (t) => {
  const { fault } = setUp(t);
  const bad = [
    '',
    'nobody',
    'a@',
    '@b',
    'a@b, c@d',
    'a@b;c@d',
    'a b@c',
    'a@b@c',
    'a@b..c',
    'a@-',
    'x <a@b> <c@d>',
    'a@b>',
  ];
  for (const to of bad) {
    const error = await fault({ to });
    assert.ok(
      error.permanent && error.message.includes(`${JSON.stringify(to)} is not a mail address`),
      error.message,
    );
  }
  assert.match((await fault({ to: [] })).message, /it has no recipient/);
  assert.match((await setUp(t, { from: 'nobody' }).fault()).message, /the sender \(MAILER_FROM\) "nobody"/);
});

test('attachments must lie below the files folder, by their real path', async (t) => {
  const { folder, filesRoot, send, fault } = setUp(t);
  symlinkSync(path.join(folder, 'secret.txt'), path.join(filesRoot, 'link.txt'));
  symlinkSync(folder, path.join(filesRoot, 'up'));
  const attach = (name: string) => ({ attachments: [{ filename: 'x', path: name }] });
  for (const name of [
    '../secret.txt',
    path.join(folder, 'secret.txt'),
    'link.txt',
    'up/secret.txt',
    '/etc/passwd',
    '.',
  ]) {
    const error = await fault(attach(name));
    assert.equal(
      error.message,
      `The mail cannot be sent: the attachment ${name} lies outside the files folder.`,
    );
    assert.equal(error.permanent, true);
  }
  assert.match((await fault(attach('absent.txt'))).message, /absent\.txt does not exist in the files folder/);
  assert.match((await fault(attach('http://127.0.0.1/x'))).message, /does not exist in the files folder/);
  assert.match((await fault({ attachments: [{ filename: 'x' }] })).message, /neither a path nor content/);
  assert.equal((await send(attach(path.join(filesRoot, 'a.txt')))).via, 'outbox');
});
