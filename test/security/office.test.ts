/** The office's own edges: tokens at the gate, names of files, what is printed and what is mailed, with whatever may stand in them. */

import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { createMailer, MailError } from '../../src/edge/mail.ts';
import { cleanupExpiredFiles } from '../../src/outpass/jobs/cleanup-expired-files.ts';
import { generateOutpassPdf } from '../../src/outpass/jobs/generate-outpass-pdf.ts';
import { generateQrCode } from '../../src/outpass/jobs/generate-qr-code.ts';
import { downloadName } from '../../src/outpass/files.ts';
import { keyIdOf } from '../../src/outpass/keys.ts';
import { signToken, verifyToken } from '../../src/outpass/token.ts';
import { jobFiles } from '../../src/runner/files.ts';
import { nasty } from '../tools/nasty.ts';
import { openOffice } from '../tools/office.ts';
import { readPdf } from '../tools/pdf.ts';
import { temporaryFolder } from '../tools/store.ts';

describe('tokens of passes', () => {
  const pair = () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { key: { keyId: keyIdOf(publicKey), privateKeyPem }, publicKey };
  };
  const { key, publicKey } = pair();
  const keys = new Map([[key.keyId, publicKey]]);
  const claims = { pass: 7, ref: 'OP-7', roll: '1', kind: 'Home', nbf: 1000, exp: 2000, jti: 'abc' };
  const token = signToken(claims, key);
  const [head = '', body = '', signature = ''] = token.split('.');
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const holds = (text: string) => verifyToken(text, keys, 1_500_000).valid;

  it('hold whole, and with no letter changed, left out or put in anywhere', () => {
    assert.ok(holds(token));
    const letters = fc.constantFrom(...'ABCxyz019-_.=+/ \0\n'.split(''));
    fc.assert(
      fc.property(fc.nat(token.length - 1), letters, fc.nat(2), (at, letter, how) => {
        const changed = token.slice(0, at) + (how === 1 ? '' : letter) + token.slice(how === 2 ? at : at + 1);
        fc.pre(changed.trim() !== token);
        assert.ok(!holds(changed), changed);
      }),
      { numRuns: 2000 },
    );
    for (let length = 0; length < token.length; length += 1) assert.ok(!holds(token.slice(0, length)));
  });

  it('hold under no other algorithm or key, whatever the head says', () => {
    const pem = createPublicKey(key.privateKeyPem).export({ type: 'spki', format: 'pem' });
    const der = createPublicKey(key.privateKeyPem).export({ type: 'spki', format: 'der' });
    const mac = (secret: string | Buffer, text: string) =>
      createHmac('sha256', secret).update(text).digest('base64url');
    for (const alg of [
      'none',
      'None',
      'NONE',
      '',
      null,
      'HS256',
      'HS512',
      'RS256',
      'ES256',
      'eddsa',
      ['EdDSA'],
      undefined,
    ]) {
      const forged = `${encoded({ alg, kid: key.keyId, typ: 'JWT' })}.${encoded({ ...claims, exp: 9_999_999_999 })}`;
      for (const end of ['', signature, mac(pem, forged), mac(der, forged), mac('', forged)]) {
        assert.ok(!holds(`${forged}.${end}`), `${String(alg)} ${end}`);
      }
    }
    const stranger = pair().key;
    for (const kid of [
      key.keyId,
      stranger.keyId,
      '../../etc/passwd',
      '__proto__',
      'constructor',
      '',
      0,
      null,
      {},
      [key.keyId],
    ]) {
      assert.ok(!holds(signToken(claims, { ...stranger, keyId: kid as string })), JSON.stringify(kid));
    }
    // Another's words under this one's signature.
    assert.ok(!holds(`${head}.${encoded({ ...claims, pass: 8 })}.${signature}`));
    assert.ok(!holds(`${encoded({ alg: 'EdDSA', kid: key.keyId, typ: 'JWT', x: 1 })}.${body}.${signature}`));
    assert.ok(!holds(`${head}.${body}.${'A'.repeat(86)}`));
    assert.ok(!holds(`${token}${'A'.repeat(10_000)}`));
  });

  it('no text makes the reader fail', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          nasty,
          fc
            .tuple(fc.json(), fc.json(), nasty)
            .map(
              ([a, b, c]) =>
                `${Buffer.from(a).toString('base64url')}.${Buffer.from(b).toString('base64url')}.${c}`,
            ),
        ),
        (text) => {
          assert.ok(!holds(text));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('names of files', () => {
  it('stay in the files folder, whatever they are', async (t) => {
    const folder = temporaryFolder(t);
    const root = join(folder, 'files');
    mkdirSync(root);
    writeFileSync(join(folder, 'secret'), 'precious');
    mkdirSync(join(folder, 'outside'));
    symlinkSync(join(folder, 'outside'), join(root, 'a'));
    const files = jobFiles(root, '1');
    await fc.assert(
      fc.asyncProperty(nasty, async (name) => {
        try {
          assert.ok(files.path(name).startsWith(root + sep) || files.path(name) === root, name);
        } catch (error) {
          assert.match(String(error), /is not a name inside the files folder/);
        }
        await files.remove(name).catch(() => undefined);
        await files.size(name).catch(() => undefined);
      }),
      { numRuns: 1000 },
    );
    assert.equal(readFileSync(join(folder, 'secret'), 'utf8'), 'precious');
    assert.deepEqual(readdirSync(folder).toSorted(), ['files', 'outside', 'secret']);
    assert.ok(readdirSync(root).includes('a'), 'a link is nobody’s file');
  });

  it('a clean-up removes nothing outside, whatever the records name', async (t) => {
    const opened = await openOffice(t);
    writeFileSync(join(opened.folder, 'secret'), 'precious');
    mkdirSync(join(opened.folder, 'outside'));
    writeFileSync(join(opened.folder, 'outside', 'b.txt'), 'precious');
    symlinkSync(join(opened.folder, 'outside'), join(opened.files, 'a'));
    const over = opened.db.prepare(
      `UPDATE outpasses SET status = 'approved', leaves_at = '2026-01-01 00:00:00.000', returns_at = '2026-01-02 00:00:00.000',
              qr_path = ?, document_path = ?, attachments = ? WHERE id = 1`,
    );
    const json = fc.array(
      fc.oneof(nasty, fc.integer(), fc.constant(null), fc.constant({ path: '../secret' })),
      { maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(nasty, nasty, json, async (qr, document, attachments) => {
        over.run(qr, document, JSON.stringify(attachments));
        await cleanupExpiredFiles.handle({}, opened.context());
      }),
      { numRuns: 200 },
    );
    assert.equal(readFileSync(join(opened.folder, 'secret'), 'utf8'), 'precious');
    assert.equal(readFileSync(join(opened.folder, 'outside', 'b.txt'), 'utf8'), 'precious');
  });

  it('of downloads hold letters, digits, hyphens and underscores alone', () => {
    fc.assert(fc.property(nasty, (text) => assert.match(downloadName(text, 'pdf'), /^[\w-]+\.pdf$/)));
  });
});

describe('gate passes', () => {
  it('are one page with nothing in it that acts, whatever a student wrote', async (t) => {
    const office = await openOffice(t);
    await office.write(() => office.office.approvePass(1, 'Dr. Rao', Date.UTC(2026, 10, 19)));
    const pass = office.db.prepare(
      'UPDATE outpasses SET purpose = ?, destination = ?, kind = substr(?, 1, 60), remarks = ?, approved_by = ? WHERE id = 1',
    );
    const student = office.db.prepare('UPDATE students SET name = ?, programme = ?, room = ? WHERE id = 1');
    const inPdf = fc.oneof(
      nasty,
      fc.constantFrom(
        ') Tj /URI (http://evil)',
        '>> /AA << /JS (x) >>',
        'endstream endobj 1 0 obj',
        '\\) \\(',
        '%%EOF',
      ),
    );
    const text = fc.tuple(inPdf, nasty).map(([a, b]) => `x${a}${b}`);
    await fc.assert(
      fc.asyncProperty(text, text, text, async (a, b, c) => {
        pass.run(a, b, c, a, b);
        student.run(c, a, b);
        await generateQrCode.handle({ outpass_id: 1 }, office.context());
        const { path } = (await generateOutpassPdf.handle({ outpass_id: 1 }, office.context())) as {
          path: string;
        };
        const bytes = readFileSync(join(office.files, path));
        const raw = bytes.toString('latin1').replaceAll(/stream\r?\n[^]*?endstream/g, '');
        assert.doesNotMatch(
          raw,
          /\/(URI|JavaScript|JS|Launch|EmbeddedFile|AA|OpenAction|GoToR|SubmitForm)\b/,
        );
        assert.equal((await readPdf(bytes)).pages, 1);
      }),
      { numRuns: 15 },
    );
    assert.deepEqual(readdirSync(office.files).toSorted(), ['documents', 'qr']);
  });
});

describe('mails', () => {
  const HEADERS = new Set([
    'from',
    'to',
    'subject',
    'message-id',
    'date',
    'mime-version',
    'content-type',
    'content-transfer-encoding',
    'auto-submitted',
  ]);

  it('have the headers and recipients that they were given, and no other', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'files'));
    writeFileSync(join(folder, 'secret'), 'precious');
    const mailer = createMailer({
      from: 'office@example.edu',
      outbox: join(folder, 'outbox'),
      filesRoot: join(folder, 'files'),
      hostname: 'x',
    });
    let sent = 0;
    const inject = fc.oneof(
      nasty,
      nasty.map((text) => `${text}\r\nBcc: evil@example.com\r\n\r\n${text}`),
      nasty.map((text) => `a\nBcc: evil@example.com${text}`),
    );
    const to = fc.oneof(
      fc.constant('a@example.edu'),
      inject.map((text) => `${text} <a@example.edu>`),
      inject,
      fc.constant('a@example.edu, evil@example.com'),
    );
    await fc.assert(
      fc.asyncProperty(
        inject,
        to,
        inject,
        inject,
        inject,
        async (subject, recipient, text, html, filename) => {
          let file: string;
          try {
            const attachments = [
              { filename, content: Buffer.from('x'), contentType: filename },
              ...(filename.length % 2 === 0 ? [] : [{ filename: 'x', path: filename }]),
            ];
            file = (
              await mailer.send({ to: recipient, subject, text, html, attachments }, { messageId: 'a@b' })
            ).response;
          } catch (error) {
            assert.ok(error instanceof MailError, String(error));
            return;
          }
          sent += 1;
          const raw = readFileSync(file);
          const mail = await simpleParser(raw);
          for (const { key: name } of mail.headerLines) assert.ok(HEADERS.has(name), name);
          assert.equal(new Set(mail.headerLines.map(({ key: name }) => name)).size, mail.headerLines.length);
          assert.deepEqual(
            (mail.to as { value: { address?: string }[] }).value.map(({ address }) => address),
            ['a@example.edu'],
          );
          assert.equal(mail.cc ?? mail.bcc, undefined);
          assert.ok(!raw.includes('precious') && !raw.includes(Buffer.from('precious').toString('base64')));
        },
      ),
      { numRuns: 300 },
    );
    // Subjects without a line break are sent, so that the property was about something.
    await mailer.send(
      { to: 'a@example.edu', subject: '=?utf-8?q?x?= "\u202e', text: '\r\n.\r\nQUIT' },
      { messageId: 'a@b' },
    );
    assert.ok(sent > 0, 'none was sent');
  });
});
