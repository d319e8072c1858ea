/** `passito try TYPE`: one handler, once, in the foreground, without the queue. For writing and testing handlers. */

import { type Command, JSON_OPTION } from './command.ts';
import { tell } from './try-told.ts';
import { readPayload } from './values.ts';

export const tryOnce: Command = {
  name: 'try',
  args: '<type>',
  about: 'Run one handler once, here and now, without the queue',
  options: [
    { name: 'payload', value: 'json', about: 'What the job is about, as JSON ({})' },
    { name: 'payload-file', value: 'file', about: 'The same from a file; - is standard input' },
    {
      name: 'jobs',
      value: 'folder',
      about: 'The folder with your job files (./jobs)',
      setting: 'jobsFolder',
    },
    JSON_OPTION,
  ],
  example: `passito try MyCustomJob --payload '{"id": 123}'`,
  async run(input) {
    const config = await input.config();
    const [type = ''] = input.args;
    const payload = readPayload(input);
    const { runOnce } = await import('./try-run.ts');
    return runOnce(type, payload, config, (settlement, ms) => tell(input, type, settlement, ms));
  },
};
