import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { isDiscard } from '../../src/engine/handler.ts';
import { outpassRows } from '../../src/outpass/import.ts';
import { generateQrCode } from '../../src/outpass/jobs/generate-qr-code.ts';
import { loadPublicKeys } from '../../src/outpass/keys.ts';
import { verifyToken } from '../../src/outpass/token.ts';
import { one, openOffice, passRecord } from '../tools/office.ts';
import { readQrPng } from '../tools/qr.ts';

const during = Date.UTC(2026, 10, 21);

test('the QR code decodes to a token that verifies and names the pass', async (t) => {
  const { office, write, files, folder, context } = await openOffice(t);
  await write(() => office.approvePass(1, 'Dr. Raman'));
  const result = await generateQrCode.handle({ outpass_id: 1 }, context());
  assert.deepEqual(Object.keys(result as object), ['path', 'token_id']);
  const { path: name, token_id: tokenId } = result as { path: string; token_id: string };
  const token = readQrPng(await readFile(path.join(files, name)));
  assert.ok(token);
  const verdict = verifyToken(token, loadPublicKeys(path.join(folder, 'keys')), during);
  assert.ok(verdict.valid);
  assert.equal(verdict.claims.ref, 'OP-000001');
  assert.equal(verdict.claims.roll, '21CS001');
  assert.equal(verdict.claims.jti, tokenId);
  assert.deepEqual((await office.pass(1))?.files, { qr: name, document: null, tokenId });
});

test('run twice, it leaves the same bytes in the same file', async (t) => {
  const { office, write, files, context } = await openOffice(t);
  await write(() => office.approvePass(1, 'Dr. Raman'));
  const first = (await generateQrCode.handle({ outpass_id: 1 }, context())) as { path: string };
  const bytes = await readFile(path.join(files, first.path));
  assert.deepEqual(await generateQrCode.handle({ outpass_id: 1 }, context()), first);
  assert.deepEqual(await readFile(path.join(files, first.path)), bytes);
});

test('two passes never share a file', async (t) => {
  const { office, write, files, context } = await openOffice(t);
  await office.importOutpasses(outpassRows(one({ ...passRecord, reference: '../OP 1' }), 'UTC').rows);
  await write(() => [office.approvePass(1, 'x'), office.approvePass(2, 'x')]);
  const results = (await Promise.all(
    [1, 2].map((id) => generateQrCode.handle({ outpass_id: id }, context())),
  )) as { path: string }[];
  assert.notEqual(results[0]!.path, results[1]!.path);
  for (const { path: name } of results) assert.ok((await stat(path.join(files, name))).isFile());
});

test('the longest values that the tables allow still fit into the code', async (t) => {
  const { office, write, files, db, context } = await openOffice(t);
  db.prepare('UPDATE students SET roll_number = ?').run('𝟘'.repeat(40));
  db.prepare('UPDATE outpasses SET reference = ?, kind = ?').run('𝟘'.repeat(40), '𝟘'.repeat(60));
  await write(() => office.approvePass(1, 'x'));
  const { path: name } = (await generateQrCode.handle({ outpass_id: 1 }, context())) as { path: string };
  assert.ok(readQrPng(await readFile(path.join(files, name))));
});

test('a missing pass and one that is not approved are given up with the reason', async (t) => {
  const { db, context } = await openOffice(t);
  const reasonFor = async (id: number) => {
    try {
      await generateQrCode.handle({ outpass_id: id }, context());
      return 'nothing';
    } catch (error) {
      return isDiscard(error) ? error.message : `not discarded: ${String(error)}`;
    }
  };
  assert.equal(await reasonFor(7), 'Outpass #7 does not exist.');
  assert.equal(await reasonFor(1), 'Outpass #1 (OP-000001) is pending, not approved.');
  db.prepare("UPDATE outpasses SET status = 'cancelled'").run();
  assert.equal(await reasonFor(1), 'Outpass #1 (OP-000001) is cancelled, not approved.');
});

test('the payload schema says what it wants', async () => {
  const check = async (value: unknown) => {
    const result = await generateQrCode.schema?.['~standard'].validate(value);
    return result?.issues === undefined ? 'fits' : result.issues.map((issue) => issue.message).join();
  };
  assert.equal(await check({ outpass_id: 7 }), 'fits');
  assert.equal(await check({ outpass_id: 7, note: 'x' }), 'fits');
  const wanted = 'must be the id of an outpass: a whole number above 0';
  for (const bad of ['7', 0, -1, 1.5, null, undefined]) {
    assert.equal(await check({ outpass_id: bad }), wanted);
  }
  for (const bad of [7, null, 'x']) {
    assert.equal(await check(bad), 'must be an object such as {"outpass_id": 123}');
  }
});
