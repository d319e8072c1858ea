/** A real SMTP server on this machine that keeps what it was sent. */

import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions } from 'smtp-server';

/** A running server. */
export interface TestSmtp {
  port: number;
  /** The mails as they came over the wire. */
  mails: Buffer[];
  /** For each mail, whether it came encrypted. */
  encrypted: boolean[];
}

/** Starts a server that ends with the test; `options` may make it refuse. */
export async function startSmtp(t: TestContext, options: SMTPServerOptions = {}): Promise<TestSmtp> {
  const mails: Buffer[] = [];
  const encrypted: boolean[] = [];
  const server = new SMTPServer({
    authOptional: true,
    logger: false,
    onData(stream, session, callback) {
      encrypted.push(session.secure);
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        mails.push(Buffer.concat(parts));
        callback(null);
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(
    () =>
      new Promise<void>((resolve) => {
        server.close(resolve);
      }),
  );
  return { port: (server.server.address() as AddressInfo).port, mails, encrypted };
}

/** An SMTP answer for a server's callback. */
export function smtpAnswer(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
