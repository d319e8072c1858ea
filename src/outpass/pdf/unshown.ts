/** Finds what of a pass no font can show, before anyone has to find it on paper. */

import { fontStack } from '../font-folder.ts';
import type { OfficeSettings, PassDetails } from '../office.ts';
import { missing } from './pieces.ts';
import { printable } from './printable.ts';

/** A field of the gate pass that holds characters which no font can show. */
export interface Unshown {
  /** By its name in the pass or the settings, such as `student.name`. */
  field: string;
  /** Each of them once, in the order of their first appearance. */
  characters: string;
}

/** The fields with such characters; none is what one hopes for. */
export function findUnshown(pass: PassDetails, settings: OfficeSettings): Unshown[] {
  const { regular } = fontStack(settings.fontsFolder);
  const { student } = pass;
  const fields: Record<string, string | null> = {
    institutionName: settings.institutionName,
    institutionAddress: settings.institutionAddress,
    appName: settings.appName,
    reference: pass.reference,
    kind: pass.kind,
    'student.name': student.name,
    'student.rollNumber': student.rollNumber,
    'student.programme': student.programme,
    'student.hostel': student.hostel,
    'student.room': student.room,
    destination: pass.destination,
    purpose: pass.purpose,
    approvedBy: pass.approvedBy,
  };
  return Object.entries(fields).flatMap(([field, value]) => {
    const characters = missing(printable(value ?? ''), regular);
    return characters === '' ? [] : [{ field, characters }];
  });
}
