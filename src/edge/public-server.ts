/**
 * The listener that the world may reach: `/parent/TOKEN` and nothing else. GET and HEAD look, POST decides: mail
 * programs and chat apps open every link that they see.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors } from '../errors.ts';
import { Endpoints } from './http/endpoints.ts';
import {
  type Address,
  createListener,
  header,
  isOwn,
  type Limits,
  networkOf,
  openPort,
  readBody,
  write,
} from './http/listener.ts';
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

/** A listener that runs. */
export interface PublicServer {
  /** Such as `127.0.0.1:8080`. */
  address: string;
  close(): Promise<void>;
}

/** Chat and mail programs append queries, and people slashes. */
const PATH = /^\/parent\/([\w-]{1,64})\/?(?:\?.*)?$/;

/** A decision is some twenty bytes. */
const LONGEST_BODY = 1024;

/** An address may open its link a dozen times at once, and then once every two seconds. */
const RATE = { burst: 20, perSecond: 0.5 };

/** More connections at once than a campus has parents who answer in the same second; the kernel refuses the rest. */
const LIMITS: Limits = {
  headersMs: 5_000,
  requestMs: 10_000,
  silenceMs: 15_000,
  keepAliveMs: 5_000,
  connections: 200,
  connectionsPerAddress: 40,
  requestsPerConnection: 100,
};

/** Starts to listen, unless one of the endpoints does so at the address already. Throws where the address cannot be had. */
export async function startPublicServer(
  address: Address,
  pages: PublicPages,
  trouble: (error: unknown) => void,
  endpoints = new Endpoints(),
): Promise<PublicServer> {
  const rate = new RateLimit(RATE);
  const server = createListener(
    LIMITS,
    (request, response) => answer(request, response, pages, rate),
    (error, response) => {
      trouble(error);
      if (!response.headersSent) {
        plain(response, 503, 'This does not work right now. Please try again in a few minutes.');
      }
    },
  );
  const name = `public ${address.host}:${address.port}`;
  const served = await endpoints.serve(name, server, LIMITS, (create) =>
    openPort(create(), address, errors.publicAddress),
  );
  return { address: served.opened.address, close: () => served.close(0) };
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
  const body = await readBody(request, LONGEST_BODY);
  if (body === undefined) return plain(response, 413, 'This is too long for an answer.');
  const decisions = new URLSearchParams(body.toString('utf8')).getAll('decision');
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
  if (!isOwn(peer)) return networkOf(peer);
  return networkOf(header(request, 'x-forwarded-for')?.split(',').at(-1)?.trim() || peer);
}

function send(response: ServerResponse, { status, html }: PublicPage): void {
  write(response, status, 'text/html; charset=utf-8', html);
}

function plain(response: ServerResponse, status: number, text: string): void {
  write(response, status, 'text/plain; charset=utf-8', `${text}\n`);
}
