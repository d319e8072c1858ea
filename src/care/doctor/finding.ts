/** One thing that was looked at, and what came of it. */

import { EXIT } from '../../errors.ts';

/** What `--fix` may do by itself: nothing of it loses anything. */
export type Fix =
  | { kind: 'modes'; modes: { path: string; mode: number }[] }
  | { kind: 'folder'; path: string; mode: number }
  | { kind: 'log' };

export interface Finding {
  level: 'well' | 'hint' | 'fault';
  message: string;
  /** The command that mends it, or shows more. */
  try?: string;
  fix?: Fix;
  /** The exit status of a fault, where it is not 1. */
  exit?: number;
}

export function well(message: string): Finding {
  return { level: 'well', message };
}

export function hint(message: string, command: string): Finding {
  return { level: 'hint', message, try: command };
}

export function fault(message: string, command: string, fix?: Fix): Finding {
  return { level: 'fault', message, try: command, ...(fix === undefined ? {} : { fix }) };
}

/** The worst decides: an unsound configuration, then a database that cannot be used, then any other fault. */
export function exitOf(findings: readonly Finding[]): number {
  const all = new Set(findings.filter(({ level }) => level === 'fault').map(({ exit = EXIT.no }) => exit));
  return [EXIT.usage, EXIT.unreachable, EXIT.no].find((one) => all.has(one)) ?? 0;
}

/** A word as the shell takes it. */
export function quoted(word: string): string {
  return /^[\w./:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A line of the env file: an example to be changed, where the value is not known. */
export function set(name: string, value: string, file: string): string {
  return `echo '${name}=${value}' >> ${quoted(file)}`;
}
