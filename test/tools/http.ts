/** Requests to a server on a Unix socket or a port, with every header in the test's hand. */

import { type Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Gives the request up. */
  signal?: AbortSignal;
  /** A connection of its own unless told. */
  agent?: Agent;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** `where`: a socket's path, or `127.0.0.1:8080`. */
export function ask(where: string, path: string, asked: Asked = {}): Promise<Answer> {
  const [, host, port] = /^([\d.]+):(\d+)$/.exec(where) ?? [];
  const target = host === undefined ? { socketPath: where } : { host, port: Number(port) };
  return new Promise((resolve, reject) => {
    const { method = asked.body === undefined ? 'GET' : 'POST', headers = {}, body, signal, agent } = asked;
    const options = { ...target, path, method, headers, agent: agent ?? false, ...(signal && { signal }) };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** As much of an answer's JSON as tests look at. */
export interface Told {
  id: number;
  existing: boolean;
  dispatched: number;
  jobs: { line: number; ref?: string; id: number; existing: boolean }[];
  status: string;
  result: unknown;
  payload: unknown;
  last_error: string | null;
  healthy: boolean;
  error: {
    code: string;
    message: string;
    hint?: string;
    problems?: { line?: number; key?: string; message: string }[];
  };
}

const types = { json: 'application/json', lines: 'application/x-ndjson' };

/** Posts to `/v1/jobs`. */
export async function post(
  where: string,
  body: unknown,
  { query = '', kind = 'json', agent }: { query?: string; kind?: keyof typeof types; agent?: Agent } = {},
): Promise<{ status: number; body: Told }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': types[kind] };
  const answer = await ask(where, `/v1/jobs${query}`, { body: text, headers, ...(agent && { agent }) });
  return { status: answer.status, body: JSON.parse(answer.text) as Told };
}

/** Gets JSON. */
export async function get(where: string, path: string): Promise<{ status: number; body: Told }> {
  const { status, text } = await ask(where, path);
  return { status, body: JSON.parse(text) as Told };
}
