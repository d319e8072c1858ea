/** What the office says no to: a rule of the office or a fault in its folders, told in one line. */

import { EXIT, PassitoError } from '../errors.ts';

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
  parentLink: (reason: string) =>
    new PassitoError('PARENT_LINK', EXIT.no, `This link cannot be used: ${reason}.`),
  signingKey: (file: string, reason: string) =>
    new PassitoError(
      'SIGNING_KEY',
      EXIT.unreachable,
      `The signing key in ${file} cannot be used: ${reason}.`,
    ),
};
