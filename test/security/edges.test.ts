/** Every edge where somebody else's text comes in, with whatever may stand in it: it stays data, or is refused with a reason. */

import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { loadConfig } from '../../src/config.ts';
import { readTable, TableError, writeCsv } from '../../src/edge/csv.ts';
import { createMailer, MailError } from '../../src/edge/mail.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { readLines } from '../../src/engine/job-lines.ts';
import { PassitoError } from '../../src/errors.ts';
import { cleanupExpiredFiles } from '../../src/outpass/jobs/cleanup-expired-files.ts';
import { downloadName } from '../../src/outpass/files.ts';
import { studentRows } from '../../src/outpass/import.ts';
import { keyIdOf } from '../../src/outpass/keys.ts';
import { readTime, timeForm } from '../../src/outpass/read-time.ts';
import { signToken, verifyToken } from '../../src/outpass/token.ts';
import { jobFiles } from '../../src/runner/files.ts';
import { Queries } from '../../src/store/sqlite/queries.ts';
import { Site } from '../tools/daemon.ts';
import { nasty, piece } from '../tools/nasty.ts';
import { openOffice, studentRecord } from '../tools/office.ts';
import { newJob, openStore, temporaryFolder } from '../tools/store.ts';

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

describe('files that are imported', () => {
  it('any bytes are a table, or no table for a reason', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }).map(Buffer.from),
          nasty.map((text) => Buffer.from(`name,email,roll_number\n${text}`)),
          fc.json().map(Buffer.from),
        ),
        async (bytes) => {
          try {
            studentRows(await readTable(bytes));
          } catch (error) {
            assert.ok(
              error instanceof TableError ||
                (error instanceof Error && error.constructor.name === 'ImportError'),
              String(error),
            );
          }
          assert.equal(({} as Record<string, unknown>)['a'], undefined, 'prototypes are as they were');
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('a value comes back from the database as it was, whatever SQL it looks like', async (t) => {
    const { office, db } = await openOffice(t);
    const names = [
      "'); DROP TABLE students; --",
      '" OR 1=1',
      '%',
      '_',
      '\\',
      "Robert'); --",
      '🦉 ünï',
      '${x}',
    ];
    const cells = names.map((name, i) => ({
      ...studentRecord,
      name,
      roll_number: `R${i}`,
      email: `r${i}@example.edu`,
    }));
    const csv = writeCsv([Object.keys(cells[0]!), ...cells.map((cell) => Object.values(cell))]);
    await office.importStudents(studentRows(await readTable(Buffer.from(csv))).rows);
    const found = db
      .prepare(`SELECT name FROM students WHERE roll_number LIKE 'R%' ORDER BY id`)
      .pluck()
      .all();
    assert.deepEqual(found, names);
  });
});

describe('filters of the queue', () => {
  it('find what holds the very text, and nothing else', async (t) => {
    const store = await openStore(t, systemClock);
    const queries = new Queries(store.db, systemClock);
    const update = store.db.prepare(`UPDATE jobs SET last_error = ?, type = ?, queue = ? WHERE id = ?`);
    const [first, second] = (await store.insert([newJob('A'), newJob('B')])).map(({ id }) => id) as [
      number,
      number,
    ];
    const text = fc
      .array(
        piece.filter((part) => !/[\0\ud800]/.test(part)),
        { minLength: 1, maxLength: 6 },
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, text, (error, other, sought) => {
        update.run(error, error, error, first);
        update.run(other, other, other, second);
        const expected = (fits: (one: string) => boolean) =>
          [
            [first, error],
            [second, other],
          ]
            .filter(([, one]) => fits(one as string))
            .map(([id]) => id)
            .toSorted((a, b) => Number(a) - Number(b));
        const ids = (filter: object) =>
          queries
            .list({ ...filter, limit: 10 })
            .map(({ id }) => id)
            .toSorted((a, b) => Number(a) - Number(b));
        assert.deepEqual(
          ids({ error: sought }),
          expected((one) => one.toLowerCase().includes(sought.toLowerCase())),
        );
        assert.deepEqual(
          ids({ type: sought }),
          expected((one) => one === sought),
        );
        assert.deepEqual(
          ids({ queue: sought }),
          expected((one) => one === sought),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('lines of jobs', () => {
  const times = { read: (text: string) => readTime(text, 'UTC'), form: timeForm };

  it('any text is jobs, or refused with the line and what is wrong', () => {
    const line = fc.oneof(
      nasty,
      fc.json(),
      fc
        .record(
          {
            type: nasty,
            payload: fc.jsonValue(),
            queue: nasty,
            priority: fc.oneof(fc.integer(), nasty),
            unique_key: nasty,
            depends_on: fc.oneof(fc.array(nasty), fc.jsonValue()),
          },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
        try {
          for (const { request } of readLines(lines.join('\n'), times, 'x')) {
            assert.match(request.type, /^[\p{L}\p{N}_][\p{L}\p{N}_.:-]{0,99}$/u);
          }
        } catch (error) {
          assert.ok(error instanceof PassitoError, String((error as Error).stack));
        }
      }),
      { numRuns: 2000 },
    );
    assert.equal(Object.keys(Object.prototype).length, 0);
  });
});

describe('settings', () => {
  it('any env file is read, or refused with a reason', async (t) => {
    const envFile = join(temporaryFolder(t), 'a.env');
    const name = fc.constantFrom(
      'PASSITO_DB',
      'SMTP_PORT',
      'TIME_ZONE',
      'PASSITO_HTTP',
      'PASSITO_MAX_WORKERS',
      'APP_URL',
      'LATE_GRACE',
      'MAILER_FROM',
      'PASSITO_QUEUES',
      '__proto__',
      'constructor',
    );
    const text = fc.array(
      fc.oneof(
        nasty,
        fc.tuple(name, nasty).map(([key, value]) => `${key}=${value}`),
      ),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(text, async (lines) => {
        writeFileSync(envFile, lines.join('\n'), { mode: 0o600 });
        try {
          await loadConfig({ values: {}, envFile }, {});
        } catch (error) {
          assert.ok(error instanceof PassitoError, String((error as Error).stack));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('any config file is read, or refused with a reason', async (t) => {
    const folder = temporaryFolder(t);
    const before = process.cwd();
    process.chdir(folder);
    t.after(() => process.chdir(before));
    const key = fc.constantFrom(
      'jobs',
      'schedules',
      'maxWorkers',
      'db',
      'http',
      'queues',
      '__proto__',
      'timeZone',
      'smtpPort',
      'fonts',
    );
    const inner = fc.dictionary(
      fc.constantFrom('a', 'command', 'cron', 'type', 'timeout', '__proto__', 'payload', 'zone'),
      fc.jsonValue({ maxDepth: 2 }),
      { maxKeys: 4 },
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.dictionary(nasty, fc.oneof(inner, fc.jsonValue({ maxDepth: 1 })), { maxKeys: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          nasty,
          fc.dictionary(key, value, { maxKeys: 3 }).map((all) => JSON.stringify(all)),
        ),
        async (text) => {
          writeFileSync('passito.config.json', text, { mode: 0o600 });
          try {
            await loadConfig({ values: {}, envFile: '/dev/null' }, {});
          } catch (error) {
            assert.ok(error instanceof PassitoError, `${text}: ${String((error as Error).stack)}`);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('a profile of the name of something that every object has is none', async () => {
  for (const profile of ['toString', '__proto__', 'constructor']) {
    await assert.rejects(loadConfig({ values: {}, envFile: '/dev/null', profile }, {}), PassitoError);
  }
});

describe('commands of jobs', () => {
  it('get their words and their payload as they are: no shell reads them', async (t) => {
    const here = new Site((clean) => t.after(clean));
    const words = [
      '$(touch owned)',
      '`touch owned`',
      '; touch owned',
      '| touch owned',
      '> owned',
      "'",
      '"',
      '\\',
      '*',
      '~',
      '$HOME',
      'a\nb',
      '--',
      '',
    ];
    here.write(
      'passito.config.json',
      JSON.stringify({
        jobs: {
          Words: { command: ['/usr/bin/printf', '[%s]', ...words] },
          Payload: { command: ['/bin/cat'] },
          'No;touch owned': { command: ['/bin/true; touch owned'] },
        },
      }),
    );
    const refused = await here.run(['supervisor']);
    assert.equal(refused.code, 2, 'a type of such a name is refused');
    here.write(
      'passito.config.json',
      JSON.stringify({
        jobs: {
          Words: { command: ['/usr/bin/printf', '[%s]', ...words] },
          Payload: { command: ['/bin/cat'] },
          No: { command: ['/bin/true; touch owned'], maxAttempts: 1 },
        },
      }),
    );
    const daemon = await here.start();
    const payload = Object.fromEntries(words.map((word, i) => [`${i}${word}`, word]));
    const ids = [here.insert('Words'), here.insert('Payload', payload), here.insert('No')];
    await here.drained();
    const [said, echoed] = ids.map((id) =>
      here.value<string | null>('SELECT result FROM jobs WHERE id = ?', id),
    );
    // The last line of what it printed: the words behind the one with a line end.
    assert.equal(JSON.parse(said!), 'b][--][]');
    assert.deepEqual(JSON.parse(echoed!), payload);
    assert.match(
      here.value<string>('SELECT last_error FROM jobs WHERE id = ?', ids[2]),
      /cannot start .*ENOENT/,
    );
    assert.ok(!existsSync(here.path('owned')));
    await daemon.stop();
  });
});
