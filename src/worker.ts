/** Thread entry: (type, payload, context) → outcome. Piscina calls the default export with each task. */

import { workerData } from 'node:worker_threads';
import type { LoadedJob } from './runner/loader.ts';
import { startThread } from './runner/thread.ts';
import type { ThreadData } from './engine/wire.ts';
import type { MailSettings } from './edge/mail.ts';

const setup = workerData as ThreadData;
const secret = setup.secret ?? '';
delete setup.secret;

export default startThread({
  setup,
  secret,
  builtIns: async () => {
    const { officeJobs } = await import('./outpass/jobs.ts');
    return officeJobs as unknown as LoadedJob[];
  },
  sendMail: async (message, messageId) => {
    const { createMailer } = await import('./edge/mail.ts');
    return createMailer(setup.mail as MailSettings).send(message, { messageId });
  },
});
