/** The payloads of the account mails. Complaints never repeat a value: some of these are secrets. */

import { int, lte, maxLength, minLength, object, optional, positive, refine, regex, string } from 'zod/mini';
import { isMailAddress } from '../../mail-address.ts';

const mailAddress = 'must be a mail address such as asha@example.edu';
const address = string(mailAddress).check(refine(isMailAddress, mailAddress));
// Control characters would be line breaks to somebody.
const personName = 'must be a name of 1 to 120 characters in one line';
const name = string(personName).check(regex(/^[^\p{Cc}]{1,120}$/u, personName));
// Nothing but the web: a mail must not bring a button that runs something.
const webAddress = 'must be an address that begins with https:// or http://';
const link = string(webAddress).check(
  regex(/^https?:\/\/[^\s\p{Cc}"'<>\\]+$/iu, webAddress),
  maxLength(2000, 'must have at most 2000 characters'),
);
const oneLine = 'must be a text of 1 to 200 characters in one line';
const password = string(oneLine).check(
  regex(/^[^\p{Cc}]*$/u, oneLine),
  minLength(1, oneLine),
  maxLength(200, oneLine),
);
const minutes = 'must be a whole number of minutes from 1 to 10080 (a week)';

export const createdPayload = object(
  { to: address, name, login_url: optional(link), default_password: optional(password) },
  'must be an object such as {"to": "asha@example.edu", "name": "Asha Verma"}',
);

export const removedPayload = object(
  { to: address, name, support_email: optional(address) },
  'must be an object such as {"to": "asha@example.edu", "name": "Asha Verma"}',
);

export const resetPayload = object(
  {
    to: address,
    name: optional(name),
    reset_link: link,
    expires_minutes: optional(int(minutes).check(positive(minutes), lte(10_080, minutes))),
  },
  'must be an object such as {"to": "asha@example.edu", "reset_link": "https://…"}',
);
