/** "While you were away": what an unclean stop has left behind, in one line of the log. */

import type { Events } from '../engine/events.ts';
import type { Log } from './log.ts';

/** Counts from now until `tell`, which says it where a process had ended without saying so. */
export function watchForAway(events: Events): { tell: (log: Log) => void } {
  const seen = { died: 0, returned: 0, failed: 0, ticks_missed: 0, ticks_made_up: 0 };
  const stop = [
    events.on('rescued', ({ returned, failed }) => {
      seen.died += 1;
      seen.returned += returned.length;
      seen.failed += failed.length;
    }),
    events.on('ticked', ({ job }) => {
      if (job !== null) seen.ticks_made_up += 1;
    }),
    events.on('missed', ({ count, chore }) => {
      if (!chore) seen.ticks_missed += count;
    }),
  ];
  return {
    tell(log) {
      for (const off of stop) off();
      if (seen.died > 0) log.warn(seen, 'while you were away');
    },
  };
}
