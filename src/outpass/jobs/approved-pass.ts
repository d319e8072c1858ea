/** The first step of every job that works on an approved pass. */

import { discard } from '../../engine/handler.ts';
import type { OfficeContext, PassDetails } from '../office.ts';

/** The pass, if it exists and is approved; otherwise the job is given up, since waiting would change nothing. */
export async function approvedPass(id: number, context: OfficeContext): Promise<PassDetails> {
  const pass = await context.office.pass(id);
  if (pass === undefined) discard(`Outpass #${id} does not exist.`);
  if (pass.status !== 'approved') {
    discard(`Outpass #${id} (${pass.reference}) is ${pass.status}, not approved.`);
  }
  return pass;
}
