/** What an admin may try where the mail server was not reached, or said no. */

import type { Config } from '../config.ts';
import { READ_ONLY_HINT } from '../errors.ts';
import type { MailError } from './mail-error.ts';

type Settings = Pick<Config['settings'], 'smtpHost' | 'smtpPort' | 'smtpUser' | 'mailerFrom'>;

/** The first that fits counts. */
const HINTS: readonly [RegExp, (settings: Settings) => string][] = [
  [/ENOSPC|EDQUOT/, () => 'Free some space: df -h shows the disk, du -xh what is large on it.'],
  [/EROFS/, () => READ_ONLY_HINT],
  [/outbox/, () => "Type: passito doctor, which looks at the folder's permissions."],
  [
    /refuses STARTTLS/,
    () =>
      'If the server speaks TLS from the start, set SMTP_PORT=465; a server without TLS is used on port 25 only.',
  ],
  [
    /\b(?:53[045]|454)\b|SMTP_USER|authenticat/i,
    ({ smtpUser }) =>
      smtpUser === ''
        ? 'The server wants a login: set SMTP_USER and SMTP_PASS.'
        : 'Check SMTP_USER and SMTP_PASS; some providers want a password made for programs.',
  ],
  [
    /\b55[0134]\b|\b501\b|relay/i,
    ({ mailerFrom }) =>
      `The server may not send for ${mailerFrom}, or not to this address: check MAILER_FROM and the login.`,
  ],
  [
    /ENOTFOUND|EAI_AGAIN|EDNS|EBADNAME|ENODATA/,
    ({ smtpHost }) =>
      `No server is known by the name '${smtpHost}': check SMTP_HOST, and this machine's DNS.`,
  ],
  [
    /wrong version number|packet length|SSL routines|Greeting never received|Invalid greeting|closed unexpectedly/i,
    ({ smtpPort }) =>
      smtpPort === 465
        ? 'Port 465 is TLS from the start; where the server wants STARTTLS, set SMTP_PORT=587.'
        : 'Where the server is TLS from the start, set SMTP_PORT=465.',
  ],
  [
    /certificate|altnames|self.signed/i,
    ({ smtpHost }) =>
      `The server's certificate is not for '${smtpHost}', or nobody vouches for it: use the name that it bears.`,
  ],
  [
    /ECONNREFUSED|timeout|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNRESET/i,
    ({ smtpHost, smtpPort }) =>
      `Check SMTP_HOST, SMTP_PORT (587 with STARTTLS, 465 with TLS) and the firewall. Try: nc -vz ${smtpHost} ${smtpPort}`,
  ],
];

/** One sentence; undefined where nothing better is known than what the server said. */
export function mailHint(error: MailError, settings: Settings): string | undefined {
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return HINTS.find(([pattern]) => pattern.test(`${error.message} ${code}`))?.[1](settings);
}
