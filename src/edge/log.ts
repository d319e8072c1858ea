/**
 * The log: pino makes the records; how they look depends on who reads. A terminal gets colours, journald
 * gets its priority prefixes, `--log-format json` gets one JSON object a line. Always on stderr.
 */

import { fstatSync, writeSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import { hanging, oneLine, printable, printableJson } from './terminal.ts';

export type LogFormat = 'auto' | 'pretty' | 'plain' | 'json';
export type Log = Logger;

/** syslog priorities, which journald reads from `<n>` at a line's start. */
const PRIORITY: Record<number, number> = { 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };
const NAME: Record<number, string> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
/** Time and level of a line on a terminal. */
const MARGIN = '12:34:56.789 error '.length;
const COLOUR: Record<number, string> = { 20: '90', 30: '32', 40: '33', 50: '31', 60: '31' };

/** Makes the log of a process. */
export function createLog(format: LogFormat, level: string): Log {
  const style = format === 'auto' ? automatic() : format;
  const journal = isJournal();
  const write = (line: string) =>
    writeAll(style === 'json' ? printableJson(line) : `${dress(line, style, journal)}\n`);
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write });
}

function automatic(): 'pretty' | 'plain' {
  return process.stderr.isTTY && process.env['NO_COLOR'] === undefined ? 'pretty' : 'plain';
}

interface LogRecord {
  level: number;
  time: string;
  msg: string;
  err?: { message: string; stack?: string };
  [field: string]: unknown;
}

/** One record as a line for people. */
function dress(line: string, style: 'pretty' | 'plain', journal: boolean): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as LogRecord;
  const details = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? quote(value) : JSON.stringify(value)}`);
  if (err !== undefined) details.push(`error=${quote(err.message)}`);
  const text = [msg, ...details].join(' ');
  if (style === 'pretty') {
    return `\u001b[90m${time.slice(11, 23)}\u001b[0m \u001b[${COLOUR[level]}m${NAME[level]?.padEnd(5)}\u001b[0m ${hanging(text, MARGIN)}`;
  }
  // A record is one line: the rest of its message would lose its level, or could claim another.
  const single = oneLine(text);
  // journald adds the time itself.
  return journal ? `<${PRIORITY[level]}>${single}` : `${time} ${NAME[level]?.padEnd(5)} ${single}`;
}

/** Whether stderr goes to journald. The variable alone says little: programs that are started with a pipe inherit it. */
function isJournal(): boolean {
  const stream = process.env['JOURNAL_STREAM'];
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(2);
  return stream === `${dev}:${ino}`;
}

/** Lines for stderr that are no records, such as a command's last words; journald is told how grave they are. */
export function graded(level: 'warn' | 'error', lines: string): string {
  const shown = printable(lines);
  if (!isJournal()) return `${shown}\n`;
  const prefix = level === 'warn' ? '<4>' : '<3>';
  return `${prefix}${shown.replaceAll('\n', `\n${prefix}`)}\n`;
}

function quote(value: string): string {
  return /^[\w.:/@#-]+$/.test(value) ? value : JSON.stringify(value);
}

/** What says that nobody reads any more, or that the log's disk is full: a log that cannot be written stops no work. EIO: a terminal that was closed. */
const UNHEARD = new Set(['EAGAIN', 'EPIPE', 'EIO', 'ENOSPC', 'EDQUOT', 'EROFS']);

/** All of it, now: the line before a crash is the one that counts. */
const writeAll = wholeLines((bytes, from) => writeSync(2, bytes, from));

/**
 * Gives what writes whole lines by a call that may take only the beginning of one: a pipe that is full. What comes after a
 * line that could not be ended begins another.
 */
export function wholeLines(write: (bytes: Buffer, from: number) => number): (text: string) => void {
  let torn = false;
  return (text) => {
    const bytes = Buffer.from(torn ? `\n${text}` : text);
    let written = 0;
    try {
      while (written < bytes.length) written += write(bytes, written);
    } catch (error) {
      if (!UNHEARD.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
    if (written > 0) torn = written < bytes.length;
  };
}
