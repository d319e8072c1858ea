/** How long after its end a pass still holds. Men's and women's hostels may have their own rule. */

import { parseTime } from '../engine/clock.ts';
import type { Gender } from './report-settings.ts';

/** Milliseconds: for everybody, and for the students of a gender. Null: what everybody has. */
export type LateGrace = { readonly all: number } & Readonly<Record<Gender, number | null>>;

/** The grace of a student, in milliseconds; one of no known gender has what everybody has. */
export function graceOf(gender: Gender | null, grace: LateGrace): number {
  return (gender === null ? null : grace[gender]) ?? grace.all;
}

/** The last instant at which a student may still be on the way, in milliseconds since 1970. */
export function graceEnds(returnsAt: string, gender: Gender | null, grace: LateGrace): number {
  return parseTime(returnsAt) + graceOf(gender, grace);
}

/** Whether someone who came back at that time (UTC text) came later than the pass and its grace allow. */
export function isLate(at: string, returnsAt: string, gender: Gender | null, grace: LateGrace): boolean {
  return parseTime(at) > graceEnds(returnsAt, gender, grace);
}
