/** A bar on a terminal for what takes a while; elsewhere nothing. */

const WIDTH = 30;

/** No bar for what is over sooner, and no redraw more often than this, in milliseconds. */
const PATIENCE_MS = 300;
const REDRAW_MS = 50;

/** Shows how much is done. */
export interface Progress {
  to(done: number): void;
  end(): void;
}

/** `unit` stands behind the numbers. */
export function progressBar(total: number, patience = PATIENCE_MS, unit = ''): Progress {
  const terminal = process.stderr;
  if (!terminal.isTTY || total === 0) return { to() {}, end() {} };
  let due = performance.now() + patience;
  let drawn = false;
  return {
    to(done) {
      const now = performance.now();
      if (now < due && done < total) return;
      if (!drawn && done >= total) return;
      due = now + REDRAW_MS;
      drawn = true;
      const bar = '#'.repeat(Math.round((WIDTH * done) / total)).padEnd(WIDTH, '.');
      terminal.write(`\r   [${bar}] ${done}/${total} ${unit}`);
    },
    end() {
      if (drawn) terminal.write('\r\u001b[K');
    },
  };
}
