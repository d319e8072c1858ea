/** Looks at the machine, the folder, the database and the mail server. Changes nothing. */

import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, statfsSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { filesRoot, mailSettings, socketPath, stateFolder } from '../../app.ts';
import { version } from '../../build-info.ts';
import { type Config, toldAsService } from '../../config.ts';
import { checkServer, MailError } from '../../edge/mail.ts';
import { mailHint } from '../../edge/mail-hint.ts';
import { isAlive } from '../../edge/machine.ts';
import { parseTime, systemClock } from '../../engine/clock.ts';
import { messageOf, PassitoError } from '../../errors.ts';
import { prepareAlertState } from '../../store/sqlite/alert-state.ts';
import { MIGRATIONS } from '../../store/sqlite/migrations.ts';
import { Queries } from '../../store/sqlite/queries.ts';
import { diagnose, withDatabase } from '../../store/sqlite/snapshot.ts';
import { FOLDERS } from '../contents.ts';
import type { DatabaseFacts, Facts, OwnedPath } from './facts.ts';
import { knownTypes } from './known-types.ts';

/** Another program that does not answer is not waited for longer than this, in milliseconds. */
const PATIENCE_MS = 5000;

/** Gathers all of it; `offline` leaves the mail server alone. */
export async function gather(config: Config, offline: boolean): Promise<Facts> {
  const { settings, origins, envFile, configFile } = config;
  const db = resolve(settings.db);
  const state = stateFolder(config);
  const [database, smtp, jobs, unit, clockSynchronised, sqlite3] = await Promise.all([
    databaseFacts(db, config),
    smtpFacts(config, offline),
    knownTypes(config).catch((error: unknown) => ({
      problem: messageOf(error),
      hint: error instanceof PassitoError ? error.hint : undefined,
    })),
    unitFacts(),
    hasSystemd() ? said('timedatectl', 'show', '--property=NTPSynchronized', '--value') : '',
    said('sqlite3', '--version'),
  ]);
  return {
    settings: { ...settings, db },
    origins,
    now: Date.now(),
    version,
    knownSchema: MIGRATIONS.length,
    envFile: { path: envFile, mode: ownedPath(envFile)?.mode ?? null },
    configFile,
    state: stateFacts(config, db, state),
    owned: ownedPaths(db, state),
    missing: missing(config),
    database,
    backups: backupFacts(settings.backups, state),
    free: existsSync(state) ? statfsSync(state).bavail * statfsSync(state).bsize : null,
    clockSynchronised: clockSynchronised === '' ? null : clockSynchronised === 'yes',
    smtp,
    outbox: namesIn(join(state, 'outbox')).length,
    jobs,
    unit,
    sqlite3: /^\d+\.\d+\.\d+/.exec(sqlite3)?.[0] ?? null,
  };
}

function ownedPath(path: string): OwnedPath | undefined {
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch {
    // In a folder that this user may not look into; that is told of the database.
  }
  return found === undefined
    ? undefined
    : { path, folder: found.isDirectory(), mode: found.mode & 0o7777, uid: found.uid };
}

/** What passito makes in the state folder beside the database, what begins with its name, and the folders of a backup. */
const OURS = /^(?:\.passito-.*|passito\.sock|backups|before-upgrade-.*\.tar|passito-alert-[\da-f]{16})$/;

function stateFacts(config: Config, db: string, state: string): Facts['state'] {
  const found = ownedPath(state);
  if (found === undefined) return { path: state, mode: null };
  // These may have any name.
  const { backups } = config.settings;
  const named = new Set([socketPath(config), backups === '' ? null : resolve(backups)]);
  const ours = (name: string) =>
    name.startsWith(basename(db)) ||
    OURS.test(name) ||
    FOLDERS.some((one) => one === name) ||
    named.has(join(state, name));
  return { ...found, mixed: !namesIn(state).every(ours) };
}

/** What nobody else may use: the database and its log, the three folders, and each key. */
function ownedPaths(db: string, state: string): OwnedPath[] {
  const keys = join(state, 'keys');
  const paths = [
    db,
    `${db}-wal`,
    `${db}-shm`,
    ...FOLDERS.map((name) => join(state, name)),
    ...namesIn(keys)
      .map((name) => join(keys, name))
      .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true),
  ];
  return paths.flatMap((path) => {
    const found = ownedPath(path);
    return found === undefined ? [] : [found];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function backupFacts(folder: string, state: string): Facts['backups'] {
  if (folder === '') return null;
  const path = resolve(folder);
  const inside = FOLDERS.map((name) => join(state, name)).find((one) => `${path}/`.startsWith(`${one}/`));
  return { path, inside: inside ?? null, hasParent: existsSync(dirname(path)) };
}

function missing({ settings, origins }: Config): Facts['missing'] {
  const named = [
    {
      setting: 'PASSITO_JOBS',
      path: settings.jobsFolder,
      folder: true,
      set: origins.jobsFolder !== 'default',
    },
    { setting: 'PASSITO_FONTS', path: settings.fontsFolder, folder: true, set: settings.fontsFolder !== '' },
    { setting: 'BRAND_LOGO', path: settings.brandLogo, folder: false, set: settings.brandLogo !== '' },
  ];
  return named
    .filter(({ set, path }) => set && !existsSync(path))
    .map(({ setting, path, folder }) => ({ setting, path: resolve(path), folder }));
}

async function databaseFacts(db: string, config: Config): Promise<DatabaseFacts> {
  try {
    return await withDatabase(db, 'read', (open): DatabaseFacts => {
      const { schema, problems, newest, lastBackup } = diagnose(open);
      const queries = new Queries(open, systemClock);
      // An older or damaged database need not have what these look for.
      const usable = schema === MIGRATIONS.length && problems.length === 0;
      const supervisors = usable
        ? queries.processes().filter((one) => one.kind === 'supervisor' && isAlive(one))
        : [];
      return {
        state: 'open',
        schema,
        problems,
        log: statSync(`${db}-wal`, { throwIfNoEntry: false })?.size ?? 0,
        newest: newest === null ? null : parseTime(newest),
        due: usable ? queries.due().reduce((sum, { count }) => sum + count, 0) : 0,
        supervisors: supervisors.map(({ pid, info }) => ({
          pid,
          version: (JSON.parse(info) as { version?: string }).version ?? 'unknown',
        })),
        unsent: usable ? prepareAlertState(open).read().failure : null,
        backup:
          lastBackup === null
            ? null
            : { at: parseTime(lastBackup.at), file: lastBackup.file, there: existsSync(lastBackup.file) },
      };
    });
  } catch (error) {
    const told = error instanceof PassitoError ? toldAsService(config, error) : undefined;
    return { state: 'failed', code: told?.code ?? '', message: messageOf(error), hint: told?.hint };
  }
}

async function smtpFacts(config: Config, offline: boolean): Promise<Facts['smtp']> {
  const host = config.settings.smtpHost;
  if (host === '') return 'none';
  if (offline) return 'skipped';
  const settings = mailSettings(config, stateFolder(config), filesRoot(config));
  try {
    await checkServer({ ...settings, host, patience: { connect: PATIENCE_MS, silence: PATIENCE_MS } });
    return 'well';
  } catch (error) {
    const hint = error instanceof MailError ? mailHint(error, config.settings) : undefined;
    return { message: messageOf(error), hint };
  }
}

function hasSystemd(): boolean {
  return existsSync('/run/systemd/system');
}

async function unitFacts(): Promise<Facts['unit']> {
  if (!hasSystemd()) return null;
  const [enabled, active] = await Promise.all([
    said('systemctl', 'is-enabled', 'passito-supervisor'),
    said('systemctl', 'is-active', 'passito-supervisor'),
  ]);
  return { enabled, active };
}

/** What a program prints, whatever it ends with; nothing where there is no such program. */
async function said(program: string, ...args: string[]): Promise<string> {
  const run = promisify(execFile);
  try {
    return (await run(program, args, { timeout: PATIENCE_MS })).stdout.trim();
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? '').trim();
  }
}
