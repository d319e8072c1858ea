/** Process entry. */

import { run } from './edge/cli/run.ts';

// A pager that was closed, a pipe that ended: no reason to complain.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

// The loop may hold nothing but unreferenced timers while the answer is still on its way.
const hold = setInterval(() => undefined, 2 ** 30);
void run(process.argv.slice(2)).then((status) => {
  clearInterval(hold);
  // At once: while Node tears itself down, a signal would end the process in its own way. What was printed
  // is out: writes to files, pipes and terminals are synchronous on Linux.
  process.exit(status);
});
