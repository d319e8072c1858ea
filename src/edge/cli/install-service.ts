/** `passito install-service` and `passito uninstall-service`: everything that runs passito under systemd. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { packaged } from '../../build-info.ts';
import { quoted } from '../../escape.ts';
import { errors } from '../../errors.ts';
import type { Command, Input } from './command.ts';
import * as files from './service-files.ts';
import { command, contentOf, file, outputOf, runSteps, type Step, succeeds } from './steps.ts';

const { DATABASE, ENV_FILE, EXECUTABLE, GROUP_FILE, SERVICE, STATE, TIMER, USER } = files;

const DRY_RUN = { name: 'dry-run', about: 'Print every step, and change nothing' };

export const installService: Command = {
  name: 'install-service',
  about: 'Run passito under systemd: user, folders, settings, units; again after an update',
  options: [
    {
      name: 'group',
      value: 'name',
      about: 'Let this group write the database, for a portal (passito: nobody)',
    },
    DRY_RUN,
  ],
  example: 'sudo passito install-service --group www-data',
  async run(input) {
    const dry = prepare(input, 'install-service');
    const group = chosenGroup(input);
    const wasActive = succeeds('systemctl', 'is-active', '--quiet', SERVICE);
    const changed = runSteps(input, [...programSteps(), ...folderSteps(group), ...unitSteps(group)], dry);
    const stale = changed.length > 0;
    runSteps(input, serviceSteps(stale, wasActive), dry);
    input.print(dry ? '\nNothing was changed.' : installed());
    return 0;
  },
};

export const uninstallService: Command = {
  name: 'uninstall-service',
  about: 'Stop the service and remove its units and the executable; data and settings stay',
  options: [DRY_RUN],
  example: 'sudo passito uninstall-service',
  async run(input) {
    const dry = prepare(input, 'uninstall-service');
    runSteps(input, removalSteps(), dry);
    input.print(dry ? '\nNothing was changed.' : `\n${left()}`);
    return 0;
  },
};

/** Refuses what cannot be done, before anything is. A dry run is possible everywhere. */
function prepare(input: Input, name: string): boolean {
  for (const option of ['db', 'env-file']) {
    if (input.has(option)) throw errors.serviceSettings(option, ENV_FILE);
  }
  const dry = input.has('dry-run');
  if (dry) return true;
  if (!packaged) throw errors.notExecutable(name, `npm run build && sudo dist/passito ${name}`);
  // It need not be where a shell finds it yet.
  const line = `${process.execPath === EXECUTABLE ? 'passito' : quoted(process.execPath)} ${name}`;
  if (process.getuid?.() !== 0) throw errors.needsRoot(name, `sudo ${line}`, `${line} --dry-run`);
  // What sd_booted(3) looks at.
  if (!existsSync('/run/systemd/system')) throw errors.noSystemd(name);
  return false;
}

/** The group that is let in: the given one, else the one of the last time, else nobody but the service itself. */
function chosenGroup(input: Input): string {
  const given = input.option('group');
  if (given === undefined) return /^Group=(.+)$/m.exec(contentOf(GROUP_FILE) ?? '')?.[1] ?? USER;
  if (given !== USER && !succeeds('getent', 'group', '--', given)) throw errors.unknownGroup(given);
  return given;
}

function programSteps(): Step[] {
  const source = process.execPath;
  const fresh = `${dirname(EXECUTABLE)}/.${basename(EXECUTABLE)}.new`;
  const current = () => sameContent(source, EXECUTABLE);
  return [
    // Renamed into place, so that one that runs keeps its file.
    command(['install', '-m', '0755', source, fresh], { done: current }),
    command(['mv', '-f', fresh, EXECUTABLE], { done: current }),
  ];
}

function folderSteps(group: string): Step[] {
  const shared = group !== USER;
  const owner = ['-o', USER, '-g', group];
  return [
    command(['groupadd', '--system', USER], { done: () => succeeds('getent', 'group', USER) }),
    command(
      ['useradd', '--system', '--gid', USER, '--home-dir', STATE, '--no-create-home', '--shell', '/usr/sbin/nologin', USER],
      { done: () => succeeds('getent', 'passwd', USER) },
    ), // prettier-ignore
    ...[files.SETTINGS, files.JOBS].map((path) =>
      command(['install', '-d', '-m', '0755', path], { done: () => existsSync(path) }),
    ),
    // Its text is the admin's, and is never written twice.
    { ...file(ENV_FILE, files.deployed('passito.env.example'), 0o640), done: () => existsSync(ENV_FILE) },
    ...own(ENV_FILE, 'root', USER, '0640'),
    command(['install', '-d', '-m', shared ? '2770' : '0700', ...owner, STATE], {
      done: () => isOwned(STATE, USER, group, shared ? '2770' : '0700'),
    }),
    ...DATABASE.filter((path) => existsSync(path)).flatMap((path) =>
      own(path, USER, group, shared ? '0660' : '0600'),
    ),
  ];
}

/** Gives a file its owner, group and mode. */
function own(path: string, user: string, group: string, mode: string): Step[] {
  const done = () => isOwned(path, user, group, mode);
  return [command(['chown', `${user}:${group}`, path], { done }), command(['chmod', mode, path], { done })];
}

function unitSteps(group: string): Step[] {
  const units = files.UNIT_FILES.map(({ path, name }) => file(path, files.deployed(name), 0o644));
  if (group === USER) return [...units, remove(GROUP_FILE)];
  return [
    ...units,
    command(['install', '-d', '-m', '0755', files.DROP_INS], { done: () => existsSync(files.DROP_INS) }),
    file(GROUP_FILE, files.groupText(group), 0o644),
  ];
}

/** `stale`: something was changed that the running service does not know of. */
function serviceSteps(stale: boolean, wasActive: boolean): Step[] {
  const hint = `Type: journalctl -u ${SERVICE} -n 50`;
  const enabled = () =>
    [SERVICE, TIMER].every((unit) => succeeds('systemctl', 'is-enabled', '--quiet', unit));
  const active = () => [SERVICE, TIMER].every((unit) => succeeds('systemctl', 'is-active', '--quiet', unit));
  return [
    command(['systemctl', 'daemon-reload'], { done: () => !stale }),
    command(['systemctl', 'enable', '--now', SERVICE, TIMER], { hint, done: () => enabled() && active() }),
    ...(stale && wasActive ? [command(['systemctl', 'restart', SERVICE], { hint })] : []),
  ];
}

function removalSteps(): Step[] {
  const present = files.UNIT_FILES.filter(({ path }) => existsSync(path));
  const started = present.map(({ name }) => name).filter((name) => name === SERVICE || name === TIMER);
  const gone = () => present.length === 0;
  return [
    ...(started.length > 0 ? [command(['systemctl', 'disable', '--now', ...started])] : []),
    ...[...files.UNIT_FILES.map(({ path }) => path), GROUP_FILE].map(remove),
    // What an admin has put there stays.
    command(['rmdir', files.DROP_INS], { done: () => !isEmptyFolder(files.DROP_INS) }),
    command(['systemctl', 'daemon-reload'], { done: gone }),
    command(['systemctl', 'reset-failed', 'passito-*'], { done: gone }),
    remove(EXECUTABLE),
    command(['rm', '-rf', files.CACHE], { done: () => !existsSync(files.CACHE) }),
  ];
}

function remove(path: string): Step {
  return command(['rm', '-f', path], { done: () => !existsSync(path) });
}

function installed(): string {
  return `
passito runs, as the service ${SERVICE}.
  Settings  ${ENV_FILE}; after a change: sudo systemctl reload ${SERVICE}
  Jobs      ${files.JOBS}
  Data      ${STATE}
  Look      systemctl status ${SERVICE}, journalctl -u ${SERVICE} -f
  Ask       sudo -u ${USER} passito health`;
}

function left(): string {
  return `The service is gone. What stays:
  Data      ${STATE}
  Settings  ${files.SETTINGS}
  User      ${USER}
To remove them as well: rm -r ${STATE} ${files.SETTINGS} && userdel ${USER}`;
}

function sameContent(one: string, other: string): boolean {
  if (!existsSync(other) || statSync(one).size !== statSync(other).size) return false;
  return statSync(one).ino === statSync(other).ino || readFileSync(one).equals(readFileSync(other));
}

function isOwned(path: string, user: string, group: string, mode: string): boolean {
  return outputOf('stat', '-c', '%U:%G %a', path) === `${user}:${group} ${mode.replace(/^0/, '')}`;
}

function isEmptyFolder(path: string): boolean {
  return existsSync(path) && readdirSync(path).length === 0;
}
