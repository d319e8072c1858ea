/** The gate pass in several scripts: fonts, shaping, wrapping, and what cannot be shown. */

import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { fontStack } from '../../src/outpass/font-folder.ts';
import { type Face, parseFace } from '../../src/outpass/fonts.ts';
import { outpassRows } from '../../src/outpass/import.ts';
import { generateOutpassPdf } from '../../src/outpass/jobs/generate-outpass-pdf.ts';
import { generateQrCode } from '../../src/outpass/jobs/generate-qr-code.ts';
import { forDocument } from '../../src/outpass/pdf/embed.ts';
import { setText } from '../../src/outpass/pdf/lines.ts';
import { cut } from '../../src/outpass/pdf/pieces.ts';
import { printable } from '../../src/outpass/pdf/printable.ts';
import { shape } from '../../src/outpass/pdf/shape.ts';
import { drawQr } from '../../src/outpass/qr.ts';
import { one, openOffice, passRecord } from '../tools/office.ts';
import type { TestOffice } from '../tools/office.ts';
import { readPdf } from '../tools/pdf.ts';

const payload = { outpass_id: 1 };
const { regular, bold } = fontStack(null);
/** For a folder of the admin's own. */
const hebrew = path.join(import.meta.dirname, 'fonts', 'NotoSansHebrew-Regular.woff2');

async function makePdf(it: TestOffice) {
  await it.write(() => it.office.approvePass(1, 'Dr. Kavitha Raman', Date.UTC(2026, 10, 19)));
  await generateQrCode.handle(payload, it.context());
  const result = (await generateOutpassPdf.handle(payload, it.context())) as {
    path: string;
    unshown?: { field: string; characters: string }[];
  };
  const bytes = await readFile(path.join(it.files, result.path));
  return { result, bytes, ...(await readPdf(bytes)) };
}

const named = (it: TestOffice, name: string) => it.db.prepare('UPDATE students SET name = ?').run(name);
/** Readers put in spaces where fonts change, and where signs hang on letters. */
const bare = (text: string) => text.normalize('NFC').replaceAll(/\s/g, '');

test('Latin, Tamil and Devanagari come back from the document as they were written', async (t) => {
  const it = await openOffice(t, () => ({ institutionName: 'எஸ்.ஆர்.வி தொழில்நுட்பக் கல்லூரி' }));
  // Signs before, around and below their letters; conjuncts; the sign of कि that moves before two letters.
  const name = 'கொடைச்செல்வன் ஸ்ரீகௌரி José प्रियंका क्षितिज';
  const purpose = 'கோவிலில் திருமணம்; बहन की शादी, then home';
  named(it, name);
  it.db.prepare('UPDATE outpasses SET purpose = ?').run(purpose);
  const { text, pages, result } = await makePdf(it);
  assert.equal(pages, 1);
  for (const word of `${name} ${purpose} எஸ்.ஆர்.வி தொழில்நுட்பக் கல்லூரி`.split(' ')) {
    assert.ok(bare(text).includes(bare(word)), `${word} is missing in: ${text}`);
  }
  assert.deepEqual(result, { path: result.path });
  assert.deepEqual(it.warnings, []);
});

test('what one document was drawn with changes nothing in the next', async () => {
  const bytes = await readFile(path.join(import.meta.dirname, '../../src/outpass/assets/NotoSans-Bold.ttf'));
  const readBack = (face: Face, text: string) =>
    String.fromCodePoint(...shape(face, text).glyphs.flatMap(({ codePoints }) => codePoints));
  // The parts of a letter that is put together: the e of an é, the stroke of an ो.
  for (const [first, next] of [
    ['é', 'e'],
    ['ज्योति', 'राजा'],
    ['गौरी', 'शर्मा'],
  ] as const) {
    const face = parseFace(bytes);
    const copy = forDocument(face);
    const subset = copy.createSubset() as unknown as {
      includeGlyph(glyph: object): number;
      encode(): Uint8Array;
    };
    for (const glyph of copy.layout(first).glyphs) subset.includeGlyph(glyph);
    subset.encode();
    assert.equal(readBack(face, next), next, `after ${first}`);
  }
});

test('the fonts in the file are subsets, and only those that are used', async (t) => {
  const it = await openOffice(t);
  const fontsOf = (bytes: Buffer) => {
    const found = bytes.toString('latin1').matchAll(/\/FontName \/[A-Z]{6}\+([\w-]+)/g);
    return new Set(Array.from(found, ([, name]) => name));
  };
  const latin = await makePdf(it);
  assert.deepEqual(fontsOf(latin.bytes), new Set(['NotoSans-Bold', 'NotoSans-Regular']));
  const two = await openOffice(t);
  named(two, 'தமிழ்ச்செல்வன்');
  two.db.prepare('UPDATE outpasses SET purpose = ?').run('வீடு');
  const tamil = await makePdf(two);
  const added = ['NotoSansTamil-Bold', 'NotoSansTamil-Regular'];
  assert.deepEqual(fontsOf(tamil.bytes), new Set(['NotoSans-Bold', 'NotoSans-Regular', ...added]));
  assert.ok(tamil.bytes.length < 60_000, `${tamil.bytes.length} bytes`);
});

test('a character that no font has is a box, a warning and an entry in the result', async (t) => {
  const it = await openOffice(t);
  named(it, '山田 Tarō 山 😀');
  it.db.prepare('UPDATE outpasses SET destination = ?, purpose = ?').run('ඊ', 'one\ntwo\u200d');
  const { result, pages } = await makePdf(it);
  assert.deepEqual(result.unshown, [
    { field: 'student.name', characters: '山田😀' },
    { field: 'destination', characters: 'ඊ' },
  ]);
  assert.equal(it.warnings.length, 2);
  assert.match(it.warnings[0]!, /No font can show/);
  assert.equal(pages, 1);
});

test('PASSITO_FONTS adds scripts; Hebrew is read from right to left', async (t) => {
  const it = await openOffice(t, (folder) => ({ fontsFolder: path.join(folder, 'fonts') }));
  const folder = path.join(it.folder, 'fonts');
  await mkdir(folder);
  await writeFile(path.join(folder, 'README.txt'), 'not a font');
  named(it, 'דוד (כהן) Ltd');
  const without = await makePdf(it);
  assert.deepEqual(without.result.unshown?.[0], { field: 'student.name', characters: 'דוכהן' });
  await copyFile(hebrew, path.join(folder, 'hebrew.woff2'));
  // A font that is added counts from the next pass on.
  const result = (await generateOutpassPdf.handle(payload, it.context())) as { path: string };
  assert.deepEqual(result, { path: result.path });
  const bytes = await readFile(path.join(it.files, result.path));
  assert.match(bytes.toString('latin1'), /\/FontName \/[A-Z]{6}\+NotoSansHebrew/);
  const { text } = await readPdf(bytes);
  for (const word of ['דוד', 'כהן']) assert.ok(text.includes(word), `${word} is missing in: ${text}`);
  const faces = fontStack(folder).regular;
  const line = setText('דוד (כהן) Ltd', faces, { width: 500, size: 10, smallest: 10, maxLines: 1 }).lines[0];
  assert.deepEqual(
    line?.pieces.map((piece) => piece.text),
    ['(', 'כהן', ')', ' ', 'דוד', ' ', 'Ltd'],
  );
});

test('a font folder or file that cannot be used is an error that names it', async (t) => {
  const it = await openOffice(t, (folder) => ({ fontsFolder: path.join(folder, 'fonts') }));
  const folder = path.join(it.folder, 'fonts');
  await assert.rejects(makePdf(it), (error: Error) => error.message.includes(folder));
  await mkdir(folder);
  const broken = path.join(folder, 'broken.ttf');
  await writeFile(broken, 'this is no font');
  const again = async () => generateOutpassPdf.handle(payload, it.context());
  await assert.rejects(again, { code: 'FONT', message: new RegExp(`${broken}.*Unknown font format`) });
  const whole = await readFile(hebrew);
  await writeFile(broken, whole.subarray(0, 5000));
  await assert.rejects(again, { code: 'FONT', message: new RegExp(`${broken}.*cut short`) });
  await writeFile(broken, '');
  await assert.rejects(again, { code: 'FONT', message: new RegExp(`${broken}.*cut short`) });
});

test('two passes never share a file', async (t) => {
  const it = await openOffice(t);
  await it.office.importOutpasses(outpassRows(one({ ...passRecord, reference: '../OP 1' }), 'UTC').rows);
  const paths: string[] = [];
  for (const id of [1, 2]) {
    await it.write(() => it.office.approvePass(id, 'x'));
    await generateQrCode.handle({ outpass_id: id }, it.context());
    const { path: name } = (await generateOutpassPdf.handle({ outpass_id: id }, it.context())) as {
      path: string;
    };
    paths.push(name);
  }
  assert.deepEqual(paths, ['documents/outpass-1.pdf', 'documents/outpass-2.pdf']);
  const { text } = await readPdf(await readFile(path.join(it.files, paths[0]!)));
  assert.ok(text.includes('OP-000001'), text);
});

test('a name of 120 letters is printed whole, in each script', async (t) => {
  for (const word of [
    'Venkatanarasimharajuvaripeta ',
    'சுப்பிரமணியம் ',
    'प्रियदर्शिनी ',
    'வேங்கடநரசிம்மராஜுவாரிபேட்டை',
  ]) {
    const it = await openOffice(t);
    const name = word.repeat(12).slice(0, 120).trim();
    named(it, name);
    const { text, pages, pieces } = await makePdf(it);
    assert.equal(pages, 1);
    assert.ok(bare(text).includes(bare(name)), `${name} is missing in: ${text}`);
    assert.ok(!text.includes('…'));
    for (const { y } of pieces) assert.ok(y > 20 && y < 842 - 30, `a text stands at ${y}`);
  }
});

test('no line is wider than its room, and all of the text is in the lines', () => {
  const texts = [
    'Going home for the festival, and/or a well-deserved rest with the family in Kumbakonam',
    'கோவிலில் சகோதரியின் திருமணம் நடைபெறுகிறது எனவே ஊருக்குச் செல்ல வேண்டும்',
    'बहन की शादी में शामिल होने के लिए घर जाना है José கொலு',
    'X'.repeat(200),
    'சுப்பிரமணியம்'.repeat(12),
  ];
  for (const text of texts) {
    for (const width of [40, 90, 200]) {
      const { size, lines } = setText(text, bold, { width, size: 12, smallest: 12, maxLines: 99 });
      assert.equal(size, 12);
      for (const line of lines) assert.ok((line.width * size) / 1000 <= width * 1.01, `${text} in ${width}`);
      const set = lines.flatMap((line) => line.pieces.map((piece) => piece.text)).join('');
      assert.equal(set.replaceAll(' ', ''), text.replaceAll(' ', ''));
    }
  }
});

test('whatever is written, the lines hold all of it and stay in their room', () => {
  const letters = Array.from('abc XYZ-/.,(12) கொௌிீ்ஸரீதமிழ் कखगिी्षर्र ं محمدعلي שלום ١٢ 山😀\u200d\u0301');
  const unit = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...letters) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 1 }) },
  );
  const texts = fc.array(unit, { maxLength: 60 }).map((parts) => printable(parts.join('')));
  // Brackets among words from right to left look the other way.
  const inventory = (text: string) =>
    Array.from(text.replaceAll(/\s/gu, '').replaceAll(')', '('))
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join('');
  fc.assert(
    fc.property(texts, fc.integer({ min: 60, max: 300 }), (text, width) => {
      const { lines } = setText(text, regular, { width, size: 12, smallest: 12, maxLines: 500 });
      const set = lines.flatMap((line) => line.pieces.map((piece) => piece.text)).join('');
      assert.equal(inventory(set), inventory(text));
      for (const line of lines) assert.ok(line.width * 0.012 <= width * 1.02, `${text} in ${width}`);
    }),
    { numRuns: 300, examples: [['ௌௌொ', 60]] },
  );
});

test('a text that does not fit shrinks first, and is then cut off with an ellipsis', () => {
  const room = { width: 100, size: 12, smallest: 8, maxLines: 2 };
  const of = (text: string) => setText(text, regular, room);
  assert.equal(of('Short').size, 12);
  const some = of('A destination that is rather long for it');
  assert.ok(some.size < 12 && some.size >= 8);
  const over = of('word '.repeat(100));
  assert.equal(over.size, 8);
  assert.equal(over.lines.length, 3);
  assert.match(over.lines.at(-1)?.pieces.at(-1)?.text ?? '', /…$/);
});

test('a letter and its marks stay in one font, and scripts of one font are apart', () => {
  const of = (text: string) => cut(text, regular).map((piece) => [piece.text, piece.face.name]);
  assert.deepEqual(of('e\u0301கொ'), [
    ['e\u0301', 'NotoSans-Regular'],
    ['கொ', 'NotoSansTamil-Regular'],
  ]);
  assert.deepEqual(of('abcक्षि12'), [
    ['abc', 'NotoSans-Regular'],
    ['क्षि', 'NotoSans-Regular'],
    ['12', 'NotoSans-Regular'],
  ]);
});

test('the QR code is quick to draw once warm', async (t) => {
  const draw = (round: number) => drawQr(`${'eyJhbGciOiJFZERTQSJ9.'.repeat(16)}${round}`);
  for (let round = 0; round < 20; round += 1) await draw(round);
  const before = process.cpuUsage();
  for (let round = 20; round < 60; round += 1) await draw(round);
  const { user, system } = process.cpuUsage(before);
  const each = (user + system) / 40_000;
  t.diagnostic(`${each.toFixed(1)} ms of CPU a code`);
  assert.ok(each < 15, `${each} ms`);
});
