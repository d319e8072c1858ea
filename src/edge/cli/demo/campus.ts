/** A small campus for `passito demo`: invented people, under addresses that belong to nobody. */

import type { Gender } from '../../../outpass/report-settings.ts';
import { nameOf } from './people.ts';

/** How many students there are: women at the even places, men at the odd ones. */
export const STUDENTS = 200;

/** The institution on the passes, unless the configuration names one. */
export const INSTITUTION = {
  institutionName: 'Example Institute of Technology',
  institutionAddress: '1 College Road, Madurai 625 001, Tamil Nadu',
};

/** The sender of all mails. */
export const OFFICE_MAIL = 'Hostel Office <hostels@example.edu>';

const HOSTELS = [
  { name: 'Kaveri Hostel', gender: 'female', warden: 'Dr. S. Kavitha', email: 'kavitha@example.edu' },
  { name: 'Bhavani Hostel', gender: 'female', warden: 'Annie Mathew', email: 'annie@example.edu' },
  { name: 'Vaigai Hostel', gender: 'male', warden: 'R. Murugesan', email: 'murugesan@example.edu' },
  { name: 'Thamirabarani Hostel', gender: 'male', warden: 'Prof. Anil Kulkarni', email: 'anil@example.edu' },
] as const;

/** Looks after all hostels, and gets every report. */
const CHIEF_WARDEN = 'Dr. Meera Rao';

/** Who keep the gate: the one side of it, and the other. */
export const VERIFIERS = { out: 'K. Selvam', in: 'Fatima Begum' };

const PROGRAMMES = [
  ['CS', 'B.E. Computer Science and Engineering'],
  ['EC', 'B.E. Electronics and Communication Engineering'],
  ['ME', 'B.E. Mechanical Engineering'],
  ['AI', 'B.Tech. Artificial Intelligence and Data Science'],
  ['CE', 'B.E. Civil Engineering'],
] as const;

/** The year in which those of the first year came. */
const FIRST_YEAR = 26;

type Row = readonly string[];

/** Hostels, as an import file. */
export function hostelTable(): Row[] {
  const rows = HOSTELS.map(({ name, gender }) => [
    name,
    gender === 'female' ? 'women' : 'men',
    'undergraduate',
  ]);
  return [['name', 'type', 'category'], ...rows];
}

/** The staff, as an import file. */
export function userTable(): Row[] {
  return [
    ['name', 'email', 'role', 'gender', 'phone', 'hostel'],
    [CHIEF_WARDEN, 'meera@example.edu', 'chief_warden', '', phone(900), ''],
    ...HOSTELS.map(({ name, gender, warden, email }, i) => [
      warden,
      email,
      'warden',
      gender,
      phone(901 + i),
      name,
    ]),
    ...Object.values(VERIFIERS).map((name, i) => [
      name,
      `gate${i + 1}@example.edu`,
      'verifier',
      '',
      phone(910 + i),
      '',
    ]),
  ];
}

/** The students, as an import file. */
export function studentTable(): Row[] {
  const head = [
    'name', 'email', 'roll_number', 'year', 'programme', 'hostel', 'room', 'parent_phone', 'gender', 'academic_year', 'phone',
  ]; // prettier-ignore
  return [head, ...Array.from({ length: STUDENTS }, (_, i) => studentRow(i))];
}

function studentRow(i: number): Row {
  const gender = i % 2 === 0 ? 'female' : 'male';
  const n = Math.floor(i / 2);
  const roll = rollNumber(i);
  // Two share a room, and who lives in one hostel comes at every second place.
  const pair = Math.floor(n / 4);
  const room = `${'ABCD'[pair % 4]}-${100 * (1 + (Math.floor(pair / 4) % 3)) + pair + 1}`;
  const email = `${roll.toLowerCase()}@example.edu`;
  return [
    nameOf(gender, n), email, roll, String(yearOf(i)), programmeOf(i)[1], hostelsOf(gender)[n % 2]?.name ?? '', room,
    phone(i), gender, '2026-2027', phone(1000 + i),
  ]; // prettier-ignore
}

/** What names a student. @example rollNumber(0) === '26CS001' */
export function rollNumber(i: number): string {
  return `${FIRST_YEAR + 1 - yearOf(i)}${programmeOf(i)[0]}${String(i + 1).padStart(3, '0')}`;
}

/** Who decides on passes of a hostel's students; without a hostel, the chief warden. */
export function wardenOf(hostel: string | null): string {
  const found = HOSTELS.find(({ name }) => name === hostel);
  return found === undefined ? `${CHIEF_WARDEN}, Chief Warden` : `${found.warden}, Warden`;
}

/** The addresses of the wardens of a gender's hostels. */
export function wardenMails(gender: Gender): string[] {
  return hostelsOf(gender).map(({ email }) => email);
}

const hostelsOf = (gender: Gender) => HOSTELS.filter((hostel) => hostel.gender === gender);

const yearOf = (i: number) => 1 + (Math.floor(i / 10) % 4);

/** Neighbours study different things, and so do those who are five apart, who have passes. */
const programmeOf = (i: number) =>
  PROGRAMMES[(i + Math.floor(i / 10)) % PROGRAMMES.length] as (typeof PROGRAMMES)[number];

/** No number in India begins with a 1 there. */
const phone = (n: number) => `+91 10000 ${String(n).padStart(5, '0')}`;
