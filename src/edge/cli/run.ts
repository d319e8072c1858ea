/** Runs one command line and says how it ended. Every error that an admin meets is printed here. */

import { dirname, resolve } from 'node:path';
import { version } from '../../build-info.ts';
import { type Config, loadConfig, toldAsService } from '../../config.ts';
import type { KeyName } from '../../config/keys.ts';
import { errors, EXIT, messageOf, PassitoError } from '../../errors.ts';
import { shutOut } from '../../store/sqlite/access.ts';
import { explain } from '../../store/sqlite/open.ts';
import { graded } from '../log.ts';
import { onDatabase } from '../proposals.ts';
import { ESCAPE, oneLine, printable, printableJson, setIn, toTerminal } from '../terminal.ts';
import { type Command, COMMON, type Input } from './command.ts';
import { commands } from './commands.ts';
import { parse } from './parse.ts';

const STYLES = { red: 31, green: 32, yellow: 33, bold: 1, dim: 90 } as const;

/** Runs `passito …words` and resolves with the exit status. */
export async function run(words: readonly string[]): Promise<number> {
  // What cannot be understood is told to a program as well.
  let json = words.includes('--json');
  let input: Input | undefined;
  const proposal = (text: string) => input?.proposal(text) ?? text;
  try {
    if (words.includes('--version') || words.includes('-v')) {
      process.stdout.write(`passito ${version}\n`);
      return 0;
    }
    const { command, args, options, help } = parse(commands, words, version);
    if (command === undefined || options.has('help')) {
      help();
      return 0;
    }
    json = options.has('json');
    input = inputOf(command, args, options, json);
    return (await command.run(input)) ?? 0;
  } catch (error) {
    return report(input === undefined ? error : await inWords(error, input), json, proposal);
  }
}

function inputOf(command: Command, args: string[], options: Map<string, string[]>, json: boolean): Input {
  let config: Promise<Config> | undefined;
  const coloured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  const typed = { db: options.get('db')?.at(-1), envFile: options.get('env-file')?.at(-1) };
  const proposal = (text: string) => onDatabase(text, typed);
  return {
    args,
    options,
    json,
    option: (name) => options.get(name)?.at(-1),
    has: (name) => options.has(name),
    config: () => (config ??= configOf(command, options)),
    reread: () => configOf(command, options),
    print: (text) => process.stdout.write(`${json ? printableJson(text) : toTerminal(text)}\n`),
    proposal,
    note: (text) => process.stderr.write(`${printable(proposal(text))}\n`),
    paint: (style, text) => (coloured ? `${ESCAPE}[${STYLES[style]}m${text}${ESCAPE}[0m` : text),
  };
}

async function configOf(command: Command, options: Map<string, string[]>): Promise<Config> {
  const values: Partial<Record<KeyName, string>> = { ...command.fixed };
  for (const { name, setting } of [...(command.options ?? []), ...COMMON]) {
    const value = options.get(name)?.at(-1);
    if (setting !== undefined && value !== undefined) values[setting] = value;
  }
  const config = await loadConfig({
    values,
    envFile: options.get('env-file')?.at(-1),
    profile: options.get('profile')?.at(-1),
    alone: command.needsOnlyDatabase === true && options.has('db') && !options.has('env-file'),
  });
  for (const warning of config.warnings) process.stderr.write(graded('warn', `passito: warning: ${warning}`));
  return config;
}

/** What the system answers where it refuses a file or folder. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'this user has no right to it',
  EPERM: 'this user has no right to it',
  EROFS: 'its disk is read-only',
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk is full',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  ELOOP: 'its links go round in a circle',
  ENAMETOOLONG: 'its name is too long',
};

/** What the system or the database said in the middle of a command, as a line for the admin. */
async function inWords(error: unknown, input: Input): Promise<unknown> {
  if (error instanceof PassitoError) {
    return error.code === 'DATABASE_ABSENT' ? toldAsService(await input.config(), error) : error;
  }
  if ((error as NodeJS.ErrnoException).syscall === 'uv_cwd') return errors.folderGone();
  try {
    const db = resolve((await input.config()).settings.db);
    const { code = '', path, syscall } = error as NodeJS.ErrnoException;
    const refusal = syscall === 'mkdir' && code === 'ENOENT' ? 'no folder can be made there' : REFUSALS[code];
    if (refusal !== undefined && typeof path === 'string' && !resolve(path).startsWith(db)) {
      // Of what lies beside the database, whose folder it is says more.
      const isBeside = resolve(path).startsWith(`${dirname(db)}/`);
      return (isBeside ? shutOut(db) : undefined) ?? errors.pathRefused(path, refusal);
    }
    return explain(error, db, 0);
  } catch {
    return error;
  }
}

/** One line for what went wrong, one for what to type next. A fault of ours comes with its stack. */
function report(error: unknown, json: boolean, proposal: Input['proposal']): number {
  if (error instanceof PassitoError) {
    const said = error.hint === undefined ? undefined : proposal(error.hint);
    if (json) {
      const told = { code: error.code, message: error.message, hint: said };
      process.stdout.write(`${printableJson(JSON.stringify({ error: told }))}\n`);
    }
    const hint = said === undefined ? '' : `\n${oneLine(said)}`;
    process.stderr.write(graded('error', `passito: ${setIn(error.message)}${hint}`));
    return error.exit;
  }
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return 0;
  const stack = error instanceof Error && error.stack !== undefined ? `\n${error.stack}` : '';
  const what = `passito: something went wrong inside passito itself: ${messageOf(error)}${stack}`;
  process.stderr.write(graded('error', `${what}\nPlease report this with the lines above.`));
  return EXIT.no;
}
