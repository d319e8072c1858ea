/** `passito init`: a folder to start from: configuration, env file, one sample job, types for the editor. */

import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errors } from '../../errors.ts';
import { quoted } from '../../escape.ts';
import { makeFolder } from '../../make-folder.ts';
import { FILES } from './init-files.ts';
import type { Command } from './command.ts';

export const init: Command = {
  name: 'init',
  args: '[folder]',
  about: 'Make a folder to start from: settings and a sample job',
  example: 'passito init my-jobs',
  async run(input) {
    const folder = resolve(input.args[0] ?? '.');
    const paths = Object.keys(FILES).map((name) => join(folder, name));
    const inTheWay = paths.map((path) => fileOnTheWay(dirname(path))).find((path) => path !== undefined);
    if (inTheWay !== undefined) throw errors.notAFolder(inTheWay);
    const existing = paths.find((path) => existsSync(path));
    if (existing !== undefined) throw errors.fileExists(existing);
    for (const [name, text] of Object.entries(FILES)) {
      const path = join(folder, name);
      makeFolder(dirname(path), 0o755);
      // The env file is for passwords.
      writeFileSync(path, text, { flag: 'wx', mode: name === '.env' ? 0o600 : 0o644 });
      input.print(`  ${name}`);
    }
    const enter = input.args[0] === undefined ? '' : `  cd ${quoted(input.args[0])}\n`;
    input.print(
      `\nTry it:\n${enter}  passito try Hello --payload '{"name": "Asha"}'\n  passito dispatch Hello --payload '{"name": "Asha"}'\n  passito worker --drain`,
    );
    return 0;
  },
};

/** What is in the place of the folder, or of one above it. */
function fileOnTheWay(folder: string): string | undefined {
  for (let path = folder; ; path = dirname(path)) {
    try {
      return statSync(path).isDirectory() ? undefined : path;
    } catch (error) {
      // Not there yet, or below a file; whoever may not look is told when the folder is made.
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || path === dirname(path)) return undefined;
    }
  }
}
