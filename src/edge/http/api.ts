/** The HTTP API for programs: dispatch, look at a job or wait for it, health. Everything is JSON. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { DispatchedLines } from '../../engine/job-lines.ts';
import type { Inserted } from '../../engine/store.ts';
import { errors, EXIT, PassitoError } from '../../errors.ts';
import { printableJson } from '../terminal.ts';
import { foreign } from './guard.ts';
import { createListener, header, type Limits, readBody, write } from './listener.ts';

/** What the API asks of the program. All of it may throw a {@link PassitoError}. */
export interface Jobs {
  /** The text is a job. What it resolves with is durable. */
  dispatch(text: string): Promise<Inserted>;
  /** The text is a job a line. */
  dispatchLines(text: string, atomic: boolean): Promise<DispatchedLines>;
  /** As `jobs show --json` prints it. */
  job(id: number): Promise<object | undefined>;
  /** Resolves once the job has ended, or the signal aborts. */
  ended(id: number, signal: AbortSignal): Promise<unknown>;
  /** As `health --json` prints it. */
  health(): Promise<{ healthy: boolean }>;
}

/** The longest wait, in seconds. */
const LONGEST_WAIT = 60;

/** A payload of the largest size with all that may stand around it. Bytes. */
const LONGEST_BODY = 16 * 1024 ** 2;

/** Bodies that are held at once, in bytes: whoever sends many large ones must not fill the memory. */
const ROOM = 64 * 1024 ** 2;

/** Waits at once: each is a worker process of some portal that stands still. */
const MOST_WAITS = 256;

/** For every listener of the API. Wide enough for a portal with all its workers; further connections are closed at once. */
export const LIMITS: Limits = {
  headersMs: 5_000,
  requestMs: 30_000,
  silenceMs: (LONGEST_WAIT + 15) * 1000,
  keepAliveMs: 30_000,
  connections: 512,
  requestsPerConnection: 0,
};

/** Seconds after which a client may try again. */
const RETRY_AFTER = 2;

/** The errors that are HTTP's own, with their statuses; docs/contract.md lists them. */
export const HTTP_ERRORS = {
  BAD_QUERY: 400,
  BAD_TEXT: 400,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD: 405,
  BODY_TOO_LARGE: 413,
  CONTENT_TYPE: 415,
  FAULT: 500,
  BUSY: 503,
} as const;

/** Answered in place of what was asked for. */
class Refusal extends Error {
  readonly code: keyof typeof HTTP_ERRORS;
  readonly headers: Record<string, string>;
  constructor(code: keyof typeof HTTP_ERRORS, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

const AGAIN = { 'Retry-After': String(RETRY_AFTER) };
const FAULT = new Refusal('FAULT', 'Something went wrong inside passito; its log says what.');

/** One API, which several listeners may serve: its limits hold for all of them together. */
export class Api {
  readonly #jobs: Jobs;
  readonly #trouble: (error: unknown) => void;
  readonly #waits = new Set<AbortController>();
  #room = ROOM;
  #closing = false;

  constructor(jobs: Jobs, trouble: (error: unknown) => void) {
    this.#jobs = jobs;
    this.#trouble = trouble;
  }

  /** A server that does not listen yet. `browsers`: whether they can reach it. */
  createServer(browsers: boolean): Server {
    return createListener(
      LIMITS,
      async (request, response) => {
        const refused = browsers ? foreign(request) : undefined;
        if (refused !== undefined) throw new Refusal('FORBIDDEN', refused);
        await this.#answer(request, response);
      },
      (error, response) => this.#fail(error, response),
    );
  }

  /** Ends all waits; answers from now on are the last of their connections. */
  close(): void {
    this.#closing = true;
    for (const wait of this.#waits) wait.abort();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const id = /^\/v1\/jobs\/(\d{1,15})$/.exec(path)?.[1];
    if (path === '/v1/jobs') {
      allow(request, ['POST']);
      return this.#dispatch(request, response, read(query, ['atomic']));
    }
    if (id !== undefined) {
      allow(request, ['GET', 'HEAD']);
      return this.#show(Number(id), read(query, ['wait']), response);
    }
    if (path === '/healthz') {
      allow(request, ['GET', 'HEAD']);
      read(query, []);
      const health = await this.#jobs.health();
      return this.#send(response, health.healthy ? 200 : 503, health);
    }
    throw new Refusal('NOT_FOUND', 'There are /v1/jobs, /v1/jobs/ID and /healthz, and nothing else.');
  }

  async #dispatch(
    request: IncomingMessage,
    response: ServerResponse,
    { atomic }: Record<string, string>,
  ): Promise<void> {
    const type = /^[^;\s]*/.exec(header(request, 'content-type') ?? '')?.[0].toLowerCase();
    const lines = type === 'application/x-ndjson';
    // Also what keeps pages elsewhere out: a browser asks before it sends such a type.
    if (!lines && type !== 'application/json') {
      const message = 'The Content-Type must be application/json, or application/x-ndjson for a job a line.';
      throw new Refusal('CONTENT_TYPE', message);
    }
    if (atomic !== undefined && (!lines || (atomic !== '0' && atomic !== '1'))) {
      throw new Refusal('BAD_QUERY', "'atomic' is 1 or 0, for application/x-ndjson.");
    }
    await this.#withBody(request, async (text) => {
      if (lines) {
        const told = await this.#jobs.dispatchLines(text, atomic === '1');
        this.#send(response, told.dispatched > 0 ? 201 : 200, told);
      } else {
        const { id, existing } = await this.#jobs.dispatch(text);
        this.#send(response, existing ? 200 : 201, { id, existing });
      }
    });
  }

  async #withBody(request: IncomingMessage, use: (text: string) => Promise<void>): Promise<void> {
    let taken = 0;
    const take = (bytes: number) => {
      taken += bytes;
      this.#room -= bytes;
      return this.#room >= 0;
    };
    try {
      const body = await readBody(request, LONGEST_BODY, take);
      if (body === undefined) {
        if (taken <= LONGEST_BODY) throw new Refusal('BUSY', 'Too much is being sent at once.', AGAIN);
        throw new Refusal('BODY_TOO_LARGE', 'A request has at most 16 MB; send it in parts.');
      }
      await use(textOf(body));
    } finally {
      this.#room += taken;
    }
  }

  async #show(id: number, { wait }: Record<string, string>, response: ServerResponse): Promise<void> {
    const seconds = wait === undefined ? 0 : /^\d{1,2}$/.test(wait) ? Number(wait) : LONGEST_WAIT + 1;
    if (seconds > LONGEST_WAIT) {
      throw new Refusal('BAD_QUERY', `'wait' is a whole number of seconds, at most ${LONGEST_WAIT}.`);
    }
    if (seconds > 0) await this.#wait(id, seconds * 1000, response);
    if (response.closed) return;
    const job = await this.#jobs.job(id);
    if (job === undefined) throw errors.unknownJob(id);
    this.#send(response, 200, job);
  }

  /** Until the job has ended, the time is up, or the client has gone. */
  async #wait(id: number, ms: number, response: ServerResponse): Promise<void> {
    if (this.#waits.size >= MOST_WAITS) {
      throw new Refusal('BUSY', `${MOST_WAITS} requests wait for jobs already.`, AGAIN);
    }
    const wait = new AbortController();
    const stop = () => wait.abort();
    const timer = setTimeout(stop, ms);
    this.#waits.add(wait);
    response.once('close', stop);
    if (this.#closing) stop();
    try {
      await this.#jobs.ended(id, wait.signal);
    } finally {
      clearTimeout(timer);
      this.#waits.delete(wait);
      response.removeListener('close', stop);
    }
  }

  #send(response: ServerResponse, status: number, value: object): void {
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    if (this.#closing) response.setHeader('Connection', 'close');
    write(response, status, 'application/json', `${printableJson(JSON.stringify(value))}\n`);
  }

  #fail(error: unknown, response: ServerResponse): void {
    const { status, headers, told } = answerTo(error);
    if (status === 500) this.#trouble(error);
    if (response.headersSent) return;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    this.#send(response, status, { error: told });
  }
}

/** The status, headers and words of an error. A fault of ours is told to the admin alone. */
function answerTo(error: unknown): { status: number; headers: Record<string, string>; told: object } {
  if (!(error instanceof PassitoError)) {
    const { code, headers, message } = error instanceof Refusal ? error : FAULT;
    return { status: HTTP_ERRORS[code], headers, told: { code, message } };
  }
  const { code, message, hint, problems } = error;
  const status = statusOf(error);
  const told = {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(problems.length === 0
      ? {}
      : { problems: problems.map(({ line, key, message: what }) => ({ line, key, message: what })) }),
  };
  return { status, headers: status === 503 ? AGAIN : {}, told };
}

function statusOf({ code, exit, problems }: PassitoError): number {
  if (code === 'UNKNOWN_JOB') return 404;
  if (code === 'UNKNOWN_DEPENDENCY') return 422;
  if (problems.some(({ tooLarge }) => tooLarge)) return 413;
  // Sent again as it is, it would dispatch the first part twice.
  if (code === 'PARTLY_DISPATCHED') return 500;
  return exit === EXIT.unreachable ? 503 : 400;
}

function allow({ method = '' }: IncomingMessage, methods: readonly string[]): void {
  if (methods.includes(method)) return;
  const allowed = methods.join(', ');
  throw new Refusal('METHOD', `This address takes ${allowed}.`, { Allow: allowed });
}

/** The query's values; a name that is not known, or stands twice, is a slip. */
function read(query: string, known: readonly string[]): Record<string, string> {
  const values = new URLSearchParams(query);
  for (const name of values.keys()) {
    if (known.includes(name) && values.getAll(name).length === 1) continue;
    throw new Refusal(
      'BAD_QUERY',
      `'${name.slice(0, 40)}' cannot stand behind the '?' here, or stands twice.`,
    );
  }
  return Object.fromEntries(values);
}

function textOf(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new Refusal('BAD_TEXT', 'The body is not UTF-8 text.');
  }
}
