/** `passito upgrade`: another executable in the place of this one, and back again where it does not come up. */

import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateFolder } from '../../app.ts';
import { packaged, version } from '../../build-info.ts';
import { isSealed } from '../../care/seal.ts';
import { quoted } from '../../escape.ts';
import { syncFile } from '../../care/steps.ts';
import { restoreTables, schemaVersion } from '../../care/tables.ts';
import type { Config } from '../../config.ts';
import { formatTime } from '../../engine/clock.ts';
import { errors, messageOf } from '../../errors.ts';
import type { Command, Input } from './command.ts';
import { EXECUTABLE, SERVICE, SETTINGS, UNIT_FILES, USER } from './service-files.ts';
import { command, outputOf, runSteps, type Step } from './steps.ts';

/** A check of the new executable takes no longer than this, in milliseconds. */
const CHECK_MS = 30_000;

/** A supervisor that ends this soon after it was ready did not come up, in milliseconds. */
const STEADY_MS = 5000;

/** What is replaced. */
interface Target {
  path: string;
  /** Where the new one stands until it is moved, and the old one from then on. */
  fresh: string;
  former: string;
  /** systemd runs it, as a user of its own. */
  service: boolean;
  /** What goes before a command line, so that it runs as the supervisor does. */
  as: readonly string[];
}

export const upgrade: Command = {
  name: 'upgrade',
  args: '<file>',
  about:
    'Put a newer executable in the place of this one: check, back up, replace, restart; undone where it fails',
  options: [{ name: 'dry-run', about: 'Check the new executable, print the steps, and change nothing' }],
  example: 'sudo passito upgrade ./passito',
  async run(input) {
    const line = `sudo passito upgrade ${quoted(input.args[0] ?? '')}`;
    if (!packaged) throw errors.notExecutable('upgrade', line);
    const config = await input.config();
    const target = findTarget(line);
    const file = resolve(input.args[0] ?? '');
    const dry = input.has('dry-run');
    let found: string;
    let tables: number | undefined;
    let backup: string | undefined;
    try {
      copyBeside(file, target);
      found = check(file, config, target);
      input.print(`${file} is passito ${found}; ${target.path} is passito ${version}.`);
      if (existsSync(config.settings.db)) {
        tables = await schemaVersion(config.settings.db);
        backup = join(stateFolder(config), `before-upgrade-${stamp()}.tar`);
      }
      const saved =
        backup === undefined
          ? []
          : [command([...target.as, target.path, 'backup', backup, '--db', config.settings.db])];
      runSteps(input, [...saved, ...replaceSteps(file, target)], dry);
    } finally {
      rmSync(target.fresh, { force: true });
    }
    if (target.service) {
      await comeUp(input, target, dry).catch(async (error: unknown) => {
        await undo(input, target, config, tables);
        throw errors.upgradeUndone(found, version, lines(messageOf(error)));
      });
    }
    input.print(dry ? '\nNothing was changed.' : `\n${done(target, found, backup)}`);
    return 0;
  },
};

/** The installed service's executable; without a service this one itself. */
function findTarget(line: string): Target {
  const service = UNIT_FILES.some(({ name, path }) => name === SERVICE && existsSync(path));
  const path = service ? EXECUTABLE : realpathSync(process.execPath);
  const refused = () => errors.needsRoot('upgrade', line, `${line} --dry-run`);
  if (service && process.getuid?.() !== 0) throw refused();
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch {
    throw refused();
  }
  const beside = (suffix: string) => join(dirname(path), `.${basename(path)}.${suffix}`);
  const as = service ? ['env', '-C', SETTINGS, 'runuser', '-u', USER, '--'] : [];
  return { path, fresh: beside('new'), former: beside('former'), service, as };
}

/** Puts a copy where it will run: a file system may not let programs run, the service not read the file. */
function copyBeside(file: string, { fresh }: Target): void {
  if (file === fresh) throw errors.noUpgrade(file, 'that is where its copy is put; move it elsewhere');
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw errors.noUpgrade(file, 'there is no such file');
  if (!found.isFile()) throw errors.noUpgrade(file, found.isDirectory() ? 'it is a folder' : 'it is no file');
  try {
    rmSync(fresh, { force: true });
    copyFileSync(file, fresh);
    chmodSync(fresh, 0o755);
    syncFile(fresh);
    if (isSealed(fresh)) return;
  } catch (error) {
    throw errors.noUpgrade(file, messageOf(error));
  }
  throw errors.noUpgrade(
    file,
    'it is not a whole passito: it was cut short or changed on its way here; copy it once more',
  );
}

/** Gives the version of an executable that runs here, takes the settings, and knows the database. */
function check(file: string, config: Config, { as, path, fresh }: Target): string {
  const ask = (...words: string[]) => {
    const [program = '', ...args] = [...as, fresh, ...words];
    return spawnSync(program, args, { encoding: 'utf8', timeout: CHECK_MS, maxBuffer: 64 * 1024 ** 2 });
  };
  const refuse = (reason: string) => errors.noUpgrade(file, reason);
  if (outputOf('cmp', '-s', file, path) !== undefined) throw refuse('it is what runs already');
  const told = /^passito (\d+\.\d+\.\d+\S*)\n$/.exec(ask('--version').stdout ?? '')?.[1];
  if (told === undefined) throw errors.noUpgrade(file, 'it is not passito, or does not run on this machine');
  const settings = ask('config', '--json', '--db', config.settings.db);
  if (settings.error !== undefined) throw refuse(`it cannot be started: ${messageOf(settings.error)}`);
  if (settings.status !== 0) throw refuse(`it refuses the settings: ${lines(settings.stderr)}`);
  if (!isList(settings.stdout)) throw refuse('it is not passito: it does not tell its settings');
  const health = ask('health', '--json', '--db', config.settings.db);
  if (health.stdout.includes('"DATABASE_NEWER"')) {
    throw refuse('the database is already from a newer passito than it');
  }
  return told;
}

function replaceSteps(file: string, { path, fresh, former }: Target): Step[] {
  return [
    { line: `install -m 0755 ${quoted(file)} ${quoted(fresh)}`, act: () => undefined },
    command(['ln', '-f', path, former]),
    // Renamed into place, so that one that runs keeps its file.
    command(['mv', '-f', fresh, path]),
  ];
}

/** Lets the new executable bring its units with it, restarts the service, and looks whether it stays. */
async function comeUp(input: Input, { path }: Target, dry: boolean): Promise<void> {
  runSteps(input, [command([path, 'install-service']), command(['systemctl', 'restart', SERVICE])], dry);
  if (dry) return;
  const pid = mainPid();
  await sleep(STEADY_MS);
  if (pid === '0' || mainPid() !== pid) throw new Error('it ended soon after its start');
}

function mainPid(): string | undefined {
  return outputOf('systemctl', 'show', '--property=MainPID', '--value', SERVICE);
}

/** Puts everything back. What fails here is told with what to type. */
async function undo(
  input: Input,
  { path, former }: Target,
  config: Config,
  tables: number | undefined,
): Promise<void> {
  input.note('It did not come up; the former executable takes its place again:');
  const { db } = config.settings;
  runSteps(input, [command(['systemctl', 'stop', SERVICE])], false);
  // First: an older executable cannot work with newer tables.
  if (tables !== undefined && (await schemaVersion(db)) !== tables) {
    await restoreTables(db, tables);
    input.print('  # the tables are as they were before');
  }
  const back = [
    ['mv', '-f', former, path],
    [path, 'install-service'],
    ['systemctl', 'restart', SERVICE],
  ];
  runSteps(
    input,
    back.map((words) => command(words)),
    false,
  );
}

function done({ path, former, service }: Target, found: string, backup: string | undefined): string {
  const next = service
    ? 'The service runs it.'
    : 'Restart your supervisor: one that runs goes on with the former.';
  const kept =
    backup === undefined ? '' : `\nThe backup from before is ${backup}; delete it when all is well.`;
  return `${path} is passito ${found} now. ${next}\nThe former executable is kept as ${former}.${kept}`;
}

/** `20261124-213000`, UTC. */
function stamp(): string {
  return formatTime(Date.now()).slice(0, 19).replaceAll(/[-:]/g, '').replace(' ', '-');
}

function isList(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

function lines(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ');
}
