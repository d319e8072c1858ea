/** How a parent can be reached. Pure. */

import type { PassDetails } from '../office.ts';
import { dialNumber } from './phone.ts';
import type { Channel, ParentSettings } from './question.ts';

type Way = { channel: Channel; to: string } | { wrong: string };

/** The way that is wanted, or the first that works: SMS, then mail. Or what is missing, and where it is set. */
export function wayToParent(pass: PassDetails, settings: ParentSettings, wanted?: Channel): Way {
  const ways = { sms: () => bySms(pass, settings), mail: () => byMail(pass) };
  if (wanted !== undefined) return ways[wanted]();
  const sms = ways.sms();
  if (!('wrong' in sms)) return sms;
  const mail = ways.mail();
  return 'wrong' in mail ? { wrong: `${sms.wrong}; and ${mail.wrong}` } : mail;
}

function bySms({ student }: PassDetails, { twilio, countryCode }: ParentSettings): Way {
  const { phone } = student.parent;
  if (phone === null) return { wrong: `no parent's number is known of ${student.rollNumber}` };
  if (twilio === null) {
    return { wrong: 'no SMS can be sent: TWILIO_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM are not all set' };
  }
  const dialled = dialNumber(phone, countryCode);
  if ('number' in dialled) return { channel: 'sms', to: dialled.number };
  return { wrong: `the parent's number of ${student.rollNumber} cannot be used: ${dialled.wrong}` };
}

function byMail({ student }: PassDetails): Way {
  const { email } = student.parent;
  if (email === null) return { wrong: `no parent's e-mail address is known of ${student.rollNumber}` };
  return { channel: 'mail', to: email };
}
