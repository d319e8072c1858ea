/** A small campus for `passito demo`. The people are invented, and example.edu belongs to nobody. */

const STUDENTS = [
  ['Asha Verma', 'asha.verma', '21CS001', '3', 'B.E. Computer Science', 'Ganga Hostel', 'B-204'],
  ['Imran Sheikh', 'imran.sheikh', '21ME014', '3', 'B.E. Mechanical Engineering', 'Kaveri Hostel', 'A-011'],
  ['Lakshmi Narayanan', 'lakshmi.n', '22EC107', '2', 'B.E. Electronics', 'Ganga Hostel', 'C-310'],
  ['Joseph Fernandes', 'joseph.f', '20CE033', '4', 'B.E. Civil Engineering', 'Kaveri Hostel', 'D-102'],
  ['Zoya Khan', 'zoya.khan', '23AI009', '1', 'B.Tech. Artificial Intelligence', 'Ganga Hostel', 'A-117'],
] as const;

const PLANS = [
  ['Home pass', "Sister's wedding", 'Madurai', 1, 4],
  ['Day pass', 'Dental appointment', 'City Hospital, Chennai', 0.2, 0.5],
  ['Home pass', 'Festival at home', 'Thanjavur', 2, 6],
  ['Official pass', 'Inter-college hackathon', 'IIT Madras, Chennai', 3, 5],
  ['Day pass', 'Bank work and shopping', 'T. Nagar, Chennai', 0.3, 0.6],
] as const;

const DAY_MS = 86_400_000;

/** The students, as CSV. */
export function sampleStudents(): string {
  const rows = STUDENTS.map(([name, mail, ...rest]) => [name, `${mail}@example.edu`, ...rest].join(','));
  return ['name,email,roll_number,year,programme,hostel,room', ...rows, ''].join('\n');
}

/** One pass a student, in the days that follow `now`, as CSV. */
export function sampleOutpasses(now: number): string {
  const time = (days: number) => new Date(now + days * DAY_MS).toISOString().slice(0, 16) + 'Z';
  const rows = PLANS.map(([kind, purpose, destination, out, back], i) =>
    [`DEMO-${i + 1}`, STUDENTS[i]?.[2], kind, purpose, `"${destination}"`, time(out), time(back)].join(','),
  );
  return ['reference,roll_number,kind,purpose,destination,leaves_at,returns_at', ...rows, ''].join('\n');
}
