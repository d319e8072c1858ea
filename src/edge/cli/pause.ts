/** `passito pause` and `passito resume`: let nothing more be claimed, and go on. */

import { NAME } from '../../engine/types.ts';
import { errors } from '../../errors.ts';
import { quoted } from '../../escape.ts';
import { nearest } from '../../nearest.ts';
import { preparePauses } from '../../store/sqlite/pauses.ts';
import { audited } from './audit.ts';
import { type Command, type CommandOption, type Input, JSON_OPTION } from './command.ts';
import { withStore } from './with-store.ts';
import { readBy } from './values.ts';

const QUEUE: CommandOption = { name: 'queue', value: 'name', about: 'This queue alone (everything)' };

export const pause: Command = {
  name: 'pause',
  about: 'Start no more jobs, wholly or of one queue; running ones finish',
  options: [QUEUE, { name: 'by', value: 'name', about: 'Who pauses (you)' }, JSON_OPTION],
  example: 'passito pause --queue mail',
  run: (input) => hold(input, true),
};

export const resume: Command = {
  name: 'resume',
  about: 'Start jobs again',
  options: [QUEUE, JSON_OPTION],
  example: 'passito resume --queue mail',
  run: (input) => hold(input, false),
};

function hold(input: Input, stop: boolean): Promise<number> {
  const queue = input.option('queue') ?? null;
  if (queue !== null && !NAME.test(queue)) {
    throw errors.badValue('--queue', queue, 'at most 100 letters, digits and . _ : -');
  }
  return withStore(input, async (store, queries, config) => {
    const pauses = preparePauses(store.db);
    const by = readBy(input);
    const changed = await audited(
      store,
      input,
      stop ? 'pause' : 'resume',
      () => store.write((now) => (stop ? pauses.hold(queue, by, now) : pauses.release(queue))),
      (is) => (is ? (queue === null ? 'everything' : `queue ${queue}`) : undefined),
    );
    const [what, is, was, goes] =
      queue === null ? ['All queues', 'are', 'were', 'go'] : [`The queue ${queue}`, 'is', 'was', 'goes'];
    if (input.json) input.print(JSON.stringify({ queue, paused: stop, changed }));
    else if (stop) {
      input.print(changed ? `${what} ${is} paused; running jobs finish.` : `${what} ${was} paused already.`);
    } else if (changed) input.print(`${what} ${goes} on.`);
    else input.print(queue === null ? 'Nothing was paused as a whole.' : `${what} was not paused.`);
    if (stop && changed && queue !== null) doubt(input, queue, queries.queues(), config.settings.queues);
    const others = stop ? [] : pauses.list().filter((one) => one.queue === null || queue === null);
    for (const one of others) {
      input.note(
        one.queue === null
          ? "Everything is still paused: 'passito resume' without --queue ends that."
          : `The queue ${one.queue} is still paused: passito resume --queue ${quoted(one.queue)}`,
      );
    }
    return 0;
  });
}

/** A queue may be used later on: a slip is only asked about. */
function doubt(input: Input, queue: string, used: readonly string[], served: readonly string[] | null): void {
  const known = ['default', ...used, ...(served ?? [])];
  if (known.includes(queue)) return;
  const close = nearest(queue, known);
  const ask = close === undefined ? '' : ` Did you mean '${close}'?`;
  input.note(`Nothing uses a queue of the name '${queue}' so far.${ask}`);
}
