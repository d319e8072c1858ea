/** The life of a pass: the table of moves, and the store that applies nothing else. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import fc from 'fast-check';

import type { PassStatus } from '../../src/outpass/office.ts';
import {
  moveBetween,
  movePass,
  type PassMove,
  passMoves,
  passStatuses,
} from '../../src/outpass/pass-states.ts';
import { openOffice } from '../tools/office.ts';

const moves = Object.keys(passMoves) as PassMove[];
const anyMove = fc.constantFrom(...moves);
const anyStatus = fc.constantFrom(...passStatuses);

test('every status can be reached, and three are the last', () => {
  const reached = new Set<PassStatus>(['pending', ...moves.map((move) => passMoves[move].to)]);
  assert.deepEqual([...reached].toSorted(), [...passStatuses].toSorted());
  const left = new Set(moves.flatMap((move) => passMoves[move].from));
  assert.deepEqual(
    passStatuses.filter((status) => !left.has(status)),
    ['rejected', 'expired', 'cancelled'],
  );
  for (const move of moves) assert.ok(passMoves[move].by.length > 5, `who makes ${move}?`);
});

test('a verdict is what the table says, and a pair of statuses has one move at most', () => {
  fc.assert(
    fc.property(anyMove, anyStatus, (move, status) => {
      const verdict = movePass(move, status);
      assert.equal(verdict.ok, passMoves[move].from.includes(status));
      if (verdict.ok) assert.equal(moveBetween(status, verdict.status), move);
      else assert.match(verdict.reason, /^is (already )?\w+; only a [\w, ]+ pass can be [\w ]+$/);
    }),
  );
  fc.assert(
    fc.property(anyStatus, anyStatus, (from, to) => {
      const leading = moves.filter(
        (move) => passMoves[move].to === to && passMoves[move].from.includes(from),
      );
      assert.ok(leading.length <= 1);
      assert.equal(moveBetween(from, to), leading[0]);
    }),
  );
});

test('whatever is asked of the store, a pass is where the table leads', async (t) => {
  const { office, write, db } = await openOffice(t);
  const reset = db.prepare(`UPDATE outpasses SET status = 'pending', remarks = NULL WHERE id = 1`);
  await fc.assert(
    fc.asyncProperty(fc.array(anyMove, { maxLength: 12 }), async (wanted) => {
      reset.run();
      let status: PassStatus = 'pending';
      for (const move of wanted) {
        const verdict = movePass(move, status);
        const done = write(() => office.movePass(1, move, { by: 'x', at: 0 }));
        if (verdict.ok) {
          status = verdict.status;
          assert.equal((await done).status, status);
        } else await assert.rejects(done, { code: 'PASS_MOVE', exit: 1 });
        assert.equal((await office.pass(1))?.status, status);
      }
    }),
    { numRuns: 60 },
  );
});

test('a move keeps who made it, when and why', async (t) => {
  const { office, write, db } = await openOffice(t);
  await write(() =>
    office.movePass(1, 'reject', { by: 'Dr. Rao', remarks: 'Exams', at: Date.UTC(2026, 0, 2) }),
  );
  assert.equal((await office.pass(1))?.remarks, 'Exams');
  const row = db.prepare('SELECT closed_by, closed_at, approved_by FROM outpasses').get();
  assert.deepEqual(
    { ...(row as object) },
    { closed_by: 'Dr. Rao', closed_at: '2026-01-02 00:00:00.000', approved_by: null },
  );
});

test('a status is written in one place of the store', () => {
  const store = path.join(import.meta.dirname, '../../src/store/sqlite');
  const writers = readdirSync(store).filter((file) => {
    if (!file.endsWith('.ts')) return false;
    const updates = readFileSync(path.join(store, file), 'utf8').matchAll(
      /UPDATE outpasses\s+SET([^`]*?)WHERE/g,
    );
    return [...updates].some(([, columns = '']) => /\bstatus\s*=/.test(columns));
  });
  assert.deepEqual(writers, ['pass-moves.ts']);
});
