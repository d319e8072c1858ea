/**
 * The effective configuration: flag > environment > env file > config file > default. Everything that is
 * wrong is reported at once. The result is frozen.
 */

import { existsSync, readFileSync, readlinkSync, lstatSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { quoted } from './escape.ts';
import { type Key, type KeyName, KEYS, PROFILES, type Settings } from './config/keys.ts';
import { type ConfiguredSchedule, readSchedules } from './config/schedules.ts';
import { importFresh } from './config/import-fresh.ts';
import { isLoopback, shown, textOf } from './config/read.ts';
import { strayLines } from './config/stray-lines.ts';
import type { CommandJob } from './engine/wire.ts';
import { DEFINITION_KEYS, NAME, optionProblems } from './engine/types.ts';
import { nearest, slipOf } from './nearest.ts';
import { cannotBe, errors, messageOf, PassitoError, sentence } from './errors.ts';
import { firstChangeable } from './owner.ts';

/** The folder of an installed service's settings: its own and the admin's commands then agree. */
const SERVICE_FOLDER = '/etc/passito';
const SERVICE_ENV_FILE = join(SERVICE_FOLDER, 'passito.env');

/** What an admin types who may not read the service's settings. */
const AS_SERVICE = 'sudo -u passito passito …';

const CONFIG_FILES = ['passito.config.ts', 'passito.config.js', 'passito.config.mjs', 'passito.config.json'];

/** Where a value came from. */
export type Origin = 'flag' | 'environment' | 'profile' | 'default' | (string & {});

/** Settings, the jobs of the config file, and where each came from. */
export interface Config {
  readonly settings: Settings;
  readonly origins: Readonly<Record<KeyName, Origin>>;
  /** The env file that counts, there or not. */
  readonly envFile: string;
  /** The config file that counts, there or not. */
  readonly configFile: string;
  /** Per type: a command, or options that go before those of the job's own file. */
  readonly jobs: Readonly<Record<string, Partial<CommandJob>>>;
  /** Built in, or from the config file. */
  readonly schedules: readonly ConfiguredSchedule[];
  /** The installed service's settings could not be read, and nothing else names the database. */
  readonly notAsService: boolean;
  /** Things an admin should know that stop nothing. */
  readonly warnings: readonly string[];
}

/** What the command line contributes. */
export interface Flags {
  values: Partial<Record<KeyName, string>>;
  envFile?: string | undefined;
  profile?: string | undefined;
  /** Nothing else counts but what is built in: no environment, no file. */
  alone?: boolean;
}

/** Reads and checks everything. Throws one error that names every problem. */
export async function loadConfig(flags: Flags, env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  const warnings: string[] = [];
  const problems: string[] = [];
  const { alone = false } = flags;
  const envFile = alone ? NO_ENV_FILE : readEnvFile(flags.envFile, warnings);
  const file = alone ? NO_CONFIG_FILE : await readConfigFile(envFile.path, problems);
  warnings.push(...likelySlips(envFile));
  const profile = flags.profile === undefined ? {} : readProfile(flags.profile, problems);

  const settings: Record<string, unknown> = {};
  const origins = {} as Record<KeyName, Origin>;
  // Behind a value that contradicts another: somebody else may have chosen it.
  const sources: Partial<Record<KeyName, string>> = {};
  for (const [name, definition] of Object.entries(KEYS) as [KeyName, Key<unknown>][]) {
    const layers: [Origin, string, unknown][] = [
      ['flag', `--${kebab(name)}`, flags.values[name]],
      // Empty is unset there: `SMTP_PORT=` is how an env file leaves a line to be filled in.
      ['environment', definition.env, alone ? undefined : env[definition.env] || undefined],
      [envFile.path, `${definition.env} in ${envFile.path}`, envFile.values[definition.env] || undefined],
      [file.path, `${name} in ${file.path}`, file.values[name] ?? file.values[definition.env]],
      ['profile', `--profile ${flags.profile}`, (profile as Record<string, string>)[name]],
    ];
    const set = layers.find(([, , value]) => value !== undefined);
    if (set === undefined) {
      settings[name] = definition.fallback();
      origins[name] = 'default';
      sources[name] = ', the default';
      continue;
    }
    const [origin, where, given] = set;
    const text = textOf(given, definition.also);
    const value = text === undefined ? undefined : definition.read(text);
    if (value === undefined) {
      const plain = typeof given === 'string' ? `'${given.slice(0, 60)}'` : shown(given);
      problems.push(sentence(cannotBe(where, definition.secret ? '(secret)' : plain, definition.allowed)));
    }
    settings[name] = value;
    origins[name] = origin;
    sources[name] = origin === 'flag' ? '' : `, ${where}`;
  }

  const timeZone = (settings['timeZone'] as string | undefined) ?? 'UTC';
  const { schedules, problems: wrong } = readSchedules(
    file.schedules,
    { zone: timeZone, backups: settings['backups'] !== '' },
    `${file.path}: schedules`,
  );
  problems.push(...wrong);
  if (typeof settings['db'] === 'string') settings['db'] = followed(settings['db']);
  problems.push(...contradictions(settings as unknown as Settings, sources), ...file.unknown);
  if (problems.length > 0) throw errors.badConfig(problems);
  return Object.freeze({
    settings: Object.freeze(settings) as unknown as Settings,
    origins,
    envFile: envFile.path,
    configFile: file.path,
    jobs: file.jobs,
    schedules,
    notAsService: envFile.shut === true && envFile.path === SERVICE_ENV_FILE && origins.db === 'default',
    warnings,
  });
}

/** Where a link leads: the write-ahead log, files and keys lie beside the database itself, not beside the link. */
function followed(path: string): string {
  try {
    // One link, and not realpath: the database may not be there yet.
    return followed(resolve(dirname(path), readlinkSync(path)));
  } catch {
    return path;
  }
}

function contradictions(settings: Settings, sources: Partial<Record<KeyName, string>>): string[] {
  const { minWorkers, maxWorkers, scaleUpThreshold, scaleDownThreshold, http, httpOpen } = settings;
  const from = (name: 'minWorkers' | 'maxWorkers' | 'scaleUpThreshold' | 'scaleDownThreshold') =>
    `(${settings[name]}${sources[name] ?? ''})`;
  const found: string[] = [];
  if (http && !isLoopback(http.host) && !httpOpen) {
    found.push(
      `--http ${http.host} lets everybody who reaches this machine dispatch jobs and read them; PASSITO_HTTP_OPEN=yes allows it.`,
    );
  }
  if (minWorkers > maxWorkers) {
    found.push(`--min-workers ${from('minWorkers')} cannot be above --max-workers ${from('maxWorkers')}.`);
  }
  if (scaleDownThreshold >= scaleUpThreshold) {
    found.push(
      `The scale-down threshold ${from('scaleDownThreshold')} must be below the scale-up threshold ${from('scaleUpThreshold')}.`,
    );
  }
  return found;
}

interface EnvFile {
  path: string;
  values: NodeJS.Dict<string>;
  /** It is there, and this user may not read it. */
  shut?: true;
}

const NO_ENV_FILE: EnvFile = { path: '.env', values: {} };

function readEnvFile(named: string | undefined, warnings: string[]): EnvFile {
  const path = named ?? [SERVICE_ENV_FILE, '.env'].find((candidate) => existsSync(candidate));
  if (path === undefined) return NO_ENV_FILE;
  try {
    const text = readFileSync(path, 'utf8');
    // Anything else, such as /dev/null or a pipe, was named on purpose.
    if (statSync(path).isFile()) refuseUnsafe('The env file', path);
    const values = parseEnv(text);
    warnings.push(...strayLines(path, text));
    if ((statSync(path).mode & 0o004) !== 0 && holdsSecret(values)) {
      warnings.push(
        `${path} holds a password and can be read by every user. Type: ${path === SERVICE_ENV_FILE ? 'sudo ' : ''}chmod o-r ${quoted(path)}`,
      );
    }
    return { path, values };
  } catch (error) {
    // The service's file is not for everybody's eyes; that is no reason to refuse 'passito --help' to them.
    if (named === undefined && (error as NodeJS.ErrnoException).code === 'EACCES') {
      warnings.push(
        path === SERVICE_ENV_FILE
          ? `passito is installed as a service here, and this user cannot read its settings (${path}). Type: ${AS_SERVICE}`
          : `${path} cannot be read by this user; its settings do not count here.`,
      );
      return { path, values: {}, shut: true };
    }
    if (error instanceof PassitoError) throw error;
    throw errors.badFile(path, reasonOf(error));
  }
}

function holdsSecret(values: NodeJS.Dict<string>): boolean {
  return Object.values(KEYS).some(({ env, secret = false }: Key<unknown>) => secret && Boolean(values[env]));
}

/** What an env file says; nothing where there is none. Throws where it cannot be read. */
export function envFileValues(path: string): NodeJS.Dict<string> {
  return existsSync(path) ? readEnvFile(path, []).values : {};
}

interface ConfigFile {
  path: string;
  values: Record<string, unknown>;
  jobs: Config['jobs'];
  schedules: unknown;
  unknown: string[];
}

const NO_CONFIG_FILE: ConfigFile = {
  path: 'passito.config.ts',
  values: {},
  jobs: {},
  schedules: undefined,
  unknown: [],
};

/** In the working folder, else beside the service's env file where that is the one that counts. */
function findConfigFile(envFile: string): string | undefined {
  const beside = envFile === SERVICE_ENV_FILE ? CONFIG_FILES.map((name) => join(SERVICE_FOLDER, name)) : [];
  return [...CONFIG_FILES, ...beside].find((candidate) => existsSync(candidate));
}

/** The file may hold other programs' settings too; a name of ours, or one that is nearly ours, is a slip. */
function likelySlips({ path, values }: { path: string; values: NodeJS.Dict<string> }): string[] {
  const known = Object.values(KEYS).map(({ env }) => env);
  return Object.keys(values)
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const close = slipOf(name, known);
      if (close !== undefined) return [`${path}: there is no setting ${name}; did you mean ${close}?`];
      return name.startsWith('PASSITO_') ? [`${path}: there is no setting ${name}.`] : [];
    });
}

async function readConfigFile(envFile: string, problems: string[]): Promise<ConfigFile> {
  const path = findConfigFile(envFile);
  if (path === undefined) return NO_CONFIG_FILE;
  refuseUnsafe('The config file', path);
  let values: Record<string, unknown>;
  try {
    if (path.endsWith('.json')) values = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    else values = ((await importFresh(path)) as { default: Record<string, unknown> }).default;
    if (typeof values !== 'object' || values === null) throw new Error('it does not export an object');
    // What it computes when it is asked may throw as well.
    values = { ...values };
  } catch (error) {
    throw errors.badConfig([`${path} cannot be read: ${messageOf(error)}.`]);
  }
  const { jobs = {}, schedules, ...rest } = values;
  const known = new Set<string>([...Object.keys(KEYS), ...Object.values(KEYS).map(({ env }) => env)]);
  const unknown = Object.keys(rest)
    .filter((name) => !known.has(name))
    .map((name) => {
      const close = slipOf(name, [...known]);
      return `${path} has the unknown key '${name}'${close === undefined ? '.' : `; did you mean '${close}'?`}`;
    });
  if (!isRecord(jobs)) problems.push(`${path}: jobs must be an object of types with their options.`);
  for (const [type, options] of isRecord(jobs) ? Object.entries(jobs) : []) {
    problems.push(
      ...jobProblems(type, options).map((problem) => sentence(`${path}: jobs.${type}: ${problem}`)),
    );
  }
  return { path, values: rest, jobs: jobs as Config['jobs'], schedules, unknown };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jobProblems(type: string, options: unknown): string[] {
  if (!NAME.test(type)) return ['a type has a name of letters, digits and . _ : -'];
  if (!isRecord(options)) return ['its options must be an object'];
  const problems = optionProblems(options);
  const known: readonly string[] = [...DEFINITION_KEYS, 'command'];
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const close = nearest(key, known);
    problems.push(`there is no option '${key}'${close === undefined ? '' : `; did you mean '${close}'?`}`);
  }
  const { command } = options;
  if (
    command !== undefined &&
    !(Array.isArray(command) && command.length > 0 && command.every((part) => typeof part === 'string'))
  ) {
    problems.push("command must be a list of texts, such as ['/usr/bin/php', 'sync.php']");
  }
  return problems;
}

function readProfile(name: string, problems: string[]): Partial<Record<KeyName, string>> {
  if (Object.hasOwn(PROFILES, name)) return PROFILES[name as keyof typeof PROFILES];
  problems.push(`${cannotBe('--profile', `'${name}'`, `one of: ${Object.keys(PROFILES).join(', ')}`)}.`);
  return {};
}

/** What names the database to somebody else's shell; undefined where commands find it by themselves. */
export function whereDatabase({ settings, origins, envFile }: Config): string | undefined {
  // systemd puts what the service's file says into the environment.
  const byService = envFile === SERVICE_ENV_FILE && [SERVICE_ENV_FILE, 'environment'].includes(origins.db);
  return origins.db === 'default' || byService ? undefined : resolve(settings.db);
}

/** Of a database that is not there: who could not read where it is has only looked elsewhere. */
export function toldAsService({ notAsService, settings }: Config, error: PassitoError): PassitoError {
  if (!notAsService || error.code !== 'DATABASE_ABSENT') return error;
  return errors.databaseAbsent(resolve(settings.db), `Type it as the service's user: ${AS_SERVICE}`);
}

/** Root must not run what others can change. Throws; does nothing for other users. */
export function refuseUnsafe(what: string, path: string): void {
  if (process.getuid?.() !== 0) return;
  const open = firstChangeable(path);
  if (open === undefined) return;
  throw errors.unsafeFolder(what, resolve(path), open, lstatSync(open).uid === 0);
}

/** `minWorkers` → `min-workers`. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this user may not read it';
  if (code === 'EISDIR') return 'it is a folder';
  return messageOf(error);
}
