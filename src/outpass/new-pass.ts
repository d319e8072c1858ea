/** A pass that somebody asks for at the desk: checked as a row of an import file is. */

import { parseTime } from '../engine/clock.ts';
import { checkCell } from './import/cells.ts';
import { outpassColumns } from './import/columns.ts';

/** What a new pass is made of; times are UTC text. */
export interface NewPass {
  /** Null: made from the pass's number. */
  reference: string | null;
  rollNumber: string;
  kind: string;
  purpose: string;
  destination: string;
  leavesAt: string;
  returnsAt: string;
}

/** The column that each field is checked as. */
const FIELDS = {
  reference: 'reference',
  rollNumber: 'roll_number',
  kind: 'kind',
  purpose: 'purpose',
  destination: 'destination',
  leavesAt: 'leaves_at',
  returnsAt: 'returns_at',
} as const satisfies Record<keyof NewPass, keyof typeof outpassColumns>;

/**
 * Checks what was given for a pass; times without an offset are those of the zone. Gives the pass, or what is wrong,
 * each with the name that `nameOf` has for the field.
 */
export function newPass(
  given: Readonly<Partial<Record<keyof NewPass, string>>>,
  zone: string,
  now: number,
  nameOf: (field: keyof NewPass) => string,
): { pass: NewPass } | { wrong: string[] } {
  const wrong: string[] = [];
  const values: Partial<Record<keyof NewPass, string | null>> = {};
  for (const [field, name] of Object.entries(FIELDS) as [keyof NewPass, keyof typeof outpassColumns][]) {
    const verdict = checkCell(given[field], outpassColumns[name], zone);
    if ('wrong' in verdict) wrong.push(`${nameOf(field)} ${verdict.wrong}`);
    else if (verdict.value === null && outpassColumns[name].required) {
      wrong.push(`${nameOf(field)} is missing`);
    } else values[field] = verdict.value === null ? null : String(verdict.value);
  }
  const { leavesAt, returnsAt } = values;
  if (typeof returnsAt === 'string') {
    if (typeof leavesAt === 'string' && leavesAt >= returnsAt) {
      wrong.push(`${nameOf('returnsAt')} is not after ${nameOf('leavesAt')}`);
    }
    if (parseTime(returnsAt) <= now) wrong.push(`${nameOf('returnsAt')} lies in the past`);
  }
  return wrong.length > 0 ? { wrong } : { pass: values as NewPass };
}
