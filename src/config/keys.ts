/** Every setting: its name, where it may be set, what it may be, and what counts if nobody sets it. */

import { availableParallelism, freemem } from 'node:os';
import { parseDuration } from '../engine/units.ts';
import { NAME } from '../engine/types.ts';
import { readCountryCode } from '../outpass/parent/phone.ts';
import { DEFAULT_SMS, readSmsTemplate } from '../outpass/parent/sms.ts';
import {
  type Address,
  readAddress,
  readMailAddresses,
  readSender,
  readSwitch,
  readUrl,
  readZone,
} from './read.ts';

const DAY_MS = 86_400_000;

const TWILIO_URL = 'https://api.twilio.com';

/** How a setting's text becomes its value; `undefined` means it cannot be that. */
export interface Key<T> {
  /** The name in the environment and the env file. */
  env: string;
  read: (text: string) => T | undefined;
  /** What it may be, for the message. */
  allowed: string;
  fallback: () => T;
  /** Never printed. */
  secret?: boolean;
  /** What a config file may give it beside a text: a number of milliseconds, or true and false. */
  also?: 'milliseconds' | 'booleans';
}

function key<T>(
  env: string,
  read: Key<T>['read'],
  allowed: string,
  fallback: () => T,
  secret = false,
): Key<T> {
  return { env, read, allowed, fallback, ...(secret ? { secret } : {}) };
}

const text = (env: string, fallback = '', secret = false) =>
  key(
    env,
    (value) => value,
    'text',
    () => fallback,
    secret,
  );

function whole(env: string, from: number, to: number, fallback: number): Key<number> {
  const read = (value: string) =>
    /^\d{1,9}$/.test(value) && Number(value) >= from && Number(value) <= to ? Number(value) : undefined;
  return key(env, read, `a whole number from ${from} to ${to}`, () => fallback);
}

function oneOf<const T extends string>(env: string, values: readonly T[], fallback: T): Key<T> {
  return key(
    env,
    (value) => values.find((one) => one === value),
    `one of: ${values.join(', ')}`,
    () => fallback,
  );
}

/** The smaller of free memory ÷ 50 MB and twice the cores, at least 1. */
function automaticWorkers(): number {
  return Math.max(1, Math.min(Math.floor(freemem() / (50 * 1024 ** 2)), availableParallelism() * 2));
}

/** The most workers that a supervisor can have. */
export const MAX_WORKERS = 500;

function maxWorkers(value: string): number | undefined {
  if (value === 'auto') return automaticWorkers();
  return /^\d{1,3}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_WORKERS
    ? Number(value)
    : undefined;
}

function queues(value: string): string[] | null | undefined {
  if (value === '') return null;
  const names = value.split(',').map((name) => name.trim());
  return names.every((name) => NAME.test(name)) ? names : undefined;
}

function duration(
  env: string,
  example: string,
  fallback: number,
  read: (value: string) => number | undefined = parseDuration,
): Key<number> {
  return { ...key(env, read, `a duration such as ${example}`, () => fallback), also: 'milliseconds' };
}

/** A duration that is not 0. */
const someTime = (value: string) => parseDuration(value) || undefined;

const yesOrNo = (env: string): Key<boolean> => ({
  ...key(env, readSwitch, 'yes or no', () => false),
  also: 'booleans',
});

function addressOrOff(value: string): Address | null | undefined {
  return value === 'off' ? null : readAddress(value);
}

/** Null where it is not set: that of everybody. */
function graceOfGender(env: string): Key<number | null> {
  return { ...key(env, parseDuration, 'a duration such as 30m', () => null), also: 'milliseconds' };
}

/** In the order in which `passito config` and the docs show them. */
export const KEYS = {
  db: key('PASSITO_DB', (value) => (value === '' ? undefined : value), 'a path', defaultDatabase),
  jobsFolder: key(
    'PASSITO_JOBS',
    (value) => (value === '' ? undefined : value),
    'a folder',
    () => './jobs',
  ),
  synchronous: oneOf('PASSITO_SYNCHRONOUS', ['full', 'normal'], 'full'),
  minWorkers: whole('PASSITO_MIN_WORKERS', 1, MAX_WORKERS, 1),
  maxWorkers: key(
    'PASSITO_MAX_WORKERS',
    maxWorkers,
    `a whole number from 1 to ${MAX_WORKERS}, or auto`,
    () => 10,
  ),
  scaleUpThreshold: whole('PASSITO_SCALE_UP_THRESHOLD', 1, 1_000_000, 5),
  scaleDownThreshold: whole('PASSITO_SCALE_DOWN_THRESHOLD', 0, 1_000_000, 2),
  checkInterval: whole('PASSITO_CHECK_INTERVAL', 1, 3600, 10),
  queues: key('PASSITO_QUEUES', queues, 'queue names with commas between', () => null as string[] | null),
  drainTimeout: duration('PASSITO_DRAIN_TIMEOUT', '30s', 30_000),
  logFormat: oneOf('PASSITO_LOG_FORMAT', ['auto', 'pretty', 'plain', 'json'], 'auto'),
  logLevel: oneOf('PASSITO_LOG_LEVEL', ['debug', 'info', 'warn', 'error'], 'info'),
  keepCompleted: duration('PASSITO_KEEP_COMPLETED', '30d', 30 * DAY_MS),
  keepFailed: duration('PASSITO_KEEP_FAILED', '90d', 90 * DAY_MS),
  backups: text('PASSITO_BACKUPS'),
  keepBackups: whole('PASSITO_KEEP_BACKUPS', 1, 1000, 7),
  alertThreshold: duration('PASSITO_ALERT_THRESHOLD', '5m', 5 * 60_000, someTime),
  pingUrl: key('PASSITO_PING_URL', readUrl, 'an address such as https://hc.example.com/uuid', () => ''),
  socket: key(
    'PASSITO_SOCKET',
    (value) => (value === '' ? undefined : value),
    'a path, auto or off',
    () => 'auto',
  ),
  http: key(
    'PASSITO_HTTP',
    addressOrOff,
    'a port, or an address with a port such as 127.0.0.1:8090, or off',
    () => null as Address | null,
  ),
  httpOpen: yesOrNo('PASSITO_HTTP_OPEN'),
  adminEmail: key(
    'ADMIN_EMAIL',
    readMailAddresses,
    'an e-mail address, or several with commas between',
    () => '',
  ),
  smtpHost: text('SMTP_HOST'),
  smtpPort: whole('SMTP_PORT', 1, 65_535, 587),
  smtpUser: text('SMTP_USER'),
  smtpPass: text('SMTP_PASS', '', true),
  mailerFrom: key(
    'MAILER_FROM',
    readSender,
    'an e-mail address, such as Gate Office <gate@example.edu>',
    () => 'passito@localhost',
  ),
  appName: text('APP_NAME', 'Passito'),
  appUrl: key('APP_URL', readUrl, 'an address such as https://gate.example.edu', () => ''),
  timeZone: key(
    'TIME_ZONE',
    readZone,
    'an IANA zone such as Asia/Kolkata',
    () => new Intl.DateTimeFormat().resolvedOptions().timeZone,
  ),
  lateGrace: duration('LATE_GRACE', '30m', 30 * 60_000),
  lateGraceMale: graceOfGender('LATE_GRACE_MALE'),
  lateGraceFemale: graceOfGender('LATE_GRACE_FEMALE'),
  institutionName: text('INSTITUTION_NAME', 'Our Institution'),
  institutionAddress: text('INSTITUTION_ADDRESS'),
  brandLogo: text('BRAND_LOGO'),
  fontsFolder: text('PASSITO_FONTS'),
  public: key(
    'PASSITO_PUBLIC',
    addressOrOff,
    'a port, or an address with a port such as 0.0.0.0:8080, or off',
    () => null as Address | null,
  ),
  linkLifetime: duration('PASSITO_LINK_LIFETIME', '48h', 48 * 3_600_000, someTime),
  parentApproves: yesOrNo('PASSITO_PARENT_APPROVES'),
  twilioUrl: key(
    'PASSITO_TWILIO_URL',
    readUrl,
    'an address such as https://api.twilio.com',
    () => TWILIO_URL,
  ),
  twilioSid: text('TWILIO_SID'),
  twilioAuthToken: text('TWILIO_AUTH_TOKEN', '', true),
  twilioFrom: text('TWILIO_FROM'),
  twilioCountryCode: key('TWILIO_COUNTRY_CODE', readCountryCode, 'a country code such as +91', () => '+91'),
  twilioMessage: key(
    'TWILIO_VERIFICATION_MESSAGE',
    readSmsTemplate,
    'a text of at most 1000 characters that contains {verification_link}',
    () => DEFAULT_SMS,
  ),
};

type Keys = typeof KEYS;
export type KeyName = keyof Keys;

/** Every setting with its value. */
export type Settings = { readonly [Name in KeyName]: Keys[Name] extends Key<infer T> ? T : never };

/** Thresholds and limits for the guide's table of loads. */
export const PROFILES = {
  low: { minWorkers: '1', maxWorkers: '3', scaleUpThreshold: '5' },
  medium: { minWorkers: '2', maxWorkers: '10', scaleUpThreshold: '10' },
  high: { minWorkers: '5', maxWorkers: '30', scaleUpThreshold: '20' },
  'very-high': { minWorkers: '10', maxWorkers: '100', scaleUpThreshold: '50' },
} as const;

function defaultDatabase(): string {
  // systemd may name several, with colons between.
  const [state = ''] = (process.env['STATE_DIRECTORY'] ?? '').split(':');
  return state === '' ? './storage/passito.db' : `${state}/passito.db`;
}
