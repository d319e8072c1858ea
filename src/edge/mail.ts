/** Sends mail by SMTP, or writes it to the outbox where no server is configured, and says which. */

import type { Transporter } from 'nodemailer';
import type SMTPTransport from 'nodemailer/lib/smtp-transport/index.js';
import type { MailMessage, MailReceipt } from '../engine/handler.ts';
import { formatDuration } from '../engine/units.ts';
import { messageOf } from '../errors.ts';
import { hiding, tokensIn } from '../hide-secrets.ts';
import {
  bodyText,
  headerText,
  loadAttachments,
  messageIdText,
  parseAddress,
  recipients,
} from './mail-check.ts';
import { MailError, badMail, serverFault } from './mail-error.ts';
import { writeToOutbox } from './mail-outbox.ts';

export { MailError } from './mail-error.ts';

/** Where mail goes and whence it comes. */
export interface MailSettings {
  /** Without a host, mail is written to the outbox. */
  host?: string | undefined;
  /** 587 where none is configured. */
  port?: number | undefined;
  /** By the port, where it is not given: `tls` on 465, `starttls` on 587, `offered` on others. */
  security?: Security;
  /** A certificate, in PEM, that vouches for the server beside those that the system knows. */
  ca?: string;
  user?: string | undefined;
  password?: string | undefined;
  /** `a@b.c` or `Name <a@b.c>`. */
  from: string;
  /** The outbox's folder. */
  outbox: string;
  /** Attachments must lie below it. */
  filesRoot: string;
  /** The name by which this machine greets the server. */
  hostname: string;
  /** How long a silent server is waited for; see {@link PATIENCE}. */
  patience?: Partial<typeof PATIENCE>;
}

/** Hands mails on. */
export interface Mailer {
  /**
   * Sends one mail under a message id that stays the same however often it is tried.
   * Throws a {@link MailError}, whose `permanent` says whether trying again is in vain.
   */
  send(message: MailMessage, options: { messageId: string }): Promise<MailReceipt>;
}

/** TLS from the start; STARTTLS or nothing; STARTTLS where the server offers it. */
type Security = 'tls' | 'starttls' | 'offered';

/** The port where none is configured. */
const SUBMISSION = 587;

/**
 * How long a server may be silent, in milliseconds. A worker does nothing else meanwhile, and the job comes back anyway.
 * But a server that is given up after the last line of a mail may have taken it, so that wait is not cut as short.
 */
export const PATIENCE = {
  /** Finding the server, connecting and being greeted, all together. */
  connect: 15_000,
  /** Between two signs of life, from then on. */
  silence: 60_000,
  /** All together, however lively: shorter than the timeout of the jobs that send mails, to which it would be a fault of theirs. */
  whole: 240_000,
};

/** Makes a mailer. Nothing is loaded or opened before the first mail. */
export function createMailer(settings: MailSettings): Mailer {
  return {
    async send(message, options) {
      const mail = await compose(message, options.messageId, settings);
      return settings.host === undefined || settings.host === ''
        ? toOutbox(mail, settings)
        : toServer(mail, settings, settings.host);
    },
  };
}

type Composed = Awaited<ReturnType<typeof compose>>;

/** All checks happen here, so that the outbox refuses what a server would never have been asked. */
async function compose(message: MailMessage, messageId: string, settings: MailSettings) {
  return {
    from: parseAddress(settings.from, 'the sender (MAILER_FROM)'),
    to: recipients(message.to),
    subject: headerText(message.subject, 'the subject'),
    text: bodyText(message.text, 'the text'),
    ...(message.html === undefined ? {} : { html: bodyText(message.html, 'the HTML') }),
    attachments: await loadAttachments(message.attachments ?? [], settings.filesRoot),
    messageId: messageIdText(messageId),
    // So that no out-of-office note comes back (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated' },
    // Belt and braces: everything is bytes by now, and the library must not fetch anything by itself.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

async function toOutbox(mail: Composed, settings: MailSettings): Promise<MailReceipt> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  const { message } = await transport.sendMail(mail);
  if (!Buffer.isBuffer(message)) throw badMail('it could not be put together');
  try {
    const response = await writeToOutbox(settings.outbox, mail.messageId, message);
    return { messageId: mail.messageId, via: 'outbox', response };
  } catch (error) {
    throw new MailError(
      `The outbox ${settings.outbox} cannot be written: ${messageOf(error)}`,
      false,
      undefined,
      error,
    );
  }
}

/**
 * Goes to the configured server as far as the login, and sends nothing. Throws a {@link MailError}, as sending would.
 */
export async function checkServer(settings: MailSettings & { host: string }): Promise<void> {
  await withServer(settings, settings.host, hidingOf(settings), (transport) => transport.verify());
}

async function toServer(mail: Composed, settings: MailSettings, host: string): Promise<MailReceipt> {
  const hide = hidingOf(settings, mail.text);
  const info = await withServer(settings, host, hide, (transport, signal) =>
    transport.sendMail(Object.assign(mail, { signal })),
  );
  return {
    messageId: mail.messageId,
    via: 'smtp',
    response: hide(info.response + refusedOf(info.rejectedErrors)),
  };
}

/** The login as it is, and as the ways to log in send it; and the parent's link, where the mail has one. */
function hidingOf({ user = '', password = '' }: MailSettings, text = ''): (said: string) => string {
  const login = password === '' ? [] : [password, `\0${user}\0${password}`];
  return hiding([...login, ...tokensIn(text)]);
}

async function withServer<T>(
  settings: MailSettings,
  host: string,
  hide: (said: string) => string,
  use: (transport: Transporter<SMTPTransport.SentMessageInfo>, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { createTransport } = await import('nodemailer');
  const port = settings.port ?? SUBMISSION;
  const patience = { ...PATIENCE, ...settings.patience };
  const transport = createTransport({
    host,
    port,
    name: settings.hostname,
    ...(settings.user === undefined || settings.user === ''
      ? {}
      : { auth: { user: settings.user, pass: settings.password ?? '' } }),
    ...tlsRules(settings.security ?? securityOf(port), settings.ca),
    // The library counts the name's lookup and the greeting against the first.
    connectionTimeout: patience.connect,
    greetingTimeout: patience.connect,
    dnsTimeout: patience.connect,
    socketTimeout: patience.silence,
  });
  const signal = AbortSignal.timeout(patience.whole);
  try {
    return await use(transport, signal);
  } catch (error) {
    const server = `${host}:${port}`;
    if (signal.aborted) {
      throw new MailError(
        `The mail server ${server} took longer than ${formatDuration(patience.whole)}.`,
        false,
      );
    }
    throw serverFault(error, server, hide);
  } finally {
    transport.close();
  }
}

function securityOf(port: number): Security {
  if (port === 465) return 'tls';
  return port === SUBMISSION ? 'starttls' : 'offered';
}

/** Where a listener could strip STARTTLS anyway, a certificate nobody vouches for still beats none. */
function tlsRules(security: Security, ca: string | undefined): object {
  if (security === 'offered') {
    return { secure: false, opportunisticTLS: true, tls: { rejectUnauthorized: false } };
  }
  return {
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ...(ca === undefined ? {} : { tls: { ca } }),
  };
}

/** A server may take a mail for some recipients only; the receipt says so, or nobody would. */
function refusedOf(errors: readonly Error[] | undefined): string {
  if (errors === undefined || errors.length === 0) return '';
  return ` (refused for some recipients: ${errors.map((error) => error.message).join('; ')})`;
}
