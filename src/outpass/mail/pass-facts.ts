/** What the mails about a pass say of it, and how they greet. */

import { tellDate, tellTime, tellZone } from '../local-time.ts';
import type { OfficeSettings, PassDetails } from '../office.ts';
import type { Fact } from './html.ts';

/** The name by which a mail's HTML shows the attached QR code. */
export const QR_CID = 'qr@outpass';

/** Where a student turns who knows nothing of the pass. */
export const PASS_DOUBT = 'If you did not ask for this outpass, tell your warden.';

/** Number, times, place and purpose, and these beside. Times are told in the office's zone. */
export function passFacts(
  pass: PassDetails,
  { timeZone: zone }: OfficeSettings,
  beside: readonly (readonly [label: string, value: string | null])[],
): Fact[] {
  const facts: Fact[] = [
    ['Pass number', pass.reference],
    ['Out', `${tellTime(pass.leavesAt, zone)} (${tellZone(pass.leavesAt, zone)})`],
    ['Back by', `${tellTime(pass.returnsAt, zone)} (${tellZone(pass.returnsAt, zone)})`],
    ['Destination', pass.destination],
    ['Purpose', pass.purpose],
  ];
  for (const [label, value] of beside) if (value !== null && value !== '') facts.push([label, value]);
  return facts;
}

/** A subject that tells one pass of a student from another. */
export function passSubject(heading: string, pass: PassDetails, { timeZone }: OfficeSettings): string {
  return `${heading}: ${pass.kind}, ${tellDate(pass.leavesAt, timeZone)}`;
}

/** What inboxes show beside the subject. */
export function passPreview(pass: PassDetails, { timeZone: zone }: OfficeSettings): string {
  return `${pass.kind}: out ${tellTime(pass.leavesAt, zone)}, back by ${tellTime(pass.returnsAt, zone)}`;
}
