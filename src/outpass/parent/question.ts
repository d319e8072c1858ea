/** A question to a parent, and how it is asked. */

/** How a parent is reached. */
export const CHANNELS = ['sms', 'mail'] as const;
export type Channel = (typeof CHANNELS)[number];

/** How the office asks parents. */
export interface ParentSettings {
  /** Where `--public` listens; null where nothing does. */
  publicAddress: string | null;
  /** What links begin with, without a slash at the end; null where it is not set. */
  appUrl: string | null;
  /** How long a link can be used, in milliseconds. */
  linkLifetime: number;
  /** With its plus. */
  countryCode: string;
  /** The SMS, with `{student_name}`, `{purpose}` and `{verification_link}`. */
  message: string;
  /** Null where Twilio is not set up. */
  twilio: TwilioAccount | null;
  /** Whether a parent's yes approves the pass, with no warden after it. */
  approves: boolean;
}

/** The account that sends SMS. */
export interface TwilioAccount {
  /** Without a slash at the end. */
  url: string;
  sid: string;
  authToken: string;
  /** A number, or the id of a messaging service. */
  from: string;
}

/** For programs that send nothing. */
export const NOBODY_ASKED: ParentSettings = {
  publicAddress: null,
  appUrl: null,
  linkLifetime: 0,
  countryCode: '',
  message: '',
  twilio: null,
  approves: false,
};

/** A question that is to be sent. */
export interface NewQuestion {
  jobId: number;
  channel: Channel;
  /** The number or address. */
  to: string;
}

/** A question that is noted and may be sent, or why it may not. */
export type AskedParent =
  | {
      ok: true;
      id: number;
      link: string;
      /** UTC text. */
      expiresAt: string;
      /** The message's id, where this job has sent it before. */
      sentAs: string | null;
    }
  | { ok: false; reason: string };

/** What a handler asks of the office about parents. */
export interface ParentDesk {
  parentSettings(): Promise<ParentSettings>;
  /** Notes the question and moves the pass; the same question and link for each attempt of a job. */
  askParent(passId: number, question: NewQuestion): Promise<AskedParent>;
  /** The message left. */
  parentAsked(id: number, messageId: string): Promise<void>;
  /** It did not. Gives the milliseconds until the next try, or null once the link can be used no more. */
  parentUnreached(id: number): Promise<number | null>;
}
