/** `passito mail-test`: one mail, and what the server answered. */

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { filesRoot, mailSettings, stateFolder } from '../../app.ts';
import { formatTime } from '../../engine/clock.ts';
import { errors } from '../../errors.ts';
import { inZone, tellTime } from '../../outpass/local-time.ts';
import { createMailer, MailError } from '../mail.ts';
import { parseAddress } from '../mail-check.ts';
import { mailHint } from '../mail-hint.ts';
import { type Command, JSON_OPTION } from './command.ts';

/** Somebody sits and waits: less than a job's patience, in milliseconds. */
const PATIENCE = { connect: 10_000, silence: 30_000 };

export const mailTest: Command = {
  name: 'mail-test',
  args: '<address>',
  about: 'Send one mail, and say what the server answered',
  options: [JSON_OPTION],
  example: 'passito mail-test admin@example.edu',
  async run(input) {
    const config = await input.config();
    const [to = ''] = input.args;
    try {
      parseAddress(to, 'the address');
    } catch {
      throw errors.badValue('The address', to, 'a mail address such as admin@example.edu');
    }
    const { appName, timeZone, smtpHost, smtpPort, mailerFrom } = config.settings;
    const settings = mailSettings(config, stateFolder(config), filesRoot(config));
    try {
      const when = inZone(tellTime(formatTime(Date.now()), timeZone), timeZone);
      const receipt = await createMailer({ ...settings, patience: PATIENCE }).send(
        {
          to,
          subject: `${appName}: a test of the mail settings`,
          text: `This mail was sent by 'passito mail-test' on ${hostname()}, ${when}. Mail works.\n`,
        },
        { messageId: `passito.test.${randomUUID()}@${hostname()}` },
      );
      if (input.json) {
        const { messageId, via, response } = receipt;
        input.print(JSON.stringify({ to, via, response, message_id: messageId }));
      } else if (receipt.via === 'outbox') {
        input.print(`Not sent: SMTP_HOST is not set, so the mail lies in ${receipt.response}.`);
      } else {
        input.print(`Sent to ${to} as ${mailerFrom}, through ${smtpHost}:${smtpPort}.`);
        input.print(`The server answered: ${receipt.response}`);
      }
      return 0;
    } catch (error) {
      if (!(error instanceof MailError)) throw error;
      const hint = mailHint(error, config.settings);
      if (error.response !== undefined) throw errors.mailRefused(error.message, hint);
      // Nobody was asked: what is wrong stands in the settings.
      if (error.permanent) throw errors.badConfig([error.message]);
      throw errors.mailUnsent(error.message, hint);
    }
  },
};
