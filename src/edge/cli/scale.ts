/** `passito scale`: more workers, or fewer, than were configured, for a while. */

import { MAX_WORKERS } from '../../config/keys.ts';
import { systemClock } from '../../engine/clock.ts';
import { counted } from '../../engine/units.ts';
import { errors } from '../../errors.ts';
import { prepareScaling, type Scaling } from '../../store/sqlite/scaling.ts';
import { audited } from './audit.ts';
import { type Command, JSON_OPTION } from './command.ts';
import { withStore } from './with-store.ts';
import { toldIn } from './render.ts';
import { readBy, readDuration, readWhole } from './values.ts';

export const scale: Command = {
  name: 'scale',
  about: 'Change how many workers the running supervisor may have, without a restart',
  options: [
    { name: 'max', value: 'n', about: `At most so many, up to ${MAX_WORKERS}` },
    { name: 'for', value: 'time', about: 'Back by itself after this time, such as 2h (never)' },
    { name: 'reset', about: 'Back to what is configured' },
    { name: 'by', value: 'name', about: 'Who scales (you)' },
    JSON_OPTION,
  ],
  example: 'passito scale --max 50 --for 2h',
  run(input) {
    const max = readWhole(input, 'max', 1, MAX_WORKERS);
    const time = readDuration(input, 'for');
    if (max !== undefined && input.has('reset')) throw errors.conflictingOptions('--max', '--reset');
    if (max === undefined && time !== undefined) throw errors.missingArgument('scale', '--max');
    return withStore(input, async (store, _queries, { settings }) => {
      const scaling = prepareScaling(store.db, systemClock);
      if (max !== undefined || input.has('reset')) {
        const by = readBy(input);
        await audited(
          store,
          input,
          'scale',
          () => store.write(() => (max === undefined ? scaling.reset() : scaling.set(max, time, by))),
          () => {
            const { until = null } = scaling.wanted() ?? {};
            return max === undefined
              ? 'reset'
              : `at most ${max}${until === null ? '' : ` until ${until} UTC`}`;
          },
        );
      }
      const wanted = await store.read(() => scaling.wanted());
      if (input.json) {
        input.print(
          JSON.stringify({ max: wanted?.max ?? null, until: wanted?.until ?? null, by: wanted?.by ?? null }),
        );
      } else input.print(input.proposal(sentence(wanted, settings.timeZone)));
      if (max !== undefined || input.has('reset')) {
        input.note(
          `A running supervisor follows at its next check of the load, within ${settings.checkInterval} s.`,
        );
      }
      return 0;
    });
  },
};

function sentence(wanted: Scaling | undefined, zone: string): string {
  if (wanted === undefined) return 'The supervisor has as many workers as are configured.';
  const until =
    wanted.until === null ? "until 'passito scale --reset'" : `until ${toldIn(wanted.until, zone)}`;
  return `At most ${counted(wanted.max, 'worker')}, by ${wanted.by}, ${until}.`;
}
