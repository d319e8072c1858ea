/** What the office says no to: a rule of the office or a fault in its folders, told in one line. */

import { EXIT, PassitoError, sentence } from '../errors.ts';

/** Makes each error of the office. */
export const officeErrors = {
  passNotFound: (key: number | string) =>
    new PassitoError(
      'PASS_NOT_FOUND',
      EXIT.no,
      typeof key === 'number' ? `Outpass #${key} does not exist.` : `There is no outpass '${key}'.`,
      "'passito outpass list' shows the latest.",
    ),
  passMove: (id: number, reference: string, reason: string) =>
    new PassitoError('PASS_MOVE', EXIT.no, `Outpass #${id} (${reference}) ${reason}.`),
  passUsed: (id: number, reference: string, reason: string) =>
    new PassitoError(
      'PASS_USED',
      EXIT.no,
      `Outpass #${id} (${reference}) cannot be cancelled: the student ${reason}.`,
    ),
  passage: (id: number, reference: string, reason: string, hint?: string) =>
    new PassitoError('PASSAGE', EXIT.no, `Outpass #${id} (${reference}) ${reason}.`, hint),
  unknownStudent: (rollNumber: string) =>
    new PassitoError(
      'UNKNOWN_STUDENT',
      EXIT.usage,
      `There is no student with the roll number '${rollNumber}'.`,
      "'passito import students FILE' adds students.",
    ),
  studentInactive: (rollNumber: string) =>
    new PassitoError(
      'STUDENT_INACTIVE',
      EXIT.no,
      `The student with the roll number '${rollNumber}' is no longer active.`,
      "An import with the value yes in the column 'active' brings a student back.",
    ),
  referenceTaken: (reference: string) =>
    new PassitoError(
      'REFERENCE_TAKEN',
      EXIT.usage,
      `There is an outpass '${reference}' already.`,
      'Leave out --reference, and the pass gets one of its own.',
    ),
  reportTimes: (reason: string) => new PassitoError('REPORT_TIMES', EXIT.usage, sentence(upper(reason))),
  notWardens: (reason: string) =>
    new PassitoError(
      'NOT_WARDENS',
      EXIT.usage,
      `Only active wardens can be recipients: ${reason}.`,
      "'passito import users FILE' adds users.",
    ),
  font: (place: string, reason: string) =>
    new PassitoError(
      'FONT',
      EXIT.usage,
      `The fonts in ${place} cannot be used: ${reason}.`,
      'PASSITO_FONTS names the folder of fonts for the gate pass.',
    ),
  linkSecret: (file: string) =>
    new PassitoError(
      'LINK_SECRET',
      EXIT.unreachable,
      `${file} does not hold what parents' links are made of: 64 hexadecimal digits.`,
      'Remove the file: passito makes a new one. Links that were already sent still work.',
    ),
  signingKey: (file: string, reason: string, hint?: string) =>
    new PassitoError(
      'SIGNING_KEY',
      EXIT.unreachable,
      `The signing key in ${file} cannot be used: ${reason}.`,
      hint,
    ),
};

/** A sentence may begin with an option's name, which stays as it is typed. */
function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
