/** The grace of each student, wherever it counts: clean-up, report, QR code, and the settings it comes from. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { loadConfig } from '../../src/config.ts';
import { formatTime } from '../../src/engine/clock.ts';
import { outpassRows, studentRows } from '../../src/outpass/import.ts';
import { cleanupExpiredFiles } from '../../src/outpass/jobs/cleanup-expired-files.ts';
import { generateQrCode } from '../../src/outpass/jobs/generate-qr-code.ts';
import { currentQr } from '../../src/outpass/jobs/pass-file.ts';
import { loadPublicKeys } from '../../src/outpass/keys.ts';
import { graceOf, isLate, type LateGrace } from '../../src/outpass/late-grace.ts';
import { passClaims, tokenIdOf, verifyToken } from '../../src/outpass/token.ts';
import { one, openOffice, passRecord, studentRecord, type TestOffice } from '../tools/office.ts';
import { readQrPng } from '../tools/qr.ts';

const MINUTE = 60_000;

/** Everybody half an hour, men 10 minutes, women an hour. */
const lateGrace: LateGrace = { all: 30 * MINUTE, male: 10 * MINUTE, female: 60 * MINUTE };

const GENDERS = ['male', 'female', ''] as const;

/** An office with an approved pass for a man (#2), a woman (#3) and a student of no known gender (#4), all ended at a time. */
async function opened(t: Parameters<typeof openOffice>[0], end: number): Promise<TestOffice> {
  const it = await openOffice(t, () => ({ lateGrace }));
  const rows = GENDERS.map((gender, i) => ({ ...studentRecord, roll_number: `R${i}`, gender }));
  await it.office.importStudents(studentRows(one(...rows)).rows);
  const times = { leaves_at: `${formatTime(end - 60 * MINUTE)}Z`, returns_at: `${formatTime(end)}Z` };
  const passes = rows.map(({ roll_number }) => ({
    ...passRecord,
    ...times,
    roll_number,
    status: 'approved',
    reference: roll_number,
  }));
  await it.office.importOutpasses(outpassRows(one(...passes), 'UTC').rows);
  return it;
}

test('a student of no known gender, or of one without its own, has the grace of all', () => {
  assert.deepEqual(
    ([null, 'male', 'female'] as const).map((gender) => graceOf(gender, lateGrace)),
    [30 * MINUTE, 10 * MINUTE, 60 * MINUTE],
  );
  assert.equal(graceOf('male', { ...lateGrace, male: null }), 30 * MINUTE);
  assert.equal(graceOf('female', { ...lateGrace, female: 0 }), 0, 'none is a grace too');
});

test('late is later than the end plus the grace; the last instant is in time', () => {
  const late = (at: string, all: number) =>
    isLate(`2026-11-23 ${at}`, '2026-11-23 02:30:00.000', null, { ...lateGrace, all });
  assert.equal(late('03:00:00.000', 30 * MINUTE), false);
  assert.equal(late('03:00:00.001', 30 * MINUTE), true);
  assert.equal(late('02:30:00.000', 0), false);
});

test('each gender has its setting, and without one that of all', async () => {
  const read = async (env: Record<string, string>) => {
    const {
      lateGrace: all,
      lateGraceMale,
      lateGraceFemale,
    } = (await loadConfig({ values: {} }, env)).settings;
    return [all, lateGraceMale, lateGraceFemale];
  };
  assert.deepEqual(await read({}), [30 * MINUTE, null, null]);
  assert.deepEqual(await read({ LATE_GRACE: '1h', LATE_GRACE_MALE: '0', LATE_GRACE_FEMALE: '45m' }), [
    60 * MINUTE,
    0,
    45 * MINUTE,
  ]);
  await assert.rejects(read({ LATE_GRACE_MALE: 'soon' }), /LATE_GRACE_MALE cannot be 'soon'/);
});

test('the clean-up leaves each pass its own grace, however many inside theirs come before', async (t) => {
  const it = await opened(t, Date.now() - 40 * MINUTE);
  const expired = async () => {
    const passes = await it.office.listPasses({ status: 'expired' });
    return passes.flatMap(({ reference }) => (reference.startsWith('R') ? [reference] : [])).toSorted();
  };
  // A batch is shorter than the row of women who are still allowed to be out.
  assert.deepEqual(await it.office.overduePasses(1, 1), [{ id: 2, files: [], expires: true }]);
  assert.deepEqual(await it.office.overduePasses(2, 1), [{ id: 4, files: [], expires: true }]);
  await it.office.closePasses([2, 3]);
  assert.deepEqual(await expired(), ['R0'], 'nobody is closed too early');
  await cleanupExpiredFiles.handle({}, it.context());
  assert.deepEqual(await expired(), ['R0', 'R2']);
});

test('the report of late arrivals measures each by their own grace', async (t) => {
  const end = Date.UTC(2026, 10, 20, 10);
  const it = await opened(t, end);
  const late = async (minutes: number) => {
    it.db.exec('DELETE FROM movements');
    for (const id of [2, 3, 4]) {
      const insert = it.db.prepare(
        `INSERT INTO movements (outpass_id, direction, at, recorded_by) VALUES (?, ?, ?, 'x')`,
      );
      insert.run(id, 'out', formatTime(end - MINUTE));
      insert.run(id, 'in', formatTime(end + minutes * MINUTE));
    }
    const settings = (await it.office.reportSettings()).filter(({ report }) => report === 'late_arrivals');
    const found = settings.map(async ({ id, gender }) => {
      const content = await it.office.reportContent(id, formatTime(end));
      return [
        gender,
        content?.rows
          .map(({ rollNumber }) => rollNumber)
          .toSorted()
          .join(' '),
      ];
    });
    return Object.fromEntries(await Promise.all(found)) as object;
  };
  assert.deepEqual(await late(10), { male: '', female: '' });
  assert.deepEqual(await late(20), { male: 'R0', female: '' });
  // Who is of no known gender stands in both reports.
  assert.deepEqual(await late(45), { male: 'R0 R2', female: 'R2' });
  assert.deepEqual(await late(61), { male: 'R0 R2', female: 'R1 R2' });
});

test('a QR code opens the gate until the grace of its student ends', async (t) => {
  const end = Date.UTC(2026, 10, 20, 10);
  const it = await opened(t, end);
  for (const [id, minutes] of [
    [2, 10],
    [3, 60],
    [4, 30],
  ] as const) {
    const { path: name } = (await generateQrCode.handle({ outpass_id: id }, it.context())) as {
      path: string;
    };
    const token = readQrPng(await readFile(path.join(it.files, name))) ?? '';
    const validAt = (at: number) =>
      verifyToken(token, loadPublicKeys(path.join(it.folder, 'keys')), at).valid;
    assert.equal(validAt(end + minutes * MINUTE - 1000), true, `outpass #${id}`);
    assert.equal(validAt(end + minutes * MINUTE), false, `outpass #${id}`);
  }
});

test('a grace that is set anew makes no printed code an old one', async (t) => {
  const it = await opened(t, Date.UTC(2026, 10, 20, 10));
  await generateQrCode.handle({ outpass_id: 2 }, it.context());
  it.db.exec(`UPDATE students SET gender = 'female' WHERE roll_number = 'R0'`);
  const pass = await it.office.pass(2);
  assert.ok(pass);
  assert.equal(currentQr(pass), 'qr/outpass-2.png');
  const hour = passClaims(pass, lateGrace);
  const half = passClaims(pass, { ...lateGrace, female: null });
  assert.equal(hour.exp - half.exp, 30 * 60);
  assert.deepEqual([hour.jti, half.jti], [tokenIdOf(pass), tokenIdOf(pass)]);
});
