/** A mail server that keeps its own account of what it took, and can be told to wait at a step of one recipient's mail. */

import type { TestContext } from 'node:test';
import type { SMTPServerOptions } from 'smtp-server';
import { smtpAnswer, startSmtp } from './smtp.ts';

/** Steps of a mail as its server sees them, in their order. */
export const MAIL_STEPS = ['recipient named', 'text begun', 'text whole', 'yes said'] as const;

export type MailStep = (typeof MAIL_STEPS)[number];

/** A mail that the server said yes to. */
export interface Accepted {
  messageId: string;
  to: string;
  raw: Buffer;
}

/** What happens at a step: `before` ends before the server goes on, `after` begins once it has. */
export interface Ambush {
  step: MailStep;
  to: string;
  before?: () => void;
  after?: () => void;
}

export class MailAccount {
  readonly accepted: Accepted[] = [];
  /** Called once, at the first mail that comes so far. */
  ambush: Ambush | undefined;
  readonly #open = new Set<string>();

  /** Starts the server; resolves with its port. */
  async start(t: TestContext): Promise<number> {
    const options: SMTPServerOptions = {
      hideSTARTTLS: true,
      onConnect: (session, callback) => {
        this.#open.add(session.id);
        callback();
      },
      onClose: (session) => void this.#open.delete(session.id),
      onRcptTo: ({ address }, _session, callback) => this.#at('recipient named', address, () => callback()),
      onData: (stream, session, callback) => {
        const to = session.envelope.rcptTo[0]?.address ?? '';
        const parts: Buffer[] = [];
        stream.once('data', () => this.#at('text begun', to, () => {}));
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => {
          // Whoever breaks off here has heard no yes, and the server forgets what it was given.
          if (this.#at('text whole', to, () => {})) return callback(smtpAnswer(451, 'gone'));
          this.#at('yes said', to, () => {
            const raw = Buffer.concat(parts);
            const [, messageId = ''] = /^message-id:\s*<([^>]+)>/im.exec(raw.toString('latin1')) ?? [];
            this.accepted.push({ messageId, to, raw });
            callback(null);
          });
        });
      },
    };
    return (await startSmtp(t, options)).port;
  }

  /** Whether no mail is on its way: whatever a dead client had sent has been read. */
  get quiet(): boolean {
    return this.#open.size === 0;
  }

  /** How often a mail was taken. */
  times(id: string): number {
    return this.accepted.filter(({ messageId }) => messageId === id).length;
  }

  /** Goes on, with what lies in wait around it; true where something did. */
  #at(step: MailStep, to: string, goOn: () => void): boolean {
    const { ambush } = this;
    const sprung = ambush?.step === step && ambush.to === to;
    if (sprung) this.ambush = undefined;
    if (sprung) ambush.before?.();
    goOn();
    if (sprung && ambush.after !== undefined) setImmediate(ambush.after);
    return sprung;
  }
}
