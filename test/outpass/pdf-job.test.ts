import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { PNG } from 'pngjs';

import { isDiscard } from '../../src/engine/handler.ts';
import { outpassRows } from '../../src/outpass/import.ts';
import { generateOutpassPdf } from '../../src/outpass/jobs/generate-outpass-pdf.ts';
import { generateQrCode } from '../../src/outpass/jobs/generate-qr-code.ts';
import { drawGatePass } from '../../src/outpass/pdf/gate-pass.ts';
import { one, openOffice, passRecord, settings } from '../tools/office.ts';
import type { TestOffice } from '../tools/office.ts';
import { readPdf } from '../tools/pdf.ts';
import { readQr, readQrPng } from '../tools/qr.ts';

const payload = { outpass_id: 1 };
const approvedAt = Date.UTC(2026, 10, 19, 5, 11);

async function approveWithQr({ office, write, context }: TestOffice): Promise<void> {
  await write(() => office.approvePass(1, 'Dr. Kavitha Raman', approvedAt));
  await generateQrCode.handle(payload, context());
}

async function makePdf(it: TestOffice): Promise<Buffer> {
  const { path: name } = (await generateOutpassPdf.handle(payload, it.context())) as { path: string };
  return readFile(path.join(it.files, name));
}

async function reasonFor(it: TestOffice): Promise<string> {
  try {
    await generateOutpassPdf.handle(payload, it.context());
    return 'nothing';
  } catch (error) {
    return isDiscard(error) ? error.message : `not discarded: ${String(error)}`;
  }
}

test('the document is one A4 page with everything a guard asks for, and its QR code decodes', async (t) => {
  const it = await openOffice(t);
  await approveWithQr(it);
  const bytes = await makePdf(it);
  const { pages, text, pictures } = await readPdf(bytes);
  assert.equal(pages, 1);
  assert.match(bytes.toString('latin1'), /\/MediaBox \[0 0 595\.28 841\.89\]/);
  const expected = [
    'SRV Institute of Technology',
    '12 College Road, Chennai 600 025',
    'OP-000001',
    'Home pass',
    'APPROVED',
    'Arjun Selvam',
    '21CS001',
    'B.E. Computer Science',
    'Kaveri',
    'A-214',
    'Sister’s wedding',
    'Madurai',
    '6:00 PM',
    'Fri 20 Nov 2026',
    '8:00 AM',
    'Mon 23 Nov 2026',
    'Asia/Kolkata, UTC+05:30',
    'Dr. Kavitha Raman',
    'Thu 19 Nov 2026, 10:41 AM (UTC+05:30)',
    'Carry this pass',
  ];
  for (const piece of expected) assert.ok(text.includes(piece), `${piece} is missing in: ${text}`);
  assert.equal(pictures.length, 1);
  const recorded = await it.office.pass(1);
  const qr = readQrPng(await readFile(path.join(it.files, recorded!.files.qr!)));
  assert.ok(qr);
  assert.equal(readQr(pictures[0]!), qr);
  assert.equal(recorded?.files.document, 'documents/outpass-1.pdf');
});

test('fonts are embedded subsets, and nothing in the file points elsewhere', async (t) => {
  const it = await openOffice(t);
  await approveWithQr(it);
  const raw = (await makePdf(it)).toString('latin1');
  assert.match(raw, /\/FontName \/[A-Z]{6}\+NotoSans-Regular/);
  assert.match(raw, /\/FontName \/[A-Z]{6}\+NotoSans-Bold/);
  assert.ok(!/\/(Helvetica|URI|JavaScript|Launch|EmbeddedFile)\b/.test(raw));
  assert.ok(raw.length < 60_000, `${raw.length} bytes`);
});

test('run twice, it leaves the same bytes in the same file', async (t) => {
  const it = await openOffice(t);
  await approveWithQr(it);
  const first = await makePdf(it);
  assert.deepEqual(await makePdf(it), first);
});

test('the longest values wrap or end in an ellipsis, on one page and above its foot', async (t) => {
  const it = await openOffice(t, () => ({
    institutionName: 'Institute of Technology '.repeat(9),
    institutionAddress: 'Road '.repeat(90),
  }));
  const long = (word: string, length: number) => `${word} `.repeat(length).slice(0, length).trim();
  it.db
    .prepare('UPDATE students SET name = ?, programme = ?, room = ?, roll_number = ?')
    .run('Venkatanarasimharajuvaripeta '.repeat(9), long('Programme', 160), long('Room', 40), 'R'.repeat(40));
  it.db.prepare('UPDATE hostels SET name = ?').run(long('Hostel', 120));
  it.db
    .prepare('UPDATE outpasses SET kind = ?, purpose = ?, destination = ?, reference = ?')
    .run(long('Kind', 60), `Begin ${'purpose\n'.repeat(200)}`, 'X'.repeat(4000), 'R'.repeat(40));
  await approveWithQr(it);
  const { pages, pieces, text } = await readPdf(await makePdf(it));
  assert.equal(pages, 1);
  assert.ok(text.includes('Begin purpose') && text.includes('…'));
  // Rules end above the foot line (806 points from the top of 842).
  const lowestRule = pieces.find((piece) => piece.text.startsWith('A pass that is cancelled'));
  assert.ok(lowestRule && lowestRule.y > 842 - 804, `the last rule stands at ${lowestRule?.y}`);
  for (const { y } of pieces) assert.ok(y > 20 && y < 842 - 30, `a text stands at ${y}`);
});

test('names in other scripts are printed as they are', async (t) => {
  const it = await openOffice(t);
  it.db.prepare('UPDATE students SET name = ?').run('José Čermák Ярослав Ωmega ₹');
  await approveWithQr(it);
  const { text } = await readPdf(await makePdf(it));
  assert.ok(text.includes('José Čermák Ярослав Ωmega ₹'), text);
});

test('each time shows its own offset where the clocks change in between', async (t) => {
  const it = await openOffice(t, () => ({ timeZone: 'Europe/Berlin' }));
  const row = {
    ...passRecord,
    reference: 'OP-000001',
    leaves_at: '2026-10-24 18:00',
    returns_at: '2026-10-25 18:00',
  };
  await it.office.importOutpasses(outpassRows(one(row), 'Europe/Berlin').rows);
  await approveWithQr(it);
  const { text } = await readPdf(await makePdf(it));
  assert.ok(text.includes('Europe/Berlin, UTC+02:00') && text.includes('Europe/Berlin, UTC+01:00'), text);
});

test('a logo is printed; one that cannot be read is left out and logged', async (t) => {
  const it = await openOffice(t, (folder) => ({ brandLogo: path.join(folder, 'logo.png') }));
  await approveWithQr(it);
  const logo = path.join(it.folder, 'logo.png');
  const pictures = async () => (await readPdf(await makePdf(it))).pictures.length;
  assert.equal(await pictures(), 1);
  assert.deepEqual(it.warnings, ['The logo is left out of the gate pass.']);
  const png = new PNG({ width: 20, height: 10 });
  png.data.fill(200);
  await writeFile(logo, PNG.sync.write(png));
  assert.equal(await pictures(), 2);
  await writeFile(logo, '<svg/>');
  assert.equal(await pictures(), 1);
  assert.equal(it.warnings.length, 2);
});

test('without a current QR code the job is given up with the reason', async (t) => {
  const it = await openOffice(t);
  await it.write(() => it.office.approvePass(1, 'x', approvedAt));
  assert.equal(await reasonFor(it), 'Outpass #1 has no QR code yet: GenerateQrCode must complete first.');
  await generateQrCode.handle(payload, it.context());
  await rm(path.join(it.files, 'qr/outpass-1.png'));
  assert.equal(await reasonFor(it), 'The file qr/outpass-1.png is missing: dispatch GenerateQrCode again.');
  it.db.prepare("UPDATE outpasses SET returns_at = '2026-11-24 00:00:00.000'").run();
  assert.match(await reasonFor(it), /is older than its last change: dispatch GenerateQrCode again/);
});

test('drawing is quick once warm', async (t) => {
  const it = await openOffice(t);
  await approveWithQr(it);
  const pass = await it.office.pass(1);
  const qr = await readFile(path.join(it.files, pass!.files.qr!));
  const draw = () => drawGatePass({ pass: pass!, settings, qr, logo: null });
  for (let round = 0; round < 10; round += 1) await draw();
  const before = process.cpuUsage();
  for (let round = 0; round < 10; round += 1) await draw();
  const { user, system } = process.cpuUsage(before);
  const each = (user + system) / 10_000;
  t.diagnostic(`${each.toFixed(1)} ms of CPU a document`);
  assert.ok(each < 60, `${each} ms`);
});
