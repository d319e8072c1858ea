/** The first step of every job about a pass. */

import { discard } from '../../engine/handler.ts';
import type { OfficeContext, PassDetails, PassStatus } from '../office.ts';

/** The pass, if it exists and is of this status; otherwise the job is given up, since waiting would change nothing. */
export async function passThatIs(
  status: PassStatus,
  id: number,
  context: OfficeContext,
): Promise<PassDetails> {
  const pass = await context.office.pass(id);
  if (pass === undefined) discard(`Outpass #${id} does not exist.`);
  if (pass.status !== status) {
    discard(`Outpass #${id} (${pass.reference}) is ${pass.status}, not ${status}.`);
  }
  return pass;
}

/** The pass, if it is approved. */
export function approvedPass(id: number, context: OfficeContext): Promise<PassDetails> {
  return passThatIs('approved', id, context);
}
