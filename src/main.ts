/** Process entry. */

import { writeFileSync } from 'node:fs';

import { run } from './edge/cli/run.ts';
import { EXIT } from './errors.ts';

try {
  // Node calls its first thread MainThread; `ps`, `top` and `fuser` show that name.
  writeFileSync('/proc/self/comm', 'passito');
} catch {
  // Not Linux, or /proc is closed: a name is a kindness, no more.
}

// Taken now: users' code in this process finds another one, which does not end it.
const exit: typeof process.exit = process.exit.bind(process);

// A pager that was closed, a pipe that ended: no reason to complain. A full disk is one: what was asked for is not there.
function endWithout(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') exit(0);
  process.stderr.write(`passito: The output could not be written: ${error.message}.\n`);
  exit(EXIT.unreachable);
}
process.stdout.on('error', endWithout);

// The loop may hold nothing but unreferenced timers while the answer is still on its way.
const hold = setInterval(() => undefined, 2 ** 30);
void run(process.argv.slice(2)).then((status) => {
  clearInterval(hold);
  // Once all is out: a large answer to a slow reader still waits here. Then at once: while Node tears itself
  // down, a signal would end the process in its own way.
  process.stdout.write('', (error) => {
    if (error === null || error === undefined) exit(status);
    // What was written before did not arrive. Its own error, which says why, comes first.
    else setImmediate(endWithout, error);
  });
});
