/** `passito licences`: what the executable is made of. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packaged } from '../../build-info.ts';
import type { Command } from './command.ts';

export const licences: Command = {
  name: 'licences',
  aliases: ['licenses'],
  about: 'Print what the executable is made of, and under which licences',
  example: 'passito licences',
  async run(input) {
    // The build puts them beside the bundle.
    if (packaged) input.print(readFileSync(join(import.meta.dirname, 'licences.txt'), 'utf8').trimEnd());
    else input.note('From source, each package in node_modules has its own.');
    return 0;
  },
};
