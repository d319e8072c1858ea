/** The demo as a visitor takes it: what it says is there, and what it offers to paste works. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Attachment, type ParsedMail, simpleParser } from 'mailparser';
import { INSTITUTION } from '../../src/edge/cli/demo/campus.ts';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';
import { readPdf } from '../tools/pdf.ts';
import { readQr } from '../tools/qr.ts';

/** A terminal, in lines and columns; a command to be pasted may be a little longer than a narrow one. */
const SCREEN = { lines: 40, narrow: 80, columns: 100 };

interface Pass {
  reference: string;
  status: string;
  purpose: string;
  destination: string;
  remarks: string | null;
  student: { name: string; email: string };
  document_path: string | null;
}

/** Readers put in spaces where fonts change. */
const bare = (words: string) => words.normalize('NFC').replaceAll(/\s/g, '');

describe('the demo', () => {
  // What a real office has set must neither reach the sample students nor change the tour.
  const here = new Site(after, {
    TIME_ZONE: 'Asia/Kolkata',
    SMTP_HOST: 'mail.example.edu',
    PASSITO_QUEUES: 'mail',
    LATE_GRACE: '5h',
  });
  // A name that a shell would take apart.
  const folder = "Asha's";
  const run = (...path: string[]) => here.path(folder, '1', ...path);
  let text: string;
  let passes: Pass[];
  let mails: ParsedMail[];

  before(async () => {
    text = await here.ok('demo', '--folder', folder);
    passes = await here.json<Pass[]>('outpass', 'list', '--db', run('passito.db'));
    const files = readdirSync(run('outbox')).map((name) => readFileSync(run('outbox', name)));
    mails = await Promise.all(files.map((file) => simpleParser(file)));
  });

  it('says what the README shows, which fits on a screen', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
    const shown = /^passito demo: [^]*?(?=^```)/m.exec(readme)?.[0] ?? '';
    const settled = (words: string) => words.replaceAll(/[\d.]+ (ms|s|KB)\b/g, 'N').replaceAll(/ +N/g, ' N');
    const said = text
      .replaceAll(executable, 'dist/passito')
      .replaceAll(/'Asha'\\''s([^']*)'/g, 'passito-demo$1');
    assert.equal(settled(said), settled(shown));
    const lines = shown.split('\n');
    assert.ok(lines.length < SCREEN.lines, `${lines.length} lines`);
    const room = (line: string) => (line.startsWith('  dist/passito ') ? SCREEN.columns : SCREEN.narrow);
    assert.deepEqual(
      lines.filter((line) => line.length > room(line)),
      [],
    );
  });

  it('leaves what it says it leaves', () => {
    const said = (name: string) => Number(new RegExp(`${name} +(\\d+) `).exec(text)?.[1]);
    for (const [name, count] of [
      ['files/documents', 20],
      ['files/qr', 20],
      ['outbox', 46],
    ] as const) {
      assert.equal(said(name), count);
      assert.equal(readdirSync(run(name)).length, count, name);
    }
    const tables = ['hostels', 'users', 'students', 'outpasses'].map((kind) => run(`${kind}.csv`));
    assert.deepEqual(
      tables.filter((path) => !existsSync(path)),
      [],
    );
    const by = (status: string) => passes.filter((pass) => pass.status === status).length;
    assert.deepEqual(['approved', 'expired', 'rejected', 'cancelled', 'pending'].map(by), [20, 10, 4, 2, 4]);
  });

  it('prints what was asked for on each pass, in three scripts, and its QR code', async () => {
    const kept = passes.filter(({ document_path: path }) => path !== null);
    for (const look of [/\p{Script=Tamil}/u, /\p{Script=Devanagari}/u, /^.{60,}$/]) {
      assert.ok(
        kept.some(({ student }) => look.test(student.name)),
        `a name such as ${look}`,
      );
    }
    const scanned: (string | undefined)[] = [];
    for (const { document_path: path, reference, purpose, destination, student } of kept) {
      const { text: printed, pages, pictures } = await readPdf(readFileSync(run('files', path ?? '')));
      assert.equal(pages, 1);
      for (const words of [student.name, purpose, destination, INSTITUTION.institutionName]) {
        assert.ok(bare(printed).includes(bare(words)), `${words} is missing in: ${printed}`);
      }
      if (text.includes(`outpass show ${reference} `)) scanned.push(...pictures.map(readQr));
    }
    assert.deepEqual(scanned, [readFileSync(run('scanned.txt'), 'utf8').trim()]);
    for (const [, script = '', name] of text.matchAll(/(\w+) in (outpass-\d+)/g)) {
      const { text: printed } = await readPdf(readFileSync(run('files/documents', `${name}.pdf`)));
      assert.match(printed, new RegExp(`\\p{Script=${script}}`, 'u'));
    }
  });

  it('writes mails to addresses of nobody alone, and sends none', () => {
    const addresses = mails.flatMap(({ to, from }) => [to, from].flat().flatMap((one) => one?.value ?? []));
    const real = addresses.filter(({ address = '' }) => !address.endsWith('@example.edu'));
    assert.deepEqual(real, []);
    const told = passes
      .filter(({ status }) => status === 'rejected')
      .map(({ reference, remarks, student }) => {
        const words = mails.find(({ subject }) => subject?.includes(`${reference} is rejected`))?.text ?? '';
        return words.includes(student.name) && words.includes(remarks ?? '?');
      });
    assert.deepEqual(told, [true, true, true, true], 'each says why');
  });

  it('reports who came back late, to the wardens of that gender and the chief warden', () => {
    const late = mails.filter(({ subject }) => subject?.startsWith('Late arrivals report'));
    const readers = new Map<string, string[]>();
    for (const { attachments, to } of late) {
      const csv = (attachments as [Attachment])[0].content.toString();
      const people = [to].flat().flatMap((one) => one?.value ?? []);
      readers.set(csv, [...(readers.get(csv) ?? []), ...people.map(({ address = '' }) => address)]);
    }
    const reports = [...readers].map(([csv, people]) => ({
      late: csv
        .trim()
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(',').at(-1)),
      to: people.toSorted(),
    }));
    assert.deepEqual(
      reports.toSorted((a, b) => a.late.length - b.late.length),
      [
        { late: ['1h 52m'], to: ['anil@example.edu', 'meera@example.edu', 'murugesan@example.edu'] },
        { late: ['1h 25m', '47m'], to: ['annie@example.edu', 'kavitha@example.edu', 'meera@example.edu'] },
      ],
    );
  });

  it('offers commands that work as they stand', async () => {
    const commands = text.split('\n').filter((line) => line.startsWith(`  ${executable} `));
    const said = new Map(
      await Promise.all(
        commands.map(async (line) => [line.trim().split(' ')[1], await pasted(line)] as const),
      ),
    );
    assert.deepEqual([...said.keys()], ['outpass', 'verify', 'mail', 'reports', 'jobs', 'health']);
    assert.equal(commands.length, 8);
    assert.match(said.get('outpass') ?? '', /^Outpass OP-\d+ [^]*Student +\p{Script=Tamil}[^]*Went out/u);
    assert.match(said.get('verify') ?? '', /^Valid: outpass OP-/);
    assert.match(said.get('mail') ?? '', /Late arrivals report/);
    assert.match(said.get('reports') ?? '', /^(?:[^\n]* on .*; next [^\n]*\n){4}$/);
    assert.match(said.get('jobs') ?? '', /CleanupExpiredFiles +completed/);
    assert.match(said.get('health') ?? '', /✓ Job queue is healthy/);
  });

  it('takes a folder of its own each time, with the same people in it', async () => {
    await here.ok('demo', '--folder', folder);
    assert.deepEqual(readdirSync(here.path(folder)).toSorted(), ['1', '2', 'passito-demo.txt']);
    const people = (number: string) => readFileSync(here.path(folder, number, 'students.csv'), 'utf8');
    assert.equal(people('2'), people('1'));
    assert.ok(!existsSync(here.db), 'the real database was never touched');
  });

  /** What a shell says to a line; it must succeed. */
  function pasted(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile(
        '/bin/sh',
        ['-c', line],
        { cwd: here.folder, env: here.env, timeout: 30_000 },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`${line}\n${stdout}${stderr}`, { cause: error }));
        },
      );
    });
  }
});
