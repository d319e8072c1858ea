/** `passito pause` and `passito resume`: let nothing more be claimed, and go on. */

import { NAME } from '../../engine/types.ts';
import { errors } from '../../errors.ts';
import { preparePauses } from '../../store/sqlite/pauses.ts';
import { noteAudit } from './audit.ts';
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
    throw errors.badValue('--queue', queue, 'letters, digits and . _ : -, at most 100');
  }
  return withStore(input, async (store) => {
    const pauses = preparePauses(store.db);
    const changed = stop
      ? await store.write((now) => pauses.hold(queue, readBy(input), now))
      : await store.write(() => pauses.release(queue));
    if (changed) {
      await noteAudit(
        store,
        input,
        stop ? 'pause' : 'resume',
        queue === null ? 'everything' : `queue ${queue}`,
      );
    }
    const what = queue === null ? 'Claiming' : `The queue ${queue}`;
    if (input.json) input.print(JSON.stringify({ queue, paused: stop, changed }));
    else if (stop) {
      input.print(changed ? `${what} is paused; running jobs finish.` : `${what} was paused already.`);
    } else input.print(changed ? `${what} goes on.` : `${what} was not paused.`);
    const others = stop ? [] : pauses.list().filter((one) => one.queue === null || queue === null);
    for (const one of others) {
      input.note(
        one.queue === null
          ? "Everything is still paused: 'passito resume' without --queue ends that."
          : `The queue ${one.queue} is still paused: passito resume --queue ${one.queue}`,
      );
    }
    return 0;
  });
}
