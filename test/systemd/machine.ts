/** A Debian of its own with a real systemd: made by debootstrap, booted by systemd-nspawn. Needs root on Linux. */

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { executable } from '../tools/executable.ts';

/** Below build/, which is in no commit. The base is made once; delete it to have it made anew. */
const FOLDER = join(import.meta.dirname, '..', '..', 'build', 'systemd');

const RELEASE = 'bookworm';
/** Where debootstrap gets its packages from; it has a default of its own. */
const MIRROR = process.env['DEBIAN_MIRROR'];

/** Between two looks, in milliseconds. */
const LOOK_MS = 100;

/** What a command in the machine ended with. */
export interface Ended {
  code: number;
  out: string;
}

/** A line of the journal. */
export interface Line {
  priority: number;
  message: string;
  identifier: string;
}

export class Machine {
  readonly #root = join(FOLDER, 'root');
  readonly #nspawn: ChildProcess;
  /** The machine's first process, as this machine numbers it. */
  #leader = 0;

  private constructor() {
    rmSync(this.#root, { recursive: true, force: true });
    execFileSync('cp', ['-a', '--reflink=auto', base(), this.#root]);
    cpSync(executable, join(this.#root, 'root', 'passito'));
    this.#nspawn = spawn(
      'systemd-nspawn',
      ['-D', this.#root, '--register=no', '--keep-unit', '--boot', '--quiet'],
      { stdio: 'ignore' },
    );
  }

  /** Boots it; the executable lies in /root. */
  static async boot(): Promise<Machine> {
    for (const [program, from] of [
      ['debootstrap', 'debootstrap'],
      ['systemd-nspawn', 'systemd-container'],
      ['nsenter', 'util-linux'],
    ] as const) {
      const found = spawnSync(program, ['--version']).error === undefined;
      assert.ok(found, `${program} is missing; type: apt-get install ${from}`);
    }
    assert.equal(process.getuid?.(), 0, 'only root can boot a machine');
    const machine = new Machine();
    await machine.until('the boot', () => {
      machine.#leader = Number(childrenOf(machine.#nspawn.pid!)[0] ?? 0);
      return (
        machine.#leader > 0 && /running|degraded/.test(machine.sh('systemctl is-system-running 2>&1').out)
      );
    });
    return machine;
  }

  /** Switches it off. */
  async off(): Promise<void> {
    const ended = new Promise((resolve) => this.#nspawn.on('exit', resolve));
    this.#nspawn.kill('SIGTERM');
    await Promise.race([ended, sleep(20_000)]);
    if (this.#nspawn.exitCode === null) this.#nspawn.kill('SIGKILL');
  }

  /** Runs a line of shell as root. */
  sh(line: string): Ended {
    const inside = ['-t', String(this.#leader), '-m', '-u', '-i', '-n', '-p'];
    const { status, stdout } = spawnSync(
      'nsenter',
      [...inside, '--', '/bin/sh', '-c', `cd /etc; ${line}`],
      { encoding: 'utf8', env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }, stdio: ['ignore', 'pipe', 'inherit'], timeout: 120_000 },
    ); // prettier-ignore
    return { code: status ?? -1, out: stdout.trim() };
  }

  /** Runs a line that must succeed; gives what it printed. */
  ok(line: string): string {
    const { code, out } = this.sh(line);
    assert.equal(code, 0, `${line}: ${out}`);
    return out;
  }

  /** Writes a file in the machine. */
  write(path: string, text: string): void {
    const target = join(this.#root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }

  /** What systemd knows of a unit. */
  property(unit: string, name: string): string {
    return this.ok(`systemctl show ${unit} --property=${name} --value`);
  }

  /** What a unit's processes, and systemd about them, wrote to the journal. */
  journal(unit: string): Line[] {
    // It fails where a pattern fits no unit yet.
    return this.ok(`journalctl --sync; journalctl -u '${unit}' -o json --no-pager || true`)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, string>)
      .map((entry) => ({
        priority: Number(entry['PRIORITY']),
        message: entry['MESSAGE'] ?? '',
        identifier: entry['SYSLOG_IDENTIFIER'] ?? '',
      }));
  }

  /** Resolves once it is so, with the milliseconds that it took. */
  async until(what: string, so: () => boolean, ms = 30_000): Promise<number> {
    const started = performance.now();
    while (!so()) {
      assert.ok(performance.now() - started < ms, `not within ${ms} ms: ${what}`);
      await sleep(LOOK_MS);
    }
    return performance.now() - started;
  }
}

function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
}

/** The folder of a Debian with systemd; takes about a minute where it is not there yet. */
function base(): string {
  const folder = join(FOLDER, RELEASE);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const packages = 'systemd,systemd-sysv,dbus,procps';
  const mirror = MIRROR === undefined ? [] : [MIRROR];
  execFileSync(
    'debootstrap',
    ['--variant=minbase', `--include=${packages}`, RELEASE, fresh, ...mirror],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  ); // prettier-ignore
  renameSync(fresh, folder);
  return folder;
}
