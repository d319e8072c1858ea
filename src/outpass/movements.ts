/** Who may pass the gate: pure rules over a pass and what the gate's log says of it. Times are milliseconds. */

import { parseTime } from '../engine/clock.ts';
import { quoted } from '../escape.ts';
import { inZone, tellTime } from './local-time.ts';
import type { PassDetails } from './office.ts';

export type Direction = 'out' | 'in';

/** A clock at the gate may be ahead of the server's by this much, in milliseconds. */
const CLOCK_SLIP_MS = 60_000;

/** Whether a time (UTC text, or milliseconds) has not come yet by any clock at the gate. */
export function isFuture(at: string | number, now: number): boolean {
  return (typeof at === 'number' ? at : parseTime(at)) > now + CLOCK_SLIP_MS;
}

/** What is to be recorded. */
export interface Passage {
  direction: Direction;
  at: number;
  /** The present, before which it must have happened. */
  now: number;
  /** Lets a student out before or after the pass's window. */
  force: boolean;
}

/** Why a passage cannot be recorded, as the end of a sentence about the pass; undefined where it can. */
export function refusePassage(
  pass: PassDetails,
  { direction, at, now, force }: Passage,
  zone: string,
): { reason: string; hint?: string } | undefined {
  const told = (utc: string) => inZone(tellTime(utc, zone), zone);
  if (isFuture(at, now)) return { reason: 'cannot be used in the future' };
  if (direction === 'in') {
    if (pass.wentOutAt === null) {
      return { reason: 'has not gone out', hint: `Type: passito movements out ${quoted(pass.reference)}` };
    }
    if (pass.cameBackAt !== null) return { reason: `came back already, ${told(pass.cameBackAt)}` };
    if (at < parseTime(pass.wentOutAt)) {
      return { reason: `went out only at ${told(pass.wentOutAt)}, and cannot come back before` };
    }
    return undefined;
  }
  if (pass.wentOutAt !== null) return { reason: `went out already, ${told(pass.wentOutAt)}` };
  if (pass.status !== 'approved') {
    const waits = ['pending', 'parent_approved'].includes(pass.status);
    return {
      reason: `is ${pass.status}; only an approved pass opens the gate`,
      ...(waits ? { hint: `Type: passito outpass approve ${quoted(pass.reference)}` } : {}),
    };
  }
  const hint = '--force records it nevertheless.';
  if (!force && at < parseTime(pass.leavesAt)) {
    return { reason: `begins only at ${told(pass.leavesAt)}`, hint };
  }
  if (!force && at > parseTime(pass.returnsAt)) return { reason: `ended at ${told(pass.returnsAt)}`, hint };
  return undefined;
}
