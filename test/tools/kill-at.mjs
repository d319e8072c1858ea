/**
 * Loaded before a program: ends it, as kill -9 does, right before its nth change below the working folder (KILL_AT), or
 * tells how many there were. Every boundary between two changes can so be met, which no timer can.
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const at = Number(process.env.KILL_AT);
let changes = 0;

for (const name of [
  'mkdirSync',
  'writeFileSync',
  'linkSync',
  'renameSync',
  'rmSync',
  'rmdirSync',
  'openSync',
]) {
  const original = fs[name];
  fs[name] = (...args) => {
    const counts = typeof args[0] === 'string' && args[0].startsWith(process.cwd());
    if (counts && ++changes === at) process.kill(process.pid, 'SIGKILL');
    return original(...args);
  };
}
syncBuiltinESMExports();
process.on('exit', () => process.stderr.write(`changes: ${changes}\n`));
