/** `passito outpass create|reject|cancel`: what the desk does beside approving. */

import { openOffice, openStore } from '../../app.ts';
import { errors } from '../../errors.ts';
import { quoted } from '../../escape.ts';
import type { Inserted } from '../../engine/store.ts';
import { checkCell } from '../../outpass/import/cells.ts';
import { outpassColumns } from '../../outpass/import/columns.ts';
import { inZone, tellTime } from '../../outpass/local-time.ts';
import type { PassDetails } from '../../outpass/office.ts';
import { newPass, type NewPass } from '../../outpass/new-pass.ts';
import { rejectPass } from '../../store/sqlite/decisions.ts';
import { audited } from './audit.ts';
import { type Command, type CommandOption, type Input, JSON_OPTION } from './command.ts';
import { withStore } from './with-store.ts';
import { findPass, passAsJson } from './outpass.ts';
import { readBy } from './values.ts';

/** The option that gives each field of a new pass. */
const FIELDS: Readonly<Record<keyof NewPass, string>> = {
  rollNumber: 'student',
  kind: 'kind',
  purpose: 'purpose',
  destination: 'destination',
  leavesAt: 'out',
  returnsAt: 'in',
  reference: 'reference',
};

export const create: Command = {
  name: 'outpass create',
  about: 'Make a pending outpass for a student',
  options: [
    { name: 'student', value: 'roll', about: "The student's roll number" },
    { name: 'kind', value: 'kind', about: 'Such as Home pass' },
    { name: 'purpose', value: 'text', about: 'Why' },
    { name: 'destination', value: 'place', about: 'Where to' },
    { name: 'out', value: 'time', about: "When it begins: '2026-11-20 18:00'" },
    { name: 'in', value: 'time', about: 'When the student must be back' },
    { name: 'reference', value: 'name', about: 'Names the pass (one is made, such as OP-000012)' },
    JSON_OPTION,
  ],
  example:
    "passito outpass create --student 21CS001 --kind 'Home pass' --purpose Wedding --destination Madurai --out '2026-11-20 18:00' --in '2026-11-23 08:00'",
  async run(input) {
    const config = await input.config();
    const pass = readPass(input, config.settings.timeZone);
    const store = await openStore(config, 'existing');
    try {
      const office = openOffice(config, store);
      const created = await audited(
        store,
        input,
        'outpass create',
        () => office.createPass(pass),
        ({ reference, student }) => `${reference} for ${student.rollNumber}`,
      );
      if (input.json) input.print(JSON.stringify(passAsJson(created)));
      else {
        const { reference, student, leavesAt, returnsAt } = created;
        const { timeZone: zone } = config.settings;
        const window = `${tellTime(leavesAt, zone)} – ${tellTime(returnsAt, zone)}`;
        input.print(
          `Outpass ${reference} for ${student.name} (${student.rollNumber}): ${inZone(window, zone)}. It is pending.`,
        );
        input.note(`Approve it: passito outpass approve ${quoted(reference)}`);
      }
      return 0;
    } finally {
      await store.close();
    }
  },
};

function readPass(input: Input, zone: string): NewPass {
  const fields = Object.entries(FIELDS) as [keyof NewPass, string][];
  const missing = fields.filter(([field, name]) => field !== 'reference' && !input.has(name));
  if (missing.length > 0) {
    throw errors.missingArgument('outpass create', missing.map(([, name]) => `--${name}`).join(', '));
  }
  const given = Object.fromEntries(
    fields.filter(([, name]) => input.has(name)).map(([field, name]) => [field, input.option(name)]),
  ) as Partial<Record<keyof NewPass, string>>;
  const read = newPass(given, zone, Date.now(), (field) => `--${FIELDS[field]}`);
  if ('wrong' in read) throw errors.badOption(read.wrong.join('; '));
  return read.pass;
}

const BY: CommandOption = { name: 'by', value: 'name', about: 'Who decides (you)' };

export const reject: Command = {
  name: 'outpass reject',
  args: '<pass>',
  about: 'Reject an outpass, with the reason; the student gets a mail',
  options: [{ name: 'reason', value: 'text', about: 'Why; kept as its remarks' }, BY, JSON_OPTION],
  example: 'passito outpass reject OP-000001 --reason "Exams that day"',
  run(input) {
    if ((input.option('reason') ?? '').trim() === '') {
      throw errors.missingArgument('outpass reject', '--reason');
    }
    return close(input, 'reject');
  },
};

export const cancel: Command = {
  name: 'outpass cancel',
  args: '<pass>',
  about: 'Cancel an outpass that nobody has gone out on',
  options: [{ name: 'reason', value: 'text', about: 'Why' }, BY, JSON_OPTION],
  example: 'passito outpass cancel OP-000001',
  run: (input) => close(input, 'cancel'),
};

/** May have several lines, as a purpose may. */
function readReason(input: Input): string | null {
  const verdict = checkCell(input.option('reason'), outpassColumns.purpose, 'UTC');
  if ('wrong' in verdict) throw errors.badOption(`--reason ${verdict.wrong}`);
  return verdict.value === null ? null : String(verdict.value);
}

function close(input: Input, move: 'reject' | 'cancel'): Promise<number> {
  const note = { by: readBy(input), remarks: readReason(input) };
  return withStore(input, async (store, _queries, config) => {
    const office = openOffice(config, store);
    const { id } = await findPass(office, input.args[0] as string);
    const { pass, mail } = await audited(
      store,
      input,
      `outpass ${move}`,
      (): Promise<{ pass: PassDetails; mail?: Inserted }> =>
        move === 'reject'
          ? rejectPass(store, office, id, note)
          : store.write((now) => ({ pass: office.movePass(id, move, { ...note, at: now }) })),
      ({ pass: { reference, remarks } }) => (remarks === null ? reference : `${reference}: ${remarks}`),
    );
    const { reference, status, remarks } = pass;
    const jobs = mail === undefined ? [] : [mail.id];
    if (input.json) input.print(JSON.stringify({ id, reference, status, remarks, jobs }));
    else {
      const told = mail === undefined ? '' : ` Job #${mail.id} dispatched: mail to the student.`;
      input.print(`Outpass ${reference} ${status}.${told}`);
    }
    return 0;
  });
}
