/** What every HTTP listener of ours shares: limits, addresses, bodies, answers, its end. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { messageOf, type PassitoError } from '../../errors.ts';

/** A host and a port to listen on. */
export interface Address {
  host: string;
  port: number;
}

/** A client that is slower is cut off, and one that comes when all places are taken. Milliseconds. */
export interface Limits {
  headersMs: number;
  requestMs: number;
  /** Without a byte in either direction; longer than the longest answer takes. */
  silenceMs: number;
  keepAliveMs: number;
  connections: number;
  /** Of them from one address elsewhere; a proxy of this machine has them all. */
  connectionsPerAddress?: number;
  /** 0 for any number. */
  requestsPerConnection: number;
}

/** Makes a server that does not listen yet. What `answer` throws goes to `failed`, unless the client is gone. */
export function createListener(
  limits: Limits,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  failed: (error: unknown, response: ServerResponse) => void,
): Server {
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: 16 * 1024,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        if (response.closed || request.readableAborted) return;
        if (response.headersSent) response.destroy();
        failed(error, response);
      });
    },
  );
  server.maxConnections = limits.connections;
  server.timeout = limits.silenceMs;
  server.maxRequestsPerSocket = limits.requestsPerConnection;
  if (limits.connectionsPerAddress !== undefined) shareOut(server, limits.connectionsPerAddress);
  return server;
}

/** Lets no client elsewhere take the places of all others. */
function shareOut(server: Server, most: number): void {
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const name = networkOf(socket.remoteAddress ?? '');
    if (isOwn(name)) return;
    const count = (open.get(name) ?? 0) + 1;
    open.set(name, count);
    socket.once('close', () => {
      const left = (open.get(name) ?? 0) - 1;
      if (left > 0) open.set(name, left);
      else open.delete(name);
    });
    if (count > most) socket.destroy();
  });
}

/** Whether an address is this machine's own. */
export function isOwn(address: string): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(address);
}

/** What is counted as one client: an IPv4 address, or the network of 64 bits that everybody with IPv6 has to themselves. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  if (isIP(plain) !== 6 || isOwn(plain)) return plain.slice(0, 64);
  const [head = '', tail] = plain.replace(/%.*/, '').split('::');
  const first = head.split(':').filter((part) => part !== '');
  const last = (tail ?? '').split(':').filter((part) => part !== '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: zeros }, () => '0'), ...last];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':');
}

/** Listens; resolves with the address, such as `127.0.0.1:8080`. Throws what `refusal` makes of the reason. */
export async function listenAt(
  server: Server,
  { host, port }: Address,
  refusal: (address: string, reason: string) => PassitoError,
): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(refusal(`${host}:${port}`, reasonOf(error))));
    server.listen(port, host, () => resolve());
  });
  const { address, port: bound, family } = server.address() as AddressInfo;
  return family === 'IPv6' ? `[${address}]:${bound}` : `${address}:${bound}`;
}

/** As {@link listenAt}, with its end. */
export async function openPort(
  server: Server,
  address: Address,
  refusal: (address: string, reason: string) => PassitoError,
): Promise<{ address: string; close(ms: number): Promise<void> }> {
  const bound = await listenAt(server, address, refusal);
  return { address: bound, close: (ms) => closeListener(server, ms) };
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') return 'another program listens there already';
  if (error.code === 'EADDRNOTAVAIL') return 'this machine does not have that address';
  if (error.code === 'EACCES') return 'this user may not listen there (ports below 1024 are kept for root)';
  return messageOf(error);
}

/** Stops to listen. Answers that are under way have `ms` to get out. */
export function closeListener(server: Server, ms = 0): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), ms);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    if (ms === 0) server.closeAllConnections();
  });
}

/** A header's only, or first, value. */
export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/**
 * The body's bytes. Undefined where it is longer than `longest`, or `room` says no to further bytes; the rest is
 * not read, and the connection stays whole for the answer.
 */
export function readBody(
  request: IncomingMessage,
  longest: number,
  room: (bytes: number) => boolean = () => true,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    request.on('data', (part: Buffer) => {
      length += part.length;
      parts.push(part);
      if (room(part.length) && length <= longest) return;
      request.pause();
      resolve(undefined);
    });
    request.on('end', () => resolve(Buffer.concat(parts)));
    request.on('error', reject);
  });
}

/** Sends a whole answer. */
export function write(response: ServerResponse, status: number, type: string, text: string): void {
  // What is left of a request that was refused is not read.
  if (status >= 400 && !response.req.complete) response.setHeader('Connection', 'close');
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
