/** Why a mail did not leave, and whether trying again could help. */

import { messageOf } from '../errors.ts';

/** A mail that was not taken. The message holds the server's answer where there is one. */
export class MailError extends Error {
  /** True: the same mail would be refused again. False: the server, or the way to it, may recover. */
  readonly permanent: boolean;
  /** The server's own words, if it said something. */
  readonly response: string | undefined;

  constructor(message: string, permanent: boolean, response?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'MailError';
    this.permanent = permanent;
    this.response = response;
  }
}

/** A fault of the mail itself, found before anything was sent. */
export function badMail(reason: string): MailError {
  return new MailError(`The mail cannot be sent: ${reason}.`, true);
}

/** Sorts what the mail library throws: only an answer of 500 and above is final. */
export function serverFault(error: unknown, server: string): MailError {
  const { code, response } = answerOf(error);
  if (code !== undefined) {
    const said = response ?? String(code);
    return new MailError(`The mail server ${server} answered: ${said}`, code >= 500, said, error);
  }
  return new MailError(
    `The mail server ${server} cannot be used: ${messageOf(error)}`,
    false,
    undefined,
    error,
  );
}

function answerOf(error: unknown): { code: number | undefined; response: string | undefined } {
  if (!(error instanceof Error)) return { code: undefined, response: undefined };
  const code =
    'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : undefined;
  const response = 'response' in error && typeof error.response === 'string' ? error.response : undefined;
  return { code, response };
}
