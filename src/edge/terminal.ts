/**
 * What keeps a text from steering the terminal that shows it. Everything that commands print and the log writes goes
 * through here on its last step: a payload, an error, a name may hold anything, and other programs write rows too.
 */

import { randomBytes } from 'node:crypto';

/** Control characters of both sets (C1 has a CSI of one byte), and marks that turn the direction of what follows; not line ends and tabs. */
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0');
}

/** Control characters are shown, not sent. */
export function printable(text: string): string {
  return text.replace(STEERING, (character) => `\\x${hex(character, 2)}`);
}

/** As {@link printable}, in one line: what follows a line end could pass for a line of ours. */
export function oneLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n');
}

/** As {@link printable}, with further lines below the first one's text, where no line of ours begins. */
export function hanging(text: string, margin: number): string {
  return printable(text).replaceAll('\n', `\n${' '.repeat(margin)}`);
}

/** As {@link printable}; further lines are set in where they are not already, since they may be part of a name. */
export function setIn(text: string): string {
  return printable(text).replaceAll(/\n(?! )/g, '\n  ');
}

/** JSON says the same with its own escapes; it leaves DEL, C1 and directions as they are. */
export function printableJson(json: string): string {
  return json.replace(STEERING, (character) => `\\u${hex(character, 4)}`);
}

/**
 * Stands for the escape character in our own sequences, until they are written. Drawn anew by each process, so that no
 * text from elsewhere can hold it.
 */
export const ESCAPE = `\ue01b${randomBytes(8).toString('hex')}`;

/** What is written to a terminal: our own sequences, and everything else as it can be shown. */
export function toTerminal(text: string): string {
  return printable(text).replaceAll(ESCAPE, '\u001b');
}
