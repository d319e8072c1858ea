/** A stand-in for Twilio's REST API on this machine: keeps what it was asked, and answers as the real one does. */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request for an SMS. */
export interface AskedSms {
  path: string;
  authorization: string;
  to: string | null;
  from: string | null;
  service: string | null;
  body: string;
}

/** A stand-in that runs. */
export interface TestTwilio {
  url: string;
  asked: AskedSms[];
  /** What comes after it is answered thus instead. */
  answer: ((response: ServerResponse, asked: AskedSms) => void) | undefined;
}

/** Starts a stand-in that ends with the test. */
export async function startTwilio(t: { after(clean: () => void): void }): Promise<TestTwilio> {
  const asked: AskedSms[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(parts).toString());
      const sms = {
        path: request.url ?? '',
        authorization: request.headers.authorization ?? '',
        to: form.get('To'),
        from: form.get('From'),
        service: form.get('MessagingServiceSid'),
        body: form.get('Body') ?? '',
      };
      asked.push(sms);
      if (twilio.answer === undefined) takeSms(response, asked.length);
      else twilio.answer(response, sms);
    });
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const twilio: TestTwilio = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: undefined,
  };
  return twilio;
}

/** A message that is taken. */
export function takeSms(response: ServerResponse, number: number): void {
  response.writeHead(201, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ sid: `SM${String(number).padStart(32, '0')}`, status: 'queued' }));
}

/** An error as Twilio words it. */
export function refuseSms(response: ServerResponse, status: number, code: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ code, message, more_info: 'https://www.twilio.com/docs/errors', status }));
}
