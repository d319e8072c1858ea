/** `passito mail list|show|resend`: the ledger of mails. */

import { openOffice } from '../../app.ts';
import { newJob } from '../../engine/queue.ts';
import { EXIT, errors } from '../../errors.ts';
import { tellTime } from '../../outpass/local-time.ts';
import { type KeptMail, MAIL_STATES } from '../../outpass/mail/ledger.ts';
import type { JobRow } from '../../store/sqlite/queries.ts';
import { hanging } from '../terminal.ts';
import { audited } from './audit.ts';
import { type Command, JSON_OPTION, limitOption } from './command.ts';
import { withStore } from './with-store.ts';
import { inColumns } from './render.ts';
import { readId, readWhole, set } from './values.ts';

/** As the list tells them: what lies in the outbox is done, and yet nobody has got it. */
const SHOWN_STATES = [...MAIL_STATES, 'outbox'] as const;

export const list: Command = {
  name: 'mail list',
  about: 'List mails, the newest first: to whom, when, and what the server said',
  options: [{ name: 'state', value: 'state', about: SHOWN_STATES.join(', ') }, limitOption(50), JSON_OPTION],
  example: 'passito mail list --state failed',
  run: (input) =>
    withStore(input, async (store, _queries, config) => {
      const state = input.option('state');
      if (state !== undefined && !SHOWN_STATES.some((one) => one === state)) {
        throw errors.badValue('--state', state, `one of: ${SHOWN_STATES.join(', ')}`);
      }
      const limit = readWhole(input, 'limit', 1, 1_000_000) ?? 50;
      const mails = await openOffice(config, store).mails({
        limit,
        ...(state === 'outbox' ? { state: 'sent', via: state } : set('state', state)),
      });
      if (input.json) input.print(JSON.stringify(mails));
      else if (mails.length === 0) input.note('No mails.');
      else {
        const zone = config.settings.timeZone;
        const lines = mails.map((mail) => [
          `#${mail.id}`,
          inOutbox(mail) ? 'outbox' : mail.state,
          tellTime(mail.sent_at ?? mail.updated_at, zone),
          mail.sent_to,
          `${mail.subject}${whyNot(mail)}${doubt(mail)}`,
        ]);
        input.print(inColumns(['id', 'state', `when (${zone})`, 'to', 'subject'], lines, input));
      }
      return 0;
    }),
};

export const show: Command = {
  name: 'mail show',
  args: '<id>',
  about: 'Show one mail of the ledger',
  options: [JSON_OPTION],
  example: 'passito mail show 12',
  run: (input) =>
    withStore(input, async (store, queries, config) => {
      const mail = await find(openOffice(config, store), input.args[0] as string);
      if (input.json) input.print(JSON.stringify(mail));
      const job = mail.job_id === null ? undefined : queries.job(mail.job_id);
      for (const [label, value] of input.json ? [] : facts(mail, job, config.settings.timeZone)) {
        input.print(`  ${label.padEnd(12)}${hanging(value, 14)}`);
      }
      return 0;
    }),
};

export const resend: Command = {
  name: 'mail resend',
  args: '<id>',
  about: 'Send a mail about an outpass once more, as the pass is now',
  options: [JSON_OPTION],
  example: 'passito mail resend 12',
  run: (input) =>
    withStore(input, async (store, _queries, config) => {
      const mail = await find(openOffice(config, store), input.args[0] as string);
      if (mail.outpass_id === null) {
        if (input.json) input.print(JSON.stringify({ id: null, existing: false }));
        input.note(
          mail.job_id === null
            ? `Mail #${mail.id} is not about an outpass.`
            : `Mail #${mail.id} is not about an outpass. If its job failed, type: passito jobs retry ${mail.job_id}`,
        );
        return EXIT.no;
      }
      const job = newJob(jobThatSends(mail.kind, mail.outpass_id));
      const [inserted] = await audited(
        store,
        input,
        'mail resend',
        () => store.insert([job]),
        ([one]) => `#${mail.id} to ${mail.sent_to}: job #${one?.id}`,
      );
      const id = inserted?.id ?? 0;
      input.print(input.json ? JSON.stringify({ id, existing: false }) : `Job #${id} dispatched.`);
      return 0;
    }),
};

/** The job whose mail is of this kind. */
function jobThatSends(kind: string, outpass: number): { type: string; payload: string } {
  return kind === 'parent_approval'
    ? { type: 'SendParentApproval', payload: JSON.stringify({ outpass_id: outpass, channel: 'mail' }) }
    : { type: 'SendOutpassEmail', payload: JSON.stringify({ outpass_id: outpass, kind }) };
}

async function find(office: ReturnType<typeof openOffice>, text: string): Promise<KeptMail> {
  const id = readId(text);
  const mail = (await office.mails({ id, limit: 1 }))[0];
  if (mail === undefined) throw errors.unknownMail(id);
  return mail;
}

/** A supervisor that is killed between the server's yes and the note of it cannot know of that yes. */
function tellDoubt({ doubts }: KeptMail): string {
  return `may have arrived ${doubts === 1 ? 'twice' : `${doubts + 1} times`}`;
}

const doubt = (mail: KeptMail) => (mail.doubts === 0 ? '' : `  (${tellDoubt(mail)})`);

const inOutbox = ({ state, via }: KeptMail) => state === 'sent' && via === 'outbox';

/** What a server said that has not taken a mail. */
const whyNot = ({ state, response }: KeptMail) =>
  state === 'sent' || response === null ? '' : `  (${response})`;

function facts(mail: KeptMail, job: JobRow | undefined, zone: string): [string, string][] {
  const waits = mail.state === 'queued' && job?.status === 'pending';
  const when = (time: string | null) => (time === null ? '–' : tellTime(time, zone));
  return [
    ['Mail', `#${mail.id}, ${mail.kind}  (times in ${zone})`],
    ['To', mail.sent_to],
    ['Subject', mail.subject],
    ['State', inOutbox(mail) ? 'outbox: not sent, since no SMTP server is configured' : mail.state],
    ['Attempts', mail.doubts === 0 ? String(mail.attempts) : `${mail.attempts}; ${tellDoubt(mail)}`],
    ['Job', mail.job_id === null ? '–' : `#${mail.job_id}`],
    ['Outpass', mail.outpass_id === null ? '–' : `#${mail.outpass_id}`],
    ['Begun', when(mail.created_at)],
    ...(waits ? [['Next try', when(job.available_at)] satisfies [string, string]] : []),
    [inOutbox(mail) ? 'Written' : 'Sent', when(mail.sent_at)],
    [inOutbox(mail) ? 'File' : 'Answer', mail.response ?? '–'],
    ['Message-ID', mail.message_id],
  ];
}
