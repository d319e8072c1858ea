/** What an error of ours is: a code, an exit status, words for the admin. Their list is errors.ts. */

import { quoted } from './escape.ts';
/** What the process ends with. 0 is success. */
export const EXIT = {
  /** The command's own "no": unhealthy, or a waited-for job failed. */
  no: 1,
  /** Bad usage or configuration. */
  usage: 2,
  /** The database, or a server, could not be reached. */
  unreachable: 3,
} as const;

/** One of several things that are wrong with what was given: where, and what. */
export interface Problem {
  line?: number;
  key?: string;
  message: string;
  /** A part of it was too large; the rest may be right. */
  tooLarge?: boolean;
}

/** An error meant for the admin: printed as one line, never with a stack. */
export class PassitoError extends Error {
  readonly code: string;
  readonly exit: number;
  /** Each problem, where there can be several and a program may want them apart. */
  problems: readonly Problem[] = [];
  /** What to do next, if there is something. */
  readonly hint: string | undefined;
  constructor(code: string, exit: number, message: string, hint?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PassitoError';
    this.code = code;
    this.exit = exit;
    this.hint = hint;
  }
}

/** Bad usage or configuration. */
export const usage = (code: string, message: string, hint?: string) =>
  new PassitoError(code, EXIT.usage, message, hint);
/** Of one problem that is told by itself, or several under a heading. */
export const several = (code: string, problems: readonly string[], heading: string) =>
  usage(
    code,
    problems.length === 1
      ? (problems[0] as string)
      : `${heading}\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
/** The command's own "no". */
export const refused = (code: string, message: string, hint?: string) =>
  new PassitoError(code, EXIT.no, message, hint);
/** The database, or a server, could not be reached. */
export const unreachable = (code: string, message: string, hint?: string, cause?: unknown) =>
  new PassitoError(code, EXIT.unreachable, message, hint, cause);

/** Of a value that cannot be; `allowed` is the end of "it must be …". Without its full stop. */
export function cannotBe(what: string, shown: string, allowed: string): string {
  return `${what} cannot be ${shown}; it must be ${allowed}`;
}

/** Of a disk that takes no writing: as a rule it is the service's own view of it. */
export const READ_ONLY_HINT =
  'Is it the service? It may write into /var/lib/passito only; another folder needs ReadWritePaths= (sudo systemctl edit passito-supervisor). If not, the disk may have failed: sudo dmesg | tail -n 50';

/** How to find what fills a disk. */
export function whatIsLarge(folder: string): string {
  return `What is large: sudo du -xh ${quoted(folder)} | sort -h | tail`;
}

/** With its full stop, unless it ends with a mark of its own. */
export function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

/** A message for people from anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  if (typeof error === 'string') return error;
  return `threw ${String(error)}`;
}

/** A value as a message can show it. */
export function shorten(value: string): string {
  return value.length > 60 ? `${value.slice(0, 57)}…` : value;
}
