/** Users' code in our own process ends nothing, however many calls are under way. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { usersCode } from '../../src/users-code.ts';

test('process.exit is what it was once all have ended, in whatever order', async () => {
  const { exit } = process;
  const ends = [30, 10, 20].map((ms) => usersCode(() => sleep(ms, ms)));
  assert.notEqual(process.exit, exit);
  assert.deepEqual(await Promise.all(ends), [30, 10, 20]);
  assert.equal(process.exit, exit);
});

test('who would end the process is refused, also where it catches that', async () => {
  const { exit } = process;
  await assert.rejects(
    usersCode(async () => {
      try {
        process.exit(0);
      } catch {
        await sleep(60_000, undefined, { ref: false });
      }
    }),
    /it would end the process: process\.exit\(0\)/,
  );
  assert.equal(process.exit, exit);
});
