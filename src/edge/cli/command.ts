/** What a command is: its name, what it takes, an example, and what it does. */

import type { Config } from '../../config.ts';
import type { KeyName } from '../../config/keys.ts';

/** An option of a command. */
export interface CommandOption {
  /** Without the dashes. */
  name: string;
  /** Other ways to write it, with their dashes. */
  also?: readonly string[];
  /** What its value is called in the help; absent for a switch. */
  value?: string;
  about: string;
  /** The setting that it overrides. */
  setting?: KeyName;
  /** May be given several times. */
  many?: boolean;
  /** May stand without its value. */
  valueOptional?: boolean;
}

/** What a command's `run` is given. */
export interface Input {
  /** What stands after the command's name, without options. */
  args: string[];
  /** Values of options that were given; a switch has `''`. */
  options: Map<string, string[]>;
  /** The last value of an option. */
  option(name: string): string | undefined;
  has(name: string): boolean;
  /** Whether a program reads. */
  json: boolean;
  /** Reads the configuration; once. */
  config(): Promise<Config>;
  /** Reads it anew, with the same command line. */
  reread(): Promise<Config>;
  /** Writes a line of data. Whatever is in it, it steers no terminal. */
  print(text: string): void;
  /** A text of ours whose proposed commands work on the database that was typed; notes and hints do without being asked. */
  proposal(text: string): string;
  /** Writes a line for the person, on stderr; as harmless. */
  note(text: string): void;
  /** Colours a text where a terminal shows it. */
  paint(style: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string): string;
}

/** A command. `run` gives the exit status; nothing means 0. */
export interface Command {
  /** One word, or two such as `jobs list`. */
  name: string;
  aliases?: readonly string[];
  /** Positional arguments in cac's form: `<id>`, `[...ids]`. */
  args?: string;
  about: string;
  options?: readonly CommandOption[];
  /** Settings that are always so, whatever is configured. */
  fixed?: Partial<Record<KeyName, string>>;
  /** With --db, and no --env-file, it asks for no further setting: broken ones do not keep it from its work. */
  needsOnlyDatabase?: true;
  example: string;
  run(input: Input): Promise<number | undefined>;
}

/** Understood by every command. */
export const COMMON: readonly CommandOption[] = [
  {
    name: 'db',
    value: 'path',
    about: 'The database file (PASSITO_DB, or ./storage/passito.db)',
    setting: 'db',
  },
  {
    name: 'env-file',
    value: 'path',
    about: 'Settings, one KEY=value a line (/etc/passito/passito.env, or .env)',
  },
  { name: 'help', also: ['-h'], about: 'Show this text' },
];

/** How many lines a list has at most. */
export function limitOption(usual: number): CommandOption {
  return { name: 'limit', also: ['-n'], value: 'n', about: `At most so many (${usual})` };
}

export const JSON_OPTION: CommandOption = { name: 'json', about: 'Print JSON, for programs' };
