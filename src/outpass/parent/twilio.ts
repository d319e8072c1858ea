/** Sends an SMS through Twilio's REST API (https://www.twilio.com/docs/messaging/api/message-resource). */

import { messageOf } from '../../errors.ts';
import { hiding, tokensIn } from '../../hide-secrets.ts';
import type { TwilioAccount } from './question.ts';

/** For one request, in milliseconds. */
const PATIENCE_MS = 30_000;

/** An answer is a few hundred characters; no server may fill a worker's memory. */
const LONGEST_ANSWER = 100_000;

/** An SMS that was not taken; `permanent`: the same request would be refused again. */
export class SmsError extends Error {
  readonly permanent: boolean;
  constructor(message: string, permanent: boolean) {
    super(message);
    this.permanent = permanent;
  }
}

/** Sends a text and gives the message's id. Throws an SmsError with what Twilio said. */
export async function sendSms(
  account: TwilioAccount,
  to: string,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const { url, sid, authToken, from } = account;
  const sender = from.startsWith('MG') ? { MessagingServiceSid: from } : { From: from };
  const hide = hiding([authToken, `${sid}:${authToken}`, ...tokensIn(text)]);
  let status: number;
  let answer: Answer;
  try {
    const response = await fetch(`${url}/2010-04-01/Accounts/${encodeURIComponent(sid)}/Messages.json`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${sid}:${authToken}`).toString('base64')}`,
        accept: 'application/json',
      },
      body: new URLSearchParams({ To: to, ...sender, Body: text }),
      // The account's token goes to the configured server and nowhere else.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    status = response.status;
    answer = readAnswer(await shortText(response), hide);
  } catch (error) {
    throw new SmsError(`Twilio (${url}) cannot be reached: ${hide(reasonOf(error))}`, false);
  }
  if (status >= 200 && status < 300 && answer.sid !== undefined) return answer.sid;
  throw refusal(status, answer);
}

interface Answer {
  sid?: string;
  message?: string;
  code?: number;
}

function readAnswer(text: string, hide: (said: string) => string): Answer {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof said !== 'object' || said === null) return {};
  const answer: Answer = {};
  if ('sid' in said && typeof said.sid === 'string') answer.sid = said.sid;
  if ('message' in said && typeof said.message === 'string') {
    answer.message = hide(said.message).slice(0, 500);
  }
  if ('code' in said && typeof said.code === 'number') answer.code = said.code;
  return answer;
}

function refusal(status: number, { message, code }: Answer): SmsError {
  const number = code === undefined ? '' : ` (Twilio's error ${code})`;
  const hint = status === 401 ? '; TWILIO_SID and TWILIO_AUTH_TOKEN are what it was told' : '';
  // 408 and 429 ask to come again, and a 2xx without an id or a redirect is no answer of Twilio's.
  const permanent = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return new SmsError(
    `Twilio answered ${status}: ${message ?? 'nothing that can be read'}${number}${hint}`,
    permanent,
  );
}

async function shortText(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(part, { stream: true });
    if (text.length > LONGEST_ANSWER) throw new Error('the answer is too long');
  }
  return text;
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  if (error.name === 'TimeoutError') return `no answer within ${PATIENCE_MS / 1000} seconds`;
  return error.cause instanceof Error ? messageOf(error.cause) : messageOf(error);
}
