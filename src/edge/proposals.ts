/** The commands of passito that a text proposes: they are to work on the database that the text is about. */

import { quoted } from '../escape.ts';

/** Commands that work on a database. */
export const ON_DATABASE =
  'audit backup cleanup-expired-files dispatch dispatch-scheduled-reports doctor explain health keys mail-test migrate pause restore resume scale status supervisor top verify worker'.split(
    ' ',
  );

/** Groups of such commands: another word belongs to the name. */
export const GROUPS_ON_DATABASE = 'import jobs keys mail movements outpass reports schedule'.split(' ');

// A name that begins like another is no end of that one, and the help of a command works on no database.
const PROPOSAL = new RegExp(
  String.raw`(?<![\w./-])passito (?:(?:${GROUPS_ON_DATABASE.join('|')}) [a-z]+|${ON_DATABASE.join('|')})(?![\w-])(?! --help)`,
  'g',
);

/**
 * Names a database, and an env file, in each command that a text proposes, unless it names one already. They stand
 * right behind the command's name: where a command ends cannot be told in the middle of a sentence.
 */
export function onDatabase(text: string, from: { db?: string | undefined; envFile?: string | undefined }) {
  const options = [
    from.db === undefined ? '' : ` --db ${quoted(from.db)}`,
    from.envFile === undefined ? '' : ` --env-file ${quoted(from.envFile)}`,
  ].join('');
  if (options === '') return text;
  return text.replaceAll(PROPOSAL, (command: string, at: number) => {
    const [rest = ''] = text.slice(at + command.length).split(/(?<![\w./-])passito /);
    return / --db[ =]/.test(rest) ? command : `${command}${options}`;
  });
}
