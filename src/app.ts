/** What every command shares: the store, the office and their settings, made from the configuration. */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Config } from './config.ts';
import { isAlive } from './edge/machine.ts';
import type { MailSettings } from './edge/mail.ts';
import { systemClock } from './engine/clock.ts';
import type { ParentSettings } from './outpass/parent/question.ts';
import type { MigrateOptions } from './store/sqlite/migrate.ts';
import { SqliteOffice } from './store/sqlite/office.ts';
import type { OpenOptions } from './store/sqlite/open.ts';
import { SqliteStore } from './store/sqlite/store.ts';

/** Milliseconds that a command, and the supervisor, wait for another program's lock. */
const COMMAND_PATIENCE = 10_000;
const DAEMON_PATIENCE = 30_000;

/** That the tables were brought up to date, and where they lie as they were before. */
type Migrated = Parameters<NonNullable<MigrateOptions['migrated']>>[0];

/** Opens the configured database. `migrate`: its tables may be brought up to date, which is told. */
export function openStore(
  config: Config,
  mode: OpenOptions['mode'],
  options: { migrate?: (told: Migrated) => void; daemon?: boolean } = {},
): Promise<SqliteStore> {
  const { db, synchronous } = config.settings;
  const patience = options.daemon === true ? DAEMON_PATIENCE : COMMAND_PATIENCE;
  return SqliteStore.open(
    db,
    {
      mode,
      migrate: options.migrate === undefined ? false : { isAlive, migrated: options.migrate },
      synchronous,
      patience,
    },
    systemClock,
  );
}

/** The folder of the database: files, keys and the outbox lie in it. */
export function stateFolder(config: Config): string {
  return dirname(resolve(config.settings.db));
}

/** Where handlers keep files. */
export function filesRoot(config: Config): string {
  return join(stateFolder(config), 'files');
}

/** Where local programs dispatch; null where they do not. */
export function socketPath(config: Config): string | null {
  const { socket } = config.settings;
  if (socket === 'off') return null;
  if (socket !== 'auto') return resolve(socket);
  // systemd may name several, with colons between.
  const [runtime = ''] = (process.env['RUNTIME_DIRECTORY'] ?? '').split(':');
  return join(runtime === '' ? stateFolder(config) : runtime, 'passito.sock');
}

/** The office's records in an open store. */
export function openOffice(config: Config, store: SqliteStore): SqliteOffice {
  const { settings } = config;
  return new SqliteOffice({
    db: store.db,
    write: (op) => store.write(op),
    read: (op) => store.read(op),
    settings: {
      institutionName: settings.institutionName,
      institutionAddress: settings.institutionAddress,
      brandLogo: settings.brandLogo === '' ? null : resolve(settings.brandLogo),
      fontsFolder: settings.fontsFolder === '' ? null : resolve(settings.fontsFolder),
      timeZone: settings.timeZone,
      appName: settings.appName,
      lateGrace: {
        all: settings.lateGrace,
        male: settings.lateGraceMale,
        female: settings.lateGraceFemale,
      },
    },
    parents: parentSettings(config),
    keysFolder: join(stateFolder(config), 'keys'),
    clock: systemClock,
    random: Math.random,
  });
}

/** How parents are asked. */
function parentSettings({ settings }: Config): ParentSettings {
  const { twilioUrl: url, twilioSid: sid, twilioAuthToken: authToken, twilioFrom: from } = settings;
  const { public: address, appUrl, linkLifetime } = settings;
  return {
    publicAddress: address === null ? null : `${address.host}:${address.port}`,
    appUrl: appUrl === '' ? null : appUrl,
    linkLifetime,
    countryCode: settings.twilioCountryCode,
    message: settings.twilioMessage,
    twilio: [sid, authToken, from].includes('') ? null : { url, sid, authToken, from },
    approves: settings.parentApproves,
  };
}

/** What the mailer needs. */
export function mailSettings({ settings }: Config, state: string, files: string): MailSettings {
  return {
    host: settings.smtpHost,
    port: settings.smtpPort,
    user: settings.smtpUser,
    password: settings.smtpPass,
    from: settings.mailerFrom,
    outbox: join(state, 'outbox'),
    filesRoot: files,
    hostname: hostname(),
  };
}

/** A name that belongs to this database alone; made once. It ends every Message-ID. */
export async function databaseId(store: SqliteStore): Promise<string> {
  const fresh = randomBytes(6).toString('hex');
  return store.write(() => {
    store.db.prepare(`INSERT OR IGNORE INTO settings (key, value) VALUES ('database_id', ?)`).run(fresh);
    return (
      store.db.prepare<[], string>(`SELECT value FROM settings WHERE key = 'database_id'`).pluck().get() ??
      fresh
    );
  });
}
