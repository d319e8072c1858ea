/**
 * The listener that the world may reach: `/parent/TOKEN` and nothing else. GET and HEAD look, POST decides: mail
 * programs and chat apps open every link that they see.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errors, messageOf } from '../errors.ts';
import { RateLimit } from './rate-limit.ts';

/** What is shown, and with which HTTP status. */
export interface PublicPage {
  status: number;
  html: string;
}

/** The parents' pages, as the office makes them. */
export interface PublicPages {
  show(token: string): Promise<PublicPage>;
  decide(token: string, decision: 'approve' | 'deny'): Promise<PublicPage>;
  /** For everything else. */
  nothing(): PublicPage;
  /** The hash of the pages' style, such as `sha256-…`. */
  styleHash: string;
}

/** A host and a port to listen on. */
export interface Address {
  host: string;
  port: number;
}

/** A listener that runs. */
export interface PublicServer {
  /** Such as `127.0.0.1:8080`. */
  address: string;
  close(): Promise<void>;
}

const PATH = /^\/parent\/([\w-]{1,64})$/;

/** A decision is some twenty bytes. */
const LONGEST_BODY = 1024;

/** An address may open its link a dozen times at once, and then once every two seconds. */
const RATE = { burst: 20, perSecond: 0.5 };

/** Slow clients are cut off after these, in milliseconds. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
const SILENCE_MS = 15_000;

/** More at once than a campus has parents who answer in the same second; the rest is refused by the kernel. */
const MOST_CONNECTIONS = 200;

/** Starts to listen. Throws where the address cannot be had. */
export async function startPublicServer(
  { host, port }: Address,
  pages: PublicPages,
  trouble: (error: unknown) => void,
): Promise<PublicServer> {
  const rate = new RateLimit(RATE);
  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: HEADERS_MS,
      maxHeaderSize: 16 * 1024,
    },
    (request, response) => {
      answer(request, response, pages, rate).catch((error: unknown) => {
        trouble(error);
        if (response.headersSent) response.destroy();
        else plain(response, 503, 'This does not work right now. Please try again in a few minutes.');
      });
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.timeout = SILENCE_MS;
  server.maxRequestsPerSocket = 100;
  await listen(server, { host, port });
  const { address, port: bound, family } = server.address() as AddressInfo;
  return {
    address: family === 'IPv6' ? `[${address}]:${bound}` : `${address}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(errors.publicAddress(`${host}:${port}`, reasonOf(error))));
    server.listen(port, host, () => resolve());
  });
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') return 'another program listens there already';
  if (error.code === 'EADDRNOTAVAIL') return 'this machine does not have that address';
  if (error.code === 'EACCES') return 'this user may not listen there (ports below 1024 are kept for root)';
  return messageOf(error);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: PublicPages,
  rate: RateLimit,
): Promise<void> {
  protect(response, pages.styleHash);
  if (!rate.allows(addressOf(request), performance.now())) {
    response.setHeader('Retry-After', '10');
    return plain(response, 429, 'Too many requests. Please wait a little and try again.');
  }
  const token = PATH.exec(request.url ?? '')?.[1];
  if (token === undefined) return send(response, pages.nothing());
  if (request.method === 'GET' || request.method === 'HEAD') return send(response, await pages.show(token));
  if (request.method !== 'POST') {
    response.setHeader('Allow', 'GET, HEAD, POST');
    return plain(response, 405, 'This address can be read and answered, nothing else.');
  }
  // A page elsewhere must not answer in a parent's name; browsers say where a form was.
  if (!['same-origin', 'none', undefined].includes(header(request, 'sec-fetch-site'))) {
    return plain(response, 403, 'Please answer on the page that the link opens.');
  }
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(header(request, 'content-type') ?? '')) {
    return plain(response, 415, 'Please answer on the page that the link opens.');
  }
  const body = await readBody(request);
  if (body === undefined) return plain(response, 413, 'This is too long for an answer.');
  const decisions = new URLSearchParams(body).getAll('decision');
  const [decision] = decisions;
  if (decisions.length !== 1 || (decision !== 'approve' && decision !== 'deny')) {
    return plain(response, 400, 'Please answer with one of the two buttons on the page.');
  }
  return send(response, await pages.decide(token, decision));
}

/** Nothing is loaded, kept, framed or told to others. */
function protect(response: ServerResponse, styleHash: string): void {
  const policy = `default-src 'none'; style-src '${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
  response.setHeader('Content-Security-Policy', policy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Robots-Tag', 'noindex, nofollow');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
}

/** Behind a proxy of this machine, whom the proxy names last: what a client put there itself stands before it. */
function addressOf(request: IncomingMessage): string {
  const peer = request.socket.remoteAddress ?? '';
  if (!/^(::ffff:)?127\.|^::1$/.test(peer)) return peer;
  return header(request, 'x-forwarded-for')?.split(',').at(-1)?.trim() || peer;
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** Undefined where it is too long; the rest is not read, and the connection stays whole for the answer. */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    request.on('data', (part: Buffer) => {
      length += part.length;
      parts.push(part);
      if (length <= LONGEST_BODY) return;
      request.pause();
      resolve(undefined);
    });
    request.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    request.on('error', reject);
  });
}

function send(response: ServerResponse, { status, html }: PublicPage): void {
  write(response, status, 'text/html; charset=utf-8', html);
}

function plain(response: ServerResponse, status: number, text: string): void {
  write(response, status, 'text/plain; charset=utf-8', `${text}\n`);
}

function write(response: ServerResponse, status: number, type: string, text: string): void {
  // What is left of a request that was refused is not read.
  if (status >= 400 && !response.req.complete) response.setHeader('Connection', 'close');
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
