/** One thing that was looked at, and what came of it. */

import { dirname } from 'node:path';
import { EXIT } from '../../errors.ts';
import { quoted } from '../../escape.ts';

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

/** The service's own file is root's, and its supervisor is to read it anew. */
const SERVICE_FILE = '/etc/passito/passito.env';
const RELOAD = 'sudo systemctl reload passito-supervisor';

/** Opens a file of settings. Those of the service are root's. */
export function edit(file: string): string {
  return file.startsWith(`${dirname(SERVICE_FILE)}/`)
    ? `sudoedit ${quoted(file)}`
    : `\${EDITOR:-vi} ${quoted(file)}`;
}

/** `sudo ` before a command that changes root's file. */
export function asRoot(file: string): string {
  return file === SERVICE_FILE ? 'sudo ' : '';
}

/** A line at the end of the env file, which counts from then on. */
export function set(name: string, value: string, file: string): string {
  const line = `echo ${quoted(`${name}=${value}`)}`;
  return file === SERVICE_FILE ? `${line} | sudo tee -a ${file} && ${RELOAD}` : `${line} >> ${quoted(file)}`;
}

/** Where the admin alone knows the value: a made-up one, pasted, would count. The line to write stands in the message. */
export function writeLine(file: string): string {
  return file === SERVICE_FILE ? `${edit(file)} && ${RELOAD}` : edit(file);
}
