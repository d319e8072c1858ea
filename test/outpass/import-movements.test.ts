/** Movements from a file: the gate's log of another system, or of a day when this one was down. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

import { movementRows, outpassRows, tellProblems } from '../../src/outpass/import.ts';
import type { ImportOptions } from '../../src/store/sqlite/office-import.ts';
import { one, openOffice, passRecord } from '../tools/office.ts';

/** In Chennai, the day after the pass ended. */
const NOW = Date.UTC(2026, 10, 24);

const went = { reference: 'OP-000001', out_at: '2026-11-20 18:05', recorded_by: 'Gate 1' };

/** An office with an approved pass, OP-000001, and what an import of these records does and leaves in the log. */
async function gate(t: TestContext) {
  const it = await openOffice(t);
  it.db.exec(`UPDATE outpasses SET status = 'approved'`);
  const log = it.db.prepare('SELECT direction, at, recorded_by FROM movements ORDER BY id').raw();
  const load = async (records: Record<string, unknown>[], options: ImportOptions = {}) => {
    const { rows, problems } = movementRows(one(...records), 'Asia/Kolkata', NOW);
    return it.office.importMovements(rows, { ...options, problems });
  };
  const counts = async (...records: Record<string, unknown>[]) => {
    const { inserted, updated, unchanged } = await load(records);
    return [inserted, updated, unchanged];
  };
  const faults = async (...records: Record<string, unknown>[]) =>
    tellProblems((await load(records, { partial: true })).problems);
  return { ...it, log, load, counts, faults };
}

test('a row is a way out, and a way in once there is one; written again it changes nothing', async (t) => {
  const { counts, log } = await gate(t);
  assert.deepEqual(await counts({ ...went, in_at: '' }), [1, 0, 0]);
  assert.deepEqual(log.all(), [['out', '2026-11-20 12:35:00.000', 'Gate 1']]);
  const back = { ...went, reference: 'op-000001', in_at: '2026-11-23T08:10+05:30' };
  assert.deepEqual(await counts(back), [0, 1, 0]);
  assert.deepEqual(await counts(back), [0, 0, 1]);
  assert.deepEqual(log.all(), [
    ['out', '2026-11-20 12:35:00.000', 'Gate 1'],
    ['in', '2026-11-23 02:40:00.000', 'Gate 1'],
  ]);
});

test('a mended time or verifier takes the place of the old one', async (t) => {
  const { counts, log } = await gate(t);
  await counts({ ...went, in_at: '2026-11-23 08:10' });
  const mended = { ...went, out_at: '2026-11-20 18:15', in_at: '2026-11-23 08:20', recorded_by: 'Gate 2' };
  assert.deepEqual(await counts(mended), [0, 1, 0]);
  assert.deepEqual(log.all(), [
    ['out', '2026-11-20 12:45:00.000', 'Gate 2'],
    ['in', '2026-11-23 02:50:00.000', 'Gate 2'],
  ]);
  await counts({ ...mended, recorded_by: 'Gate 3' });
  assert.deepEqual(
    log.all().map((row) => (row as string[])[2]),
    ['Gate 3', 'Gate 3'],
  );
});

test('a return that the gate has recorded stays, whatever an older file says', async (t) => {
  const { counts, faults, log, office } = await gate(t);
  await counts(went);
  await office.recordMovement(1, 'in', { by: 'Gate 2', at: Date.UTC(2026, 10, 22), now: NOW });
  assert.deepEqual(await counts(went), [0, 0, 1]);
  assert.deepEqual(await counts({ ...went, in_at: '' }), [0, 0, 1]);
  assert.equal(log.all().length, 2);
  assert.equal(
    await faults({ ...went, out_at: '2026-11-22 18:00' }),
    'item 1: the student came back Sun 22 Nov 2026, 5:30 AM (Asia/Kolkata), before out_at',
  );
  assert.equal(
    await faults({ ...went, out_at: '2026-11-22 18:00', recorded_by: '' }),
    'item 1: recorded_by is empty; the student came back Sun 22 Nov 2026, 5:30 AM (Asia/Kolkata), before out_at',
  );
});

test('every bad row is named with all its faults', async (t) => {
  const { faults, load, log, office } = await gate(t);
  const others = ['P-1', 'P-2'].map((reference) => ({ ...passRecord, reference, status: 'pending' }));
  await office.importOutpasses(outpassRows(one(...others), 'UTC').rows);
  const records = [
    { ...went, in_at: '2026-11-20 18:00' },
    { ...went, reference: 'P-1' },
    { ...went, reference: 'nowhere' },
    { ...went, reference: 'nobody', out_at: 'noon', recorded_by: '' },
    { ...went, reference: 'P-1' },
    { ...went, reference: 'P-2', out_at: '2026-11-24 05:32' },
    { ...went, reference: 'P-3', in_at: '2026-11-24 05:32' },
    { ...went, reference: '' },
    { ...went, reference: 'P-4', in_at: '2026-11-20 18:00', recorded_by: '' },
    { ...went, reference: 'P-5', out_at: '2026-11-24 05:33', in_at: '2026-11-24 05:32' },
  ];
  const told = [
    'item 1: in_at is before out_at',
    "item 2: outpass 'P-1' is pending; only an approved pass opens the gate",
    "item 3: there is no outpass 'nowhere'",
    "item 4: out_at 'noon' is not a time (YYYY-MM-DD HH:MM, optionally with seconds and an offset such as +05:30); recorded_by is empty; there is no outpass 'nobody'",
    "item 5: reference 'P-1' already stands in item 2; outpass 'P-1' is pending; only an approved pass opens the gate",
    "item 6: out_at lies in the future; outpass 'P-2' is pending; only an approved pass opens the gate",
    "item 7: in_at lies in the future; there is no outpass 'P-3'",
    'item 8: reference is empty',
    "item 9: recorded_by is empty; in_at is before out_at; there is no outpass 'P-4'",
    "item 10: out_at lies in the future; in_at lies in the future; in_at is before out_at; there is no outpass 'P-5'",
  ].join('\n');
  await assert.rejects(
    load([...records, { ...went, reference: 'op-000001' }]),
    /item 11: reference 'op-000001' already/,
  );
  assert.equal(log.all().length, 0, 'all or nothing');
  assert.equal(await faults(...records), told);
  await office.importOutpasses(outpassRows(one({ ...others[0], status: 'approved' }), 'UTC').rows);
  assert.deepEqual((await load([{ ...went, reference: 'P-1' }, records[2]!], { partial: true })).inserted, 1);
  assert.equal(log.all().length, 1, 'the sound rows of a partial import');
});

test('a pass that is over may have its past written', async (t) => {
  const { counts, db } = await gate(t);
  db.exec(`UPDATE outpasses SET status = 'expired'`);
  assert.deepEqual(await counts(went), [1, 0, 0]);
});
