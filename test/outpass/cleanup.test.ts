/** The clean-up of passes that are over: what goes, what stays, and what it must never touch. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';

import { outpassRows } from '../../src/outpass/import.ts';
import { cleanupExpiredFiles } from '../../src/outpass/jobs/cleanup-expired-files.ts';
import { one, openOffice, passRecord, type TestOffice } from '../tools/office.ts';

const MINUTE = 60_000;

/** An office whose pass #1 ended so long ago, with a QR code and a document. */
async function ended(t: TestContext, minutesAgo: number, status = 'approved'): Promise<TestOffice> {
  const opened = await openOffice(t);
  for (const name of ['qr/outpass-1.png', 'documents/outpass-1.pdf']) {
    const file = path.join(opened.files, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, 'x'.repeat(100));
  }
  await opened.office.saveFiles(1, {
    qr: 'qr/outpass-1.png',
    document: 'documents/outpass-1.pdf',
    tokenId: 'T',
  });
  end(opened, 1, minutesAgo, status);
  return opened;
}

function end({ db }: TestOffice, id: number, minutesAgo: number, status: string): void {
  const at = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
  db.prepare('UPDATE outpasses SET leaves_at = ?, returns_at = ?, status = ? WHERE id = ?').run(
    at(Date.now() - (minutesAgo + 600) * MINUTE),
    at(Date.now() - minutesAgo * MINUTE),
    status,
    id,
  );
}

const run = (opened: TestOffice, payload = {}) => cleanupExpiredFiles.handle(payload, opened.context());

test('a pass past its end and grace loses its files and expires; run twice, nothing is left to do', async (t) => {
  const opened = await ended(t, 31);
  assert.deepEqual(await run(opened), {
    passes: 1,
    expired: 1,
    files: 2,
    bytes: 200,
    refused: 0,
    dry_run: false,
  });
  assert.ok(!existsSync(path.join(opened.files, 'qr/outpass-1.png')));
  const pass = await opened.office.pass(1);
  assert.equal(pass?.status, 'expired');
  assert.deepEqual(pass.files, { qr: null, document: null, tokenId: 'T' });
  assert.deepEqual(await run(opened), {
    passes: 0,
    expired: 0,
    files: 0,
    bytes: 0,
    refused: 0,
    dry_run: false,
  });
});

test('within its grace a pass keeps everything', async (t) => {
  const opened = await ended(t, 29);
  assert.deepEqual(await run(opened), {
    passes: 0,
    expired: 0,
    files: 0,
    bytes: 0,
    refused: 0,
    dry_run: false,
  });
  assert.equal((await opened.office.pass(1))?.status, 'approved');
});

test('a rejected or cancelled pass loses its files, and keeps its status', async (t) => {
  for (const status of ['rejected', 'cancelled']) {
    const opened = await ended(t, 31, status);
    assert.deepEqual(await run(opened), {
      passes: 1,
      expired: 0,
      files: 2,
      bytes: 200,
      refused: 0,
      dry_run: false,
    });
    assert.equal((await opened.office.pass(1))?.status, status);
  }
});

test('a dry run counts the same and changes nothing', async (t) => {
  const opened = await ended(t, 31);
  assert.deepEqual(await run(opened, { dry_run: true }), {
    passes: 1,
    expired: 1,
    files: 2,
    bytes: 200,
    refused: 0,
    dry_run: true,
  });
  assert.ok(existsSync(path.join(opened.files, 'qr/outpass-1.png')));
  assert.equal((await opened.office.pass(1))?.status, 'approved');
});

test('a kill after the files went and before they were forgotten: the next run ends it', async (t) => {
  const opened = await ended(t, 31);
  const { files } = opened.context();
  await files.remove('qr/outpass-1.png');
  assert.deepEqual(await run(opened), {
    passes: 1,
    expired: 1,
    files: 1,
    bytes: 100,
    refused: 0,
    dry_run: false,
  });
});

test('what lies outside of the files folder, or behind a link, is never touched', async (t) => {
  const opened = await ended(t, 31);
  const outside = path.join(opened.folder, 'outside');
  mkdirSync(outside);
  for (const name of ['secret', 'linked', 'inner']) writeFileSync(path.join(outside, name), 'precious');
  symlinkSync(path.join(outside, 'linked'), path.join(opened.files, 'link'));
  symlinkSync(outside, path.join(opened.files, 'folder'));
  for (const [qr, document] of [
    ['../outside/secret', 'link'],
    [path.join(outside, 'secret'), 'folder/inner'],
    ['documents', 'a/../../outside/secret'],
  ]) {
    opened.db
      .prepare(`UPDATE outpasses SET status = 'approved', qr_path = ?, document_path = ? WHERE id = 1`)
      .run(qr, document);
    opened.warnings.length = 0;
    const counts = (await run(opened)) as { files: number; refused: number };
    assert.deepEqual([counts.files, counts.refused], [0, 2], `${qr} ${document}`);
    assert.equal(opened.warnings.length, 2);
  }
  for (const name of ['secret', 'linked', 'inner']) assert.ok(existsSync(path.join(outside, name)), name);
  assert.ok(existsSync(path.join(opened.files, 'link')));
});

test('a thousand passes go batch by batch', async (t) => {
  const opened = await openOffice(t);
  const records = Array.from({ length: 1000 }, (_, i) => ({ ...passRecord, reference: `X-${i}` }));
  await opened.office.importOutpasses(outpassRows(one(...records), 'UTC').rows);
  for (let id = 1; id <= 1001; id++) end(opened, id, id % 2 === 0 ? 40 : 10, 'pending');
  assert.deepEqual(await run(opened), {
    passes: 500,
    expired: 500,
    files: 0,
    bytes: 0,
    refused: 0,
    dry_run: false,
  });
  assert.equal(
    opened.db.prepare(`SELECT count(*) FROM outpasses WHERE status = 'expired'`).pluck().get(),
    500,
  );
});
