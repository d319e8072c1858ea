/** `passito top`: what runs now, again and again. */

import { setTimeout as sleep } from 'node:timers/promises';
import { LONGEST_TIMEOUT } from '../../engine/clock.ts';
import { formatDuration } from '../../engine/units.ts';
import { errors } from '../../errors.ts';
import { ESCAPE } from '../terminal.ts';
import type { Command } from './command.ts';
import { look, print } from './status.ts';
import { readDuration, readWhole } from './values.ts';
import { withStore } from './with-store.ts';

/** Clears what is below the cursor; the cursor goes to the corner. */
const HOME = `${ESCAPE}[H`;
const CLEAR_LINE = `${ESCAPE}[K`;
const CLEAR_BELOW = `${ESCAPE}[J`;

/** Between two looks, in milliseconds. */
const USUAL = 1000;
const SHORTEST = 100;

export const top: Command = {
  name: 'top',
  about: 'Show what runs now, again and again, until Ctrl+C',
  options: [
    { name: 'interval', value: 'time', about: 'Between two looks (1s)' },
    { name: 'times', value: 'n', about: 'Look so often, then stop (for ever)' },
  ],
  example: 'passito top --interval 2s',
  run(input) {
    const interval = readDuration(input, 'interval') ?? USUAL;
    if (interval < SHORTEST) {
      const given = input.option('interval') ?? '';
      throw errors.badValue('--interval', given, `a duration of ${formatDuration(SHORTEST)} or more`);
    }
    const pause = Math.min(interval, LONGEST_TIMEOUT);
    const times = readWhole(input, 'times', 1, 1_000_000) ?? Number.POSITIVE_INFINITY;
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
    return withStore(input, async (store, queries, { settings }) => {
      const onTerminal = process.stdout.isTTY;
      for (let n = 0; n < times && !stop.signal.aborted; n += 1) {
        if (n > 0) await sleep(pause, undefined, { signal: stop.signal }).catch(() => undefined);
        if (stop.signal.aborted) break;
        const picture = await store.read(() => look(store, queries));
        const lines: string[] = [`passito top, every ${formatDuration(interval)}; Ctrl+C ends it`, ''];
        print({ ...input, print: (line) => lines.push(...line.split('\n')) }, picture, settings.timeZone);
        input.print(onTerminal ? screen(lines) : lines.join('\n'));
      }
      return 0;
    });
  },
};

/** The lines that fit, written over the last ones: a screen that is cleared first flickers. */
function screen(lines: readonly string[]): string {
  const shown = lines.slice(0, (process.stdout.rows ?? 25) - 2);
  return `${HOME}${shown.map((line) => line + CLEAR_LINE).join('\n')}${CLEAR_BELOW}`;
}
