/** `passito movements out|in`: the gate's log. */

import { openOffice } from '../../app.ts';
import { isLate } from '../../outpass/late-grace.ts';
import { inZone, tellTime } from '../../outpass/local-time.ts';
import type { Direction } from '../../outpass/movements.ts';
import { type Command, type CommandOption, type Input, JSON_OPTION } from './command.ts';
import { withStore } from './with-store.ts';
import { findPass } from './outpass.ts';
import { readAt, readBy } from './values.ts';

const OPTIONS: readonly CommandOption[] = [
  { name: 'at', value: 'time', about: 'When it was (now)' },
  { name: 'by', value: 'name', about: 'Who keeps the gate (you)' },
];

export const out: Command = {
  name: 'movements out',
  args: '<pass>',
  about: 'Record that a student goes out on an approved outpass',
  options: [...OPTIONS, { name: 'force', about: "Also before or after the pass's window" }, JSON_OPTION],
  example: 'passito movements out OP-000001 --by "Main gate"',
  run: (input) => record(input, 'out'),
};

export const back: Command = {
  name: 'movements in',
  args: '<pass>',
  about: 'Record that a student comes back',
  options: [...OPTIONS, JSON_OPTION],
  example: 'passito movements in OP-000001',
  run: (input) => record(input, 'in'),
};

function record(input: Input, direction: Direction): Promise<number> {
  const by = readBy(input);
  return withStore(input, async (store, _queries, config) => {
    const zone = config.settings.timeZone;
    const time = input.option('at');
    const at = time === undefined ? undefined : readAt(time, zone);
    const office = openOffice(config, store);
    const pass = await findPass(office, input.args[0] as string);
    const movement = await office.recordMovement(pass.id, direction, {
      by,
      force: input.has('force'),
      ...(at === undefined ? {} : { at }),
    });
    if (input.json) {
      const { id, at: when, recordedBy } = movement;
      const { id: passId, reference } = pass;
      input.print(
        JSON.stringify({ id, outpass_id: passId, reference, direction, at: when, recorded_by: recordedBy }),
      );
      return 0;
    }
    const { name, rollNumber } = pass.student;
    const late =
      direction === 'in' &&
      isLate(movement.at, pass.returnsAt, pass.student.gender, (await office.settings()).lateGrace);
    const text = `${name} (${rollNumber}) ${direction === 'out' ? 'went out' : 'came back'}, ${tellTime(movement.at, zone)}`;
    const end = late ? `; the pass ended at ${tellTime(pass.returnsAt, zone)}` : '';
    input.print(`Outpass ${pass.reference}: ${inZone(`${text}${end}`, zone)}.`);
    return 0;
  });
}
