/**
 * From words typed to a command and its values. cac knows the commands and writes the help; what cac
 * leaves loose is settled here first: values that begin with a dash, numbers that must stay text, and
 * mistakes, each with one line that names the option and, where it looks like a slip, the nearest name.
 */

import { type CAC, cac } from 'cac';
import { errors } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import { type Command, type CommandOption, COMMON } from './command.ts';

/** What was typed. */
export interface Parsed {
  /** Undefined where the help was asked for, of all or of a group. */
  command: Command | undefined;
  args: string[];
  options: Map<string, string[]>;
  help: () => void;
}

/** Builds cac's picture of the commands; with a name, that one is the chosen one. `group`: they are all of one group. */
function picture(commands: readonly Command[], version: string, chosen?: string, group = false): CAC {
  const cli = cac('passito');
  cli.version(version);
  cli.help((sections) => {
    const rest = sections.slice(1).filter(({ title }) => title?.startsWith('For more info') !== true);
    const [command] = commands;
    const head =
      chosen === undefined || command === undefined
        ? `passito ${version}: background jobs for a single server`
        : `passito ${command.name}: ${command.about}`;
    const more = { body: "'passito COMMAND --help' tells more of a command, with an example." };
    const examples = { title: 'Examples', body: commands.map(({ example: one }) => `  ${one}`).join('\n') };
    const foot = [...(group ? [examples] : []), ...(chosen === undefined ? [more] : [])];
    return [{ body: head }, ...rest, ...foot].map((section) => ({
      ...section,
      body: section.body.replaceAll(/ +$/gm, ''),
    }));
  });
  for (const { name, aliases = [], args = '', about, options = [], example } of commands) {
    const command = cli.command(`${name} ${args}`.trim(), about);
    for (const alias of aliases) command.alias(alias);
    for (const option of [...options, ...COMMON.filter(({ name: one }) => one !== 'help')]) {
      const value =
        option.value === undefined
          ? ''
          : option.valueOptional === true
            ? ` [${option.value}]`
            : ` <${option.value}>`;
      const short = (option.also ?? []).filter((one) => !one.startsWith('--')).map((one) => `${one}, `);
      command.option(`${short.join('')}--${option.name}${value}`, option.about);
    }
    command.example(`  ${example}${aliases.length === 0 ? '' : `\n\nAlso as: ${aliases.join(', ')}`}`);
  }
  cli.parse(['', '', ...(chosen === undefined ? [] : [chosen])], { run: false });
  return cli;
}

/** Reads the words after the program's name. Throws the error that the admin sees. */
export function parse(commands: readonly Command[], words: readonly string[], version: string): Parsed {
  const help = (chosen: readonly Command[], name?: string) => picture(chosen, version, name).outputHelp();
  const nothing = { command: undefined, args: [], options: new Map<string, string[]>() };
  if (words.includes('--help') || words.includes('-h')) {
    const first = words.find((word) => !word.startsWith('-'));
    const group = commands.filter(({ name }) => name.startsWith(`${first} `));
    const named = words.filter((word) => !word.startsWith('-')).length;
    if (group.length > 0 && named === 1) {
      return { ...nothing, help: () => picture(group, version, undefined, true).outputHelp() };
    }
  }
  const [command, rest] = findCommand(commands, words);
  if (command === undefined) return { ...nothing, help: () => help(commands) };
  const { args, options } = readOptions(command, rest);
  if (!options.has('help')) checkArguments(command, args);
  return { command, args, options, help: () => help([command], command.name) };
}

function findCommand(
  commands: readonly Command[],
  words: readonly string[],
): [Command | undefined, string[]] {
  const start = words.findIndex((word) => !word.startsWith('-'));
  if (start === -1) {
    const stray = words.find((word) => !['--help', '-h', '--version', '-v'].includes(word));
    if (stray !== undefined) throw errors.unknownOption('COMMAND', stray);
    return [undefined, []];
  }
  // Options before the command belong to it as well.
  const before = words.slice(0, start);
  const [first = '', second] = words.slice(start);
  const named = (name: string) => commands.find((one) => one.name === name || one.aliases?.includes(name));
  const two = second === undefined ? undefined : named(`${first} ${second}`);
  if (two !== undefined) return [two, [...before, ...words.slice(start + 2)]];
  const one = named(first);
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  // 'keys' alone is a command as well; a word behind it is a slip of another one.
  const isSlip = group.length > 0 && second !== undefined && !second.startsWith('-');
  if (one !== undefined && !isSlip) return [one, [...before, ...words.slice(start + 1)]];
  if (group.length > 0 && (second === undefined || second.startsWith('-'))) {
    throw errors.missingArgument(
      first,
      `one of: ${group.map(({ name }) => name.slice(first.length + 1)).join(', ')}`,
    );
  }
  const names = commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  const given = group.length > 0 ? `${first} ${second}` : first;
  throw errors.unknownCommand(given, nearest(given, names));
}

function readOptions(
  command: Command,
  words: readonly string[],
): { args: string[]; options: Map<string, string[]> } {
  const known = [...(command.options ?? []), ...COMMON];
  const args: string[] = [];
  const options = new Map<string, string[]>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === '--') {
      args.push(...words.slice(i + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-' || /^-\d/.test(word)) {
      args.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const name = equals === -1 ? word : word.slice(0, equals);
    const option = known.find((one) => `--${one.name}` === name || one.also?.includes(name));
    if (option === undefined) {
      throw errors.unknownOption(
        command.name,
        name,
        nearest(
          name,
          known.map((one) => `--${one.name}`),
        ),
      );
    }
    const given = equals === -1 ? undefined : word.slice(equals + 1);
    const value = valueOf(option, given, words[i + 1]);
    if (given === undefined && value.taken) i++;
    const earlier = options.get(option.name);
    if (earlier !== undefined && option.many !== true) throw errors.repeatedOption(`--${option.name}`);
    options.set(option.name, [...(earlier ?? []), value.text]);
  }
  return { args, options };
}

function valueOf(
  option: CommandOption,
  given: string | undefined,
  next: string | undefined,
): { text: string; taken: boolean } {
  if (option.value === undefined) {
    if (given !== undefined) throw errors.unexpectedValue(`--${option.name}`, given);
    return { text: '', taken: false };
  }
  if (given !== undefined) return { text: given, taken: false };
  // A value may begin with a dash where it is a number (-5m) or standard input (-), not where it is an option.
  const usable = next !== undefined && (!next.startsWith('-') || next === '-' || /^-\d/.test(next));
  // '--wait 60s' but '--wait SendMail': an optional value is one that begins with a digit.
  if (usable && (option.valueOptional !== true || /^\d/.test(next))) return { text: next, taken: true };
  if (option.valueOptional === true) return { text: '', taken: false };
  throw errors.missingValue(`--${option.name}`);
}

function checkArguments(command: Command, args: readonly string[]): void {
  const wanted = (command.args ?? '').split(' ').filter((part) => part !== '');
  const required = wanted.filter((part) => part.startsWith('<'));
  if (args.length < required.length) {
    throw errors.missingArgument(
      command.name,
      (required[args.length] as string).replace(/[<>.]/g, '').toUpperCase(),
    );
  }
  const many = wanted.some((part) => part.includes('...'));
  if (!many && args.length > wanted.length) {
    throw errors.extraArgument(command.name, args[wanted.length] as string);
  }
}
