/** Why a mail did not leave, and whether trying again could help. */

import { messageOf } from '../errors.ts';

/**
 * A mail that was not taken. The message holds the server's answer where there is one. It keeps the name `Error`, so that
 * a job's error is the sentence alone.
 */
export class MailError extends Error {
  /** True: the same mail would be refused again. False: the server, or the way to it, may recover. */
  readonly permanent: boolean;
  /** The server's own words, if it said something. */
  readonly response: string | undefined;

  constructor(message: string, permanent: boolean, response?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.permanent = permanent;
    this.response = response;
  }
}

/** A fault of the mail itself, found before anything was sent. */
export function badMail(reason: string): MailError {
  return new MailError(`The mail cannot be sent: ${reason}.`, true);
}

/** To any command: not before a login (RFC 4954), or before STARTTLS. */
const LOGIN_WANTED = 530;

/**
 * Sorts what the mail library throws: only an answer of 500 and above is final, and only to the mail. The library's own
 * words are left out where the server has spoken, since they end in the same answer. `hide` keeps what the server must not have said.
 */
export function serverFault(error: unknown, server: string, hide: (text: string) => string): MailError {
  const { code, response, step } = answerOf(error, hide);
  if (step === 'STARTTLS' && response !== undefined) {
    // No fault of the mail: the server is not set up yet, or somebody in between strips the offer.
    return new MailError(`The mail server ${server} refuses STARTTLS: ${response}`, false);
  }
  if (code !== undefined) {
    const said = response ?? String(code);
    // The settings are at fault, and every mail would be given up: it waits until the admin has mended them.
    const refused = step?.startsWith('AUTH') === true;
    const hint = refused ? ' (SMTP_USER and SMTP_PASS are what it was told)' : '';
    const permanent = code >= 500 && !refused && code !== LOGIN_WANTED;
    return new MailError(`The mail server ${server} answered: ${said}${hint}`, permanent, said);
  }
  const reason = hide(messageOf(error));
  // Of the cause its code alone counts; the rest of it may hold what is hidden.
  const cause = error instanceof Error && 'code' in error ? { code: error.code } : {};
  return new MailError(
    `The mail server ${server} cannot be used: ${reason}`,
    false,
    undefined,
    Object.assign(new Error(reason), cause),
  );
}

interface Answer {
  code: number | undefined;
  response: string | undefined;
  /** The command that was answered, such as `RCPT TO` or `AUTH PLAIN`. */
  step: string | undefined;
}

function answerOf(error: unknown, hide: (text: string) => string): Answer {
  if (!(error instanceof Error)) return { code: undefined, response: undefined, step: undefined };
  // Several lines become one: it is kept, logged and listed as such.
  const text = (value: unknown) => (typeof value === 'string' ? value.replaceAll(/\s+/g, ' ') : undefined);
  const hideIn = (said: string | undefined) => (said === undefined ? undefined : hide(said));
  return {
    code: 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : undefined,
    response: 'response' in error ? hideIn(text(error.response)) : undefined,
    step: 'command' in error ? text(error.command) : undefined,
  };
}
