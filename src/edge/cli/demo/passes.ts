/** The forty outpasses of `passito demo`: who asks for what, and what becomes of it, around the present day. */

import { dayOf, instantAt, wallClock } from '../../../outpass/reports/calendar.ts';
import { rollNumber, STUDENTS } from './campus.ts';

/**
 * What becomes of a pass. Of yesterday: used in time, used and late, or never used. Of these days: the student is out.
 * Of the days to come: approved, rejected, cancelled, or still to be decided.
 */
type Fate = 'back' | 'late' | 'unused' | 'out' | 'ahead' | 'rejected' | 'cancelled' | 'pending';

/** A pass with its fate. Times are milliseconds. */
export interface PlannedPass {
  reference: string;
  fate: Fate;
  kind: string;
  leavesAt: number;
  returnsAt: number;
  /** Why it is rejected or cancelled. */
  reason: string | null;
  /** Its line in the import file. */
  row: readonly string[];
}

/** Nights away, and the hours at which students leave and are back. */
const KINDS = {
  'Day pass': { nights: 0, leaves: '09:00', returns: '18:00' },
  'Medical pass': { nights: 0, leaves: '10:00', returns: '17:00' },
  'Home pass': { nights: 2, leaves: '16:30', returns: '20:00' },
  'Official pass': { nights: 2, leaves: '07:00', returns: '21:00' },
} as const;

type Ask = readonly [
  fate: Fate,
  kind: keyof typeof KINDS,
  purpose: string,
  destination: string,
  reason?: string,
];

/** Women ask at the even places, men at the odd ones. */
const ASKS: readonly Ask[] = [
  ['back', 'Day pass', 'Bank work and shopping', 'Town Hall Road, Madurai'],
  ['back', 'Medical pass', 'Dental appointment', 'City Dental Clinic, Madurai'],
  ['late', 'Day pass', "Cousin's engagement", 'Dindigul'],
  ['back', 'Home pass', "Father's sixtieth birthday", 'Tirunelveli'],
  ['late', 'Home pass', 'Temple festival at home', 'Karaikudi'],
  ['late', 'Day pass', 'Appointment at the passport office', 'Madurai'],
  ['back', 'Official pass', 'Industrial visit with the department', 'Hosur'],
  ['back', 'Medical pass', 'Eye check-up', 'City Eye Clinic, Madurai'],
  ['unused', 'Day pass', 'Visit to the public library', 'Madurai'],
  ['back', 'Official pass', 'Cricket, zonal selection', 'Tiruchirappalli'],
  ['out', 'Home pass', "Grandmother's eightieth birthday", 'Rameswaram'],
  ['out', 'Home pass', "Brother's engagement", 'Nagpur'],
  ['out', 'Official pass', 'National hackathon, finals', 'Coimbatore'],
  ['out', 'Home pass', 'அக்காவின் திருமணம்', 'தஞ்சாவூர்'],
  ['out', 'Home pass', "Recovering from a fever, with the doctor's letter", 'Salem'],
  ['out', 'Official pass', 'Zonal athletics meet', 'Virudhunagar'],
  ['ahead', 'Home pass', "Sister's wedding", 'Kochi'],
  ['rejected', 'Day pass', 'Film with friends', 'Madurai', 'The late show ends after the gate closes; choose a matinee.'],
  ['ahead', 'Home pass', 'दादाजी से मिलने घर जाना है', 'नागपुर'],
  ['ahead', 'Home pass', 'House-warming of our new home, to which the whole family comes together from three states; the priest has named the hour', 'No. 14, Second Cross Street, Sri Venkateswara Nagar Extension, near the old bus stand, Thoothukudi'],
  ['cancelled', 'Home pass', 'Family trip', 'Kodaikanal', 'The trip was put off.'],
  ['ahead', 'Home pass', 'माँ का जन्मदिन', 'भोपाल'],
  ['ahead', 'Home pass', 'Harvest festival with the family', 'Kumbakonam'],
  ['rejected', 'Home pass', 'Long weekend at home', 'Erode', 'Semester examinations begin on that Monday.'],
  ['ahead', 'Day pass', 'Blood donation camp', 'Madurai'],
  ['ahead', 'Medical pass', 'Physiotherapy, third sitting', 'Sports Injury Centre, Madurai'],
  ['rejected', 'Home pass', "Friend's wedding", 'Pollachi', 'Attendance is below 75 %: see the class tutor first.'],
  ['ahead', 'Official pass', 'Interview for an internship', 'Bengaluru'],
  ['ahead', 'Home pass', 'Brother leaves for abroad: farewell at the airport', 'Thiruvananthapuram'],
  ['ahead', 'Day pass', 'Driving licence test', 'Madurai'],
  ['ahead', 'Official pass', 'NCC camp', 'Ooty'],
  ['rejected', 'Official pass', 'Concert', 'Chennai', 'An official pass needs the letter of the organiser; ask again with it.'],
  ['ahead', 'Home pass', 'வீட்டில் குலதெய்வ வழிபாடு', 'திருச்செந்தூர்'],
  ['ahead', 'Official pass', 'Paper presentation at a symposium', 'Chennai'],
  ['pending', 'Home pass', 'Father’s surgery', 'Vellore'],
  ['cancelled', 'Day pass', 'Shopping', 'Madurai', 'No longer needed.'],
  ['ahead', 'Medical pass', 'Follow-up with the dentist', 'City Dental Clinic, Madurai'],
  ['pending', 'Day pass', 'Meeting of the alumni club', 'Madurai'],
  ['pending', 'Official pass', 'Chess, inter-university', 'Puducherry'],
  ['pending', 'Home pass', 'Election day: voting at home', 'Nagercoil'],
]; // prettier-ignore

const DAY_MS = 86_400_000;

/** All passes, around the day that the zone's clock shows at `now`. */
export function planPasses(now: number, zone: string): PlannedPass[] {
  return ASKS.map(([fate, kind, purpose, destination, reason = null], i) => {
    const { nights, leaves, returns } = KINDS[kind];
    const first = firstDay(fate, nights, i);
    const [out, back] = [wallTime(now, zone, first, leaves), wallTime(now, zone, first + nights, returns)];
    const reference = `OP-${String(i + 1).padStart(6, '0')}`;
    // Five apart, the students are of all years, hostels and scripts.
    const student = rollNumber((i * 5) % STUDENTS);
    return {
      reference,
      fate,
      kind,
      leavesAt: out.at,
      returnsAt: back.at,
      reason,
      row: [reference, student, kind, purpose, destination, out.text, back.text],
    };
  });
}

/** The passes, as an import file. */
export function passTable(passes: readonly PlannedPass[]): (readonly string[])[] {
  const head = ['reference', 'roll_number', 'kind', 'purpose', 'destination', 'leaves_at', 'returns_at'];
  return [head, ...passes.map(({ row }) => row)];
}

/** The day on which a pass begins, counted from today: what is over ended yesterday, whatever the hour is now. */
function firstDay(fate: Fate, nights: number, i: number): number {
  if (fate === 'out') return -1;
  return ['back', 'late', 'unused'].includes(fate) ? -1 - nights : 1 + (i % 5);
}

/** A time of a day: as it stands in a file, and when that is. */
function wallTime(now: number, zone: string, days: number, time: string): { at: number; text: string } {
  const day = new Date(wallClock(now, zone).getTime() + days * DAY_MS);
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return { at: instantAt(dayOf(day), hour, minute, zone), text: `${day.toISOString().slice(0, 10)} ${time}` };
}

/** When the reports of a day are sent, by the clock on the wall. */
export const REPORT_TIME = '21:30';

/** When yesterday's reports were due. */
export function reportedAt(now: number, zone: string): number {
  return wallTime(now, zone, -1, REPORT_TIME).at;
}
