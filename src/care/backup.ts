/** A backup: one file with the database as it was at one moment, the signing keys, and the files beside it. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, existsSync, lstatSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { constants as system, setPriority } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { quoted } from '../escape.ts';
import { stateFolder } from '../app.ts';
import { ownCommand, version } from '../build-info.ts';
import type { Config } from '../config.ts';
import { formatTime } from '../engine/clock.ts';
import { formatSize } from '../engine/units.ts';
import { errors, messageOf, PassitoError } from '../errors.ts';
import { copyDatabase, noteBackup, sizeOf, type Snapshot } from '../store/sqlite/snapshot.ts';
import { ArchiveWriter, BadArchive, chunksUpTo } from './archive.ts';
import { DATABASE, FOLDERS, FORMAT, MANIFEST, type Manifest, type Packed, SIGNING_KEY } from './contents.ts';
import { checked, type Steps, syncFolder, withBar } from './steps.ts';
import { unpack } from './unpack.ts';
import { workFolder } from './work-folder.ts';

/** What was made. */
export interface BackupReport {
  file: string;
  bytes: number;
  /** How many files it holds beside the database. */
  files: number;
  /** Whether the key that signs passes is among them. */
  keys: boolean;
  /** The moment that the database is of; UTC. */
  made_at: string;
  schema: number;
}

/**
 * Makes a backup in a process of its own, at low priority: for the supervisor, whose main thread must not wait for the
 * copy, and whose threads may be ended. Rejects with what that process said. That process needs the database and asks for
 * no other setting: those of the supervisor may come from an env file of its own, or have been broken since it read them.
 */
export function makeBackup(config: Config, file: string, signal?: AbortSignal): Promise<BackupReport> {
  const [program, ...words] = ownCommand();
  const args = [...words, 'backup', file, '--json', '--db', resolve(config.settings.db)];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (out[name] += text));
  }
  if (child.pid !== undefined) setPriority(child.pid, system.priority.PRIORITY_BELOW_NORMAL);
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) done(JSON.parse(out.stdout) as BackupReport);
      else fail(new Error(out.stderr.trim() || `the backup's process ended with ${code}`));
    });
  });
}

/** Makes a backup in this thread, which waits for SQLite meanwhile. `force` replaces an older file of that name. */
export async function writeBackup(
  config: Config,
  file: string,
  steps: Steps & { force: boolean },
): Promise<BackupReport> {
  const target = resolve(file);
  const database = resolve(config.settings.db);
  checkTarget(target, database, steps.force);
  const found = filesOf(stateFolder(config));
  const databaseSize = await sizeOf(database);
  const total = databaseSize + found.reduce((sum, { size }) => sum + size, 0);
  // The copy lies beside the archive until it is in it.
  checkSpace(target, databaseSize + total);
  return written(target, async () => {
    const folder = workFolder(dirname(target), 'backup');
    try {
      const copy = join(folder, DATABASE);
      const draft = join(folder, 'archive');
      steps.say(`Copying the database (${formatSize(databaseSize)})`);
      const snapshot = await copyDatabase(database, copy);
      checked(steps);
      // Written, and read back from the disk: what cannot be read now could not be restored then.
      const manifest = await withBar(steps, 2 * total, async (step) => {
        const packed = await pack(draft, copy, found, snapshot, step);
        await unpack(draft, null, step);
        return packed;
      });
      await rename(draft, target);
      syncFolder(dirname(target));
      await noteBackup(database, target, snapshot.at).catch((error: unknown) =>
        steps.say(`The backup is made, but was not noted in the database: ${messageOf(error)}`),
      );
      const { made_at, schema } = manifest;
      return {
        file: target,
        bytes: lstatSync(target).size,
        files: manifest.files.length - 1,
        keys: manifest.files.some(({ name }) => name === SIGNING_KEY),
        made_at,
        schema,
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function checkTarget(target: string, database: string, force: boolean): void {
  const state = dirname(database);
  const inside = FOLDERS.find((name) => target.startsWith(join(state, name) + sep));
  if (inside !== undefined) {
    throw errors.badValue(
      'The backup',
      target,
      `a file outside of ${join(state, inside)}, which is part of it`,
    );
  }
  if (target === database) throw errors.badValue('The backup', target, 'another file than the database');
  if (isTaken(target, database)) {
    throw errors.badValue('The backup', target, "a name that is not one of SQLite's, or of passito's own");
  }
  if (!existsSync(dirname(target))) {
    throw errors.backupUnwritten(
      target,
      `there is no folder ${dirname(target)}`,
      `Type: mkdir -p ${quoted(dirname(target))}`,
    );
  }
  if (!statSync(dirname(target)).isDirectory()) {
    throw errors.backupUnwritten(target, `${dirname(target)} is not a folder`);
  }
  const there = lstatSync(target, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) {
    throw errors.badValue('The backup', target, 'a file, and this is a folder');
  }
  if (there !== undefined && !there.isFile()) {
    const what = there.isSymbolicLink() ? 'a link' : 'a device or a pipe';
    throw errors.badValue('The backup', target, `a plain file, and this is ${what}`);
  }
  if (there !== undefined && !force) {
    throw errors.fileExists(target, 'Name another file, or replace it with --force.');
  }
}

/** Names beside the database that mean something: a file of that name would be read as what it is not. */
function isTaken(target: string, database: string): boolean {
  if (dirname(target) !== dirname(database)) return false;
  const name = basename(target);
  if (name.startsWith('.passito-') || name === 'passito.sock') return true;
  if (FOLDERS.some((folder) => folder === name)) return true;
  const rest = name.startsWith(basename(database)) ? name.slice(basename(database).length) : '';
  return /^-(?:wal|shm|journal|restoring)$|^\.(?:before-|schema-|undone)/.test(rest);
}

function checkSpace(target: string, needed: number): void {
  const { bavail, bsize } = statfsSync(dirname(target));
  if (bavail * bsize >= needed) return;
  throw errors.backupUnwritten(
    target,
    `it needs ${formatSize(needed)} while it is made, and ${formatSize(bavail * bsize)} are free`,
    'Free some space, or name a file on another disk.',
  );
}

/** A fault of the target, in words; what the database says is told as everywhere. */
async function written<T>(target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PassitoError) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(code)) {
      throw errors.backupUnwritten(
        target,
        'the disk is full',
        'Free some space, or name a file on another disk.',
      );
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw errors.backupUnwritten(target, `this user may not write into ${dirname(target)}`);
    }
    const said = error instanceof BadArchive ? `read back, it ${error.message}` : messageOf(error);
    throw errors.backupUnwritten(target, said);
  }
}

interface Found {
  name: string;
  path: string;
  size: number;
}

/** The plain files of the folders. Links are left where they are; drafts are nobody's yet. */
function filesOf(state: string): Found[] {
  return FOLDERS.flatMap((folder) => {
    const root = join(state, folder);
    // A folder may itself be a link, to a larger disk.
    if (!existsSync(root)) return [];
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !isDraft(entry.name))
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return { name: `${folder}${path.slice(root.length)}`, path, size: sizeAt(path) };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  });
}

/** As `files`, the outbox and the keys write them before they have their names. */
function isDraft(name: string): boolean {
  return /\.\d+(?:-\d+)?\.part$|^\..+\.tmp$|^\..+-[\w-]{11,12}$/.test(name);
}

function sizeAt(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

async function pack(
  draft: string,
  copy: string,
  found: readonly Found[],
  { schema, at }: Snapshot,
  step: (bytes: number) => void,
): Promise<Manifest> {
  const out = await open(draft, 'wx', 0o600);
  try {
    const writer = new ArchiveWriter(out, at);
    const files: Packed[] = [];
    for (const { name, path } of [{ name: DATABASE, path: copy }, ...found]) {
      const packed = await packOne(writer, name, path, step);
      if (packed !== undefined) files.push(packed);
    }
    // The database is in the archive; its space may be needed.
    rmSync(copy);
    const manifest: Manifest = { format: FORMAT, passito: version, schema, made_at: formatTime(at), files };
    const text = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
    await writer.add(MANIFEST, text.length, once(text));
    await writer.end();
    await out.sync();
    return manifest;
  } finally {
    await out.close();
  }
}

/** Undefined where the file is gone by now: the clean-up removes some while we read. */
async function packOne(
  writer: ArchiveWriter,
  name: string,
  path: string,
  step: (bytes: number) => void,
): Promise<Packed | undefined> {
  let source: FileHandle;
  try {
    source = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await source.stat();
    const hash = createHash('sha256');
    let left = size;
    async function* content() {
      for await (const chunk of chunksUpTo(source, 0, size)) {
        hash.update(chunk);
        left -= chunk.length;
        step(chunk.length);
        yield chunk;
      }
      // Cut short by its owner while we read: the archive has promised its size.
      if (left > 0) throw new Error(`${path} changed while it was copied; try again`);
    }
    await writer.add(name, size, content());
    return { name, size, sha256: hash.digest('hex') };
  } finally {
    await source.close();
  }
}

async function* once(bytes: Buffer) {
  yield bytes;
}
