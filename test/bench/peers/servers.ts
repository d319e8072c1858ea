/** Redis and PostgreSQL, started from what the machine has, on folders and sockets of their own; ended with the run. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atExit } from '../measure.ts';

export interface Server {
  /** The folder with its socket. */
  where: string;
  version: string;
  settings: string;
  pid: number;
  stop(): Promise<void>;
}

/** A server that is missing: the line that says how to get it. */
export class Missing extends Error {}

const START_MS = 20_000;

export async function startRedis(folder: string): Promise<Server> {
  const program = find('redis-server') ?? find('valkey-server');
  if (program === undefined) throw new Missing('BullMQ needs Redis: apt-get install redis-server');
  const where = join(folder, 'redis');
  mkdirSync(where);
  const args = ['--port', '0', '--unixsocket', join(where, 'redis.sock'), '--dir', where];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
  const child = spawn(program, [...args, ...durable], { stdio: 'ignore' });
  atExit(() => child.kill('SIGKILL'));
  await appears(join(where, 'redis.sock'), child);
  const version = /v=(\S+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1] ?? '';
  return {
    where,
    version: `Redis ${version}`,
    settings: 'appendonly yes, appendfsync always, no snapshots',
    pid: child.pid as number,
    stop: () => end(child, 'SIGTERM'),
  };
}

export async function startPostgres(folder: string): Promise<Server> {
  const bin = ['/usr/lib/postgresql', '/usr/local/pgsql']
    .flatMap((root) => (existsSync(root) ? readdirSync(root).map((name) => join(root, name, 'bin')) : []))
    .filter((path) => existsSync(join(path, 'initdb')))
    .toSorted((a, b) => b.localeCompare(a, undefined, { numeric: true }))[0];
  const initdb = bin === undefined ? find('initdb') : join(bin, 'initdb');
  if (initdb === undefined) {
    throw new Missing('pg-boss and graphile-worker need PostgreSQL: apt-get install postgresql');
  }
  const where = join(folder, 'postgres');
  const data = join(where, 'data');
  mkdirSync(where);
  chmodSync(where, 0o755);
  const user = unprivileged();
  if (user.uid !== undefined && user.gid !== undefined) {
    // Its parents must let that user pass.
    chmodSync(folder, 0o711);
    chownSync(where, user.uid, user.gid);
  }
  const options = { ...user, cwd: where, env: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' } };
  const settings = ['-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--no-locale'];
  execFileSync(initdb, ['-D', data, ...settings], { ...options, stdio: 'ignore' });
  const postgres = join(initdb, '..', 'postgres');
  const args = ['-D', data, '-k', where, '-c', 'listen_addresses='];
  const child = spawn(postgres, args, { ...options, stdio: 'ignore' });
  // Its word for: at once, with all your processes.
  atExit(() => child.kill('SIGQUIT'));
  await appears(join(where, '.s.PGSQL.5432'), child);
  const psql = join(initdb, '..', 'psql');
  for (const name of ['pgboss', 'graphile']) await createDatabase(psql, where, name, options);
  const version = execFileSync(postgres, ['--version'], { encoding: 'utf8' });
  return {
    where,
    version: `PostgreSQL ${/\) (\S+)/.exec(version)?.[1]}`,
    settings: 'as installed: fsync on, synchronous_commit on',
    pid: child.pid as number,
    stop: () => end(child, 'SIGINT'),
  };
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made, or as nobody. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  return { uid: Number(user?.[2]), gid: Number(user?.[3]) };
}

async function createDatabase(psql: string, where: string, name: string, options: object): Promise<void> {
  const args = ['-q', '-h', where, '-U', 'postgres', '-d', 'postgres', '-c', `CREATE DATABASE ${name}`];
  for (let tries = 0; ; tries++) {
    try {
      execFileSync(psql, args, { ...options, stdio: 'ignore' });
      return;
    } catch (error) {
      // The socket is there a little before it answers.
      if (tries === 50) throw error;
      await sleep(100);
    }
  }
}

function find(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/usr/sbin', '/usr/local/bin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

async function appears(path: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (!existsSync(path)) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${child.spawnfile} did not start (exit code ${child.exitCode})`);
    }
    await sleep(20);
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.on('exit', resolve));
  child.kill(signal);
  await ended;
}
