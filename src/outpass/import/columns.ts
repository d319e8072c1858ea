/** The columns of the import files: the one place that says what each is called and may hold. */

import { passStatuses } from '../pass-states.ts';
import { frequencies, reportNames } from '../report-settings.ts';

/** How a value is checked. A `line` is text without breaks: a name, or what stands in one line of the pass. */
type ColumnKind =
  | 'line'
  | 'text'
  | 'email'
  | 'phone'
  | 'year'
  | 'time'
  | 'status'
  | 'reference'
  | 'role'
  | 'gender'
  | 'switch'
  | 'report'
  | 'frequency'
  | 'clock'
  | 'weekday'
  | 'day'
  | 'month';

/** One column. */
export interface Column {
  readonly kind: ColumnKind;
  /** Whether every new record needs a value. */
  readonly required: boolean;
  /** Longest text, in characters. */
  readonly max: number;
  /** For the documentation. */
  readonly about: string;
}

const column = (kind: ColumnKind, required: boolean, max: number, about: string): Column => ({
  kind,
  required,
  max,
  about,
});

/** What a user may be. */
export const roles = ['student', 'warden', 'chief_warden', 'verifier'] as const;

/** Hostels; the name is the natural key. */
export const hostelColumns = {
  name: column('line', true, 120, 'names the hostel; an existing one is updated'),
  type: column('line', false, 60, ''),
  category: column('line', false, 60, ''),
} as const satisfies Record<string, Column>;

/** Users; the e-mail address is the natural key. */
export const userColumns = {
  name: column('line', true, 120, ''),
  email: column('email', true, 254, 'names the user; an existing one is updated'),
  role: column('role', true, 20, `one of ${roles.join(', ')}`),
  gender: column('gender', false, 10, 'male or female: whose hostels they look after'),
  phone: column('phone', false, 24, 'digits, with spaces, hyphens and a leading + allowed'),
  hostel: column('line', false, 120, 'made if it does not exist yet'),
  active: column('switch', false, 10, 'yes or no; yes for a new user'),
} as const satisfies Record<string, Column>;

/** Students; the roll number is the natural key. */
export const studentColumns = {
  name: column('line', true, 120, 'as printed on the pass'),
  email: column('email', true, 254, 'where the pass is sent'),
  roll_number: column('line', true, 40, 'names the student; an existing one is updated'),
  year: column('year', false, 40, 'year of study, 1 to 10'),
  programme: column('line', false, 160, 'such as B.E. Computer Science'),
  hostel: column('line', false, 120, 'made if it does not exist yet'),
  room: column('line', false, 40, ''),
  parent_phone: column('phone', false, 24, 'digits, with spaces, hyphens and a leading + allowed'),
  gender: column('gender', false, 10, 'male or female'),
  academic_year: column('line', false, 20, 'such as 2026-2027'),
  phone: column('phone', false, 24, 'the student’s own'),
  active: column('switch', false, 10, 'yes or no; yes for a new student'),
  parent_email: column('email', false, 254, 'where a parent is asked who has no mobile phone'),
} as const satisfies Record<string, Column>;

/** Outpasses; the reference is the natural key. */
export const outpassColumns = {
  reference: column(
    'reference',
    false,
    40,
    'names the pass; an existing one is updated, without it a new pass is made',
  ),
  roll_number: column('line', true, 40, 'of a student who is already imported'),
  kind: column('line', true, 60, 'such as Home pass'),
  purpose: column('text', true, 500, ''),
  destination: column('line', true, 200, ''),
  leaves_at: column('time', true, 40, 'YYYY-MM-DD HH:MM in the office’s time zone, or with an offset'),
  returns_at: column('time', true, 40, 'the same form; after leaves_at'),
  status: column('status', false, 40, `one of ${passStatuses.join(', ')}; pending for a new pass`),
} as const satisfies Record<string, Column>;

/** The gate's log, one line for both ways; the pass's reference is the natural key. */
export const movementColumns = {
  reference: column('line', true, 40, 'of an outpass that is already there'),
  out_at: column('time', true, 40, 'when the student went out; the form is that of leaves_at'),
  in_at: column('time', false, 40, 'when the student came back; empty while out'),
  recorded_by: column('line', true, 120, 'the verifier'),
} as const satisfies Record<string, Column>;

/** Report settings; the report and the gender are the natural key. */
export const reportColumns = {
  report: column('report', true, 40, `one of ${reportNames.join(', ')}`),
  gender: column('gender', true, 10, 'of whose hostels'),
  enabled: column('switch', false, 10, 'yes or no'),
  frequency: column('frequency', false, 20, `one of ${frequencies.join(', ')}`),
  weekday: column('weekday', false, 10, '1 (Monday) to 7; weekly reports need it'),
  day: column('day', false, 10, '1 to 31; monthly and yearly reports need it'),
  month: column('month', false, 10, '1 to 12; yearly reports need it'),
  time: column('clock', false, 10, 'HH:MM in the office’s time zone'),
  recipients: column('line', false, 4000, 'wardens’ e-mail addresses with ; or spaces between'),
} as const satisfies Record<string, Column>;
