/** SendParentApproval: asks the parent whether the student may leave, by SMS or mail, with a link to answer by. */

import { parseTime } from '../../engine/clock.ts';
import { discard, snooze } from '../../engine/handler.ts';
import type { JobDefinition } from '../../engine/handler.ts';
import type { OfficeContext, PassDetails } from '../office.ts';
import { LEAST_TO_ANSWER } from '../parent/link.ts';
import type { AskedParent, Channel, ParentSettings, TwilioAccount } from '../parent/question.ts';
import { wayToParent } from '../parent/way.ts';
import { parentPayload } from './payload.ts';
import type { ParentPayload } from './payload.ts';
import { mailOptions, sendMail } from './send-mail.ts';

/** How the question left. */
interface ParentAsked {
  channel: Channel;
  message_id: string;
  /** UTC text. */
  expires_at: string;
}

type Asked = Extract<AskedParent, { ok: true }>;

/** A second run of the same job sends nothing again; a second job asks anew. */
export const sendParentApproval: JobDefinition<ParentPayload, OfficeContext> = {
  type: 'SendParentApproval',
  ...mailOptions,
  schema: parentPayload,
  async handle({ outpass_id: id, channel: wanted }, context): Promise<ParentAsked> {
    const { office } = context;
    const pass = await office.pass(id);
    if (pass === undefined) discard(`Outpass #${id} does not exist.`);
    const settings = await office.parentSettings();
    refuseUnreachable(settings);
    const way = wayToParent(pass, settings, wanted);
    if ('wrong' in way) {
      discard(`The parent cannot be asked about outpass #${id} (${pass.reference}): ${way.wrong}.`);
    }
    const { channel, to } = way;
    const asked = await office.askParent(id, { jobId: context.id, channel, to });
    if (!asked.ok) {
      discard(`The parent cannot be asked about outpass #${id} (${pass.reference}): ${asked.reason}.`);
    }
    let messageId = asked.sentAs;
    if (messageId === null) {
      messageId =
        channel === 'sms'
          ? await bySms(pass, to, asked, settings, context)
          : await byMail(pass, to, asked, context);
      await office.parentAsked(asked.id, messageId);
    }
    return { channel, message_id: messageId, expires_at: asked.expiresAt };
  },
};

/** A link that leads nowhere must not be sent. */
function refuseUnreachable({ publicAddress, appUrl }: ParentSettings): void {
  if (publicAddress === null) {
    discard(
      'There is no public address for the parents’ page: start the supervisor with --public ADDR, or set PASSITO_PUBLIC.',
    );
  }
  if (appUrl === null) {
    discard('Parents’ links have nothing to begin with: set APP_URL, such as https://gate.example.edu.');
  }
}

async function bySms(
  pass: PassDetails,
  to: string,
  { id, link }: Asked,
  { message, twilio }: ParentSettings,
  context: OfficeContext,
): Promise<string> {
  const { sendSms, SmsError } = await import('../parent/twilio.ts');
  const { smsText } = await import('../parent/sms.ts');
  const facts = { student_name: pass.student.name, purpose: pass.purpose, verification_link: link };
  try {
    // The way is by SMS only where there is an account.
    return await sendSms(twilio as TwilioAccount, to, smsText(message, facts), context.signal);
  } catch (error) {
    if (!(error instanceof SmsError)) throw error;
    if (error.permanent) discard(error.message);
    const delay = await context.office.parentUnreached(id);
    return delay === null
      ? discard(`Tried until the link expired and given up. ${error.message}`)
      : snooze(delay, error.message);
  }
}

async function byMail(pass: PassDetails, to: string, asked: Asked, context: OfficeContext): Promise<string> {
  const { parentMail } = await import('../mail/parent.ts');
  const text = parentMail(pass, await context.office.settings(), asked);
  // A mail that outlives its link asks nobody.
  const until = parseTime(asked.expiresAt) - LEAST_TO_ANSWER;
  const purpose = { kind: 'parent_approval', outpassId: pass.id, until };
  const sent = await sendMail(context, purpose, { to, ...text });
  return sent.message_id;
}
