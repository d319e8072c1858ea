/** Who holds the database locked. Another process does: a process's own locks never stand in its own way. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { systemClock } from '../../src/engine/clock.ts';
import { lockHolder } from '../../src/store/sqlite/lock-holder.ts';
import { openStore } from '../tools/store.ts';

const HOLD = `
const Database = require('better-sqlite3');
const db = new Database(process.argv[1]);
db.exec('BEGIN IMMEDIATE');
process.stdout.write('held');
process.stdin.on('end', () => { db.exec('ROLLBACK'); db.close(); }).resume();`;

test('the process that has an open transaction, while it has it', async (t) => {
  const store = await openStore(t, systemClock);
  assert.equal(lockHolder(store.file), undefined);
  const child = spawn(process.execPath, ['-e', HOLD, store.file], { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  assert.equal(lockHolder(store.file)?.pid, child.pid);
  assert.notEqual(lockHolder(store.file)?.program, '');
  const ended = new Promise((resolve) => child.on('exit', resolve));
  child.stdin.end();
  await ended;
  assert.equal(lockHolder(store.file), undefined);
  assert.equal(lockHolder('/nowhere/passito.db'), undefined);
});
