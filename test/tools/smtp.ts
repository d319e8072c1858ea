/** A real SMTP server on this machine that keeps what it was sent, and ways to it that break or hang. */

import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
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

/** A port on which nobody listens, below those that connections get by chance: one of them would find itself there. */
export async function closedPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.on('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** Starts a server that ends with the test; `options` may make it refuse. Any free port unless told. */
export async function startSmtp(
  t: TestContext,
  options: SMTPServerOptions = {},
  port = 0,
): Promise<TestSmtp> {
  const mails: Buffer[] = [];
  const encrypted: boolean[] = [];
  const server = new SMTPServer({
    authOptional: true,
    logger: false,
    // Half a second where no name server answers.
    disableReverseLookup: true,
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
    server.listen(port, '127.0.0.1', resolve);
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

/** What has passed through {@link startBreakable} so far, as text. */
export interface Passed {
  sent: string;
  answered: string;
}

/**
 * A way to a server that breaks off once `breaks` says so: what would have been passed on then is lost, and both sides
 * find their connection gone. Returns its port.
 */
export async function startBreakable(
  t: TestContext,
  port: number,
  breaks: (passed: Passed) => boolean,
): Promise<number> {
  return listen(t, (client) => {
    const server = connect(port, '127.0.0.1');
    const passed: Passed = { sent: '', answered: '' };
    const pass = (from: Socket, to: Socket, side: keyof Passed) => {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.on('data', (part) => {
        passed[side] += part.toString('latin1');
        if (!breaks(passed)) return void to.write(part);
        client.resetAndDestroy();
        server.resetAndDestroy();
      });
    };
    pass(client, server, 'sent');
    pass(server, client, 'answered');
  });
}

/** A server that takes connections, says this, and nothing more. Returns its port. */
export async function startSilent(t: TestContext, greeting = ''): Promise<number> {
  return listen(t, (socket) => void socket.on('error', () => {}).write(greeting));
}

/** A server that always says a little more, and never ends its answer. Returns its port. */
export async function startDribbling(t: TestContext): Promise<number> {
  return listen(t, (socket) => {
    socket.on('error', () => {}).write('220 here\r\n');
    const more = setInterval(() => socket.write('250-more\r\n'), 10);
    socket.on('close', () => clearInterval(more));
  });
}

async function listen(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
