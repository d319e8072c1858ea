/** What Linux knows of processes: enough to tell a live one from another that got its number. */

import { existsSync, readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';
import { parseTime } from '../engine/clock.ts';
import type { Remedies } from '../engine/health.ts';
import { LEASE_MS, type Presence } from '../engine/liveness.ts';
import type { ProcessIdentity, ProcessRecord } from '../engine/store.ts';
import { quoted } from '../escape.ts';

/** There where the supervisor is a service. */
const UNIT = '/etc/systemd/system/passito-supervisor.service';
const JOURNAL = 'journalctl -u passito-supervisor';

/** This process, as the store keeps it. */
export function ownIdentity(kind: string): Omit<ProcessIdentity, 'info'> {
  return {
    pid: process.pid,
    host: hostname(),
    bootId: bootId(),
    startTime: startTime(process.pid) ?? '',
    kind,
  };
}

/** Whether a recorded process still runs. Another host's cannot be seen from here. */
export function presence(record: Pick<ProcessRecord, 'pid' | 'host' | 'bootId' | 'startTime'>): Presence {
  if (record.host !== hostname()) return 'elsewhere';
  if (record.bootId !== bootId()) return 'gone';
  return startTime(record.pid) === record.startTime ? 'here' : 'gone';
}

/** What starts a supervisor here, or starts it anew: systemd where it has the service. */
export function startCommand(): string {
  return existsSync(UNIT) ? 'sudo systemctl restart passito-supervisor' : 'passito supervisor';
}

/** What to type on this machine where the queue of that database has issues. */
export function remedies(database: string): Remedies {
  const hasService = existsSync(UNIT);
  return {
    start: startCommand(),
    log: hasService ? `${JOURNAL} -n 50` : 'passito doctor',
    warnings: hasService ? `${JOURNAL} -p warning -n 20` : 'passito doctor',
    large: `sudo du -xh ${quoted(dirname(database))} | sort -h | tail`,
  };
}

/** What shows an admin the health of that database, as a user who may look into it. */
export function healthCommand(): string {
  return existsSync(UNIT) ? 'sudo -u passito passito health' : 'passito health';
}

/** A process as a table's row tells of it. */
export interface KnownProcess {
  pid: number;
  host: string;
  boot_id: string;
  start_time: string;
  heartbeat_at: string;
}

/** Whether a process lives. Another host's is taken to live for half a minute after its last heartbeat. */
export function isAlive({ pid, host, boot_id, start_time, heartbeat_at }: KnownProcess): boolean {
  const seen = presence({ pid, host, bootId: boot_id, startTime: start_time });
  return seen === 'here' || (seen === 'elsewhere' && Date.now() - parseTime(heartbeat_at) < LEASE_MS);
}

/** What a process calls itself in the environment of the programs that it starts: no other ever has that name. */
export function holderName({ pid, bootId: boot, startTime: start }: Omit<ProcessIdentity, 'info'>): string {
  return `${boot}.${start}.${pid}`;
}

/** What is known of the process that calls itself so. */
export function stillRuns(holder: string): Presence {
  const [boot, start = '', pid] = holder.split('.');
  if (boot !== bootId()) return 'elsewhere';
  return startTime(Number(pid)) === start ? 'here' : 'gone';
}

/** The other processes that have the file open, as far as this user may see them: `name (pid 12)`. */
export function openedBy(path: string): string[] {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) return [];
  const found: string[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    if (namesakes(pid, basename(path)).some((one) => one.ino === file.ino && one.dev === file.dev)) {
      const [program = ''] = (read(`/proc/${pid}/cmdline`) ?? '').split('\0');
      found.push(`${basename(program)} (pid ${pid})`);
    }
  }
  return found;
}

/** What a process has open under a name. Only that is looked at: to ask a dead network disk would never end. */
function namesakes(pid: string, name: string): Stats[] {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder)
      .filter((fd) => basename(readlinkSync(`${folder}/${fd}`)) === name)
      .map((fd) => statSync(`${folder}/${fd}`));
  } catch {
    // Another user's, or it has just ended or closed something.
    return [];
  }
}

/** Ends the programs that a dead process left running, and what those have started, but what a handler has set free. */
export function endOrphans(holder: string): void {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const words = environment(entry);
    if (!words.includes(`PASSITO_HOLDER=${holder}`) || isFree(entry, words)) continue;
    try {
      process.kill(Number(entry), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/** Whether a program is in a group of its own that a handler has given it; those of command jobs are passito's. */
function isFree(pid: string, words: readonly string[]): boolean {
  if (words.some((word) => word.startsWith('PASSITO_JOB_ID='))) return false;
  return !words.includes(`PASSITO_GROUP=${groupOf(pid)}`);
}

/** The process group of this process. */
export function ownGroup(): string {
  return groupOf('self');
}

function groupOf(pid: string): string {
  return statOf(pid)?.[2] ?? '';
}

function environment(pid: string): string[] {
  return read(`/proc/${pid}/environ`)?.split('\0') ?? [];
}

/** Changes with every boot. Read once: it is the same as long as this process lives. */
let knownBootId: string | undefined;
function bootId(): string {
  knownBootId ??= read('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown';
  return knownBootId;
}

/** Clock ticks from boot to the process's start (field 22 of stat); undefined where there is no such process. */
function startTime(pid: number): string | undefined {
  const fields = statOf(String(pid));
  // A zombie is dead: it holds nothing but its number.
  return fields?.[0] === 'Z' || fields?.[0] === 'X' ? undefined : fields?.[19];
}

/** What the kernel tells of a process, from its state (field 3 of stat) on. */
function statOf(pid: string): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The name may hold spaces and brackets; what follows its last bracket does not.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
