/**
 * SQLite's native part. From source better-sqlite3 finds its own file. The executable carries it inside, and
 * the system loads such code from a file only: so it is written, loaded and gone again in a few milliseconds.
 */
import { closeSync, constants, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { constants as system, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { getRawAsset } from 'node:sea';
import { packaged } from '../../build-info.ts';

const file = 'better_sqlite3.node';

// Linux's O_TMPFILE with its O_DIRECTORY: a file without a name. Node has no constant for it.
const unnamed = 0o20200000;

let loaded: object | undefined;

/** What better-sqlite3 takes as `nativeBinding`; undefined from source. */
export function loadAddon(stateFolder?: string): object | undefined {
  if (!packaged) return undefined;
  loaded ??= loadFromFirst(candidates(stateFolder));
  return loaded;
}

function candidates(stateFolder: string | undefined): string[] {
  const { CACHE_DIRECTORY, RUNTIME_DIRECTORY } = process.env;
  // systemd gives several folders as one value, with colons between.
  // The last is memory: there is room in it where every disk is full or read-only.
  const given = [
    CACHE_DIRECTORY?.split(':')[0],
    RUNTIME_DIRECTORY?.split(':')[0],
    stateFolder,
    tmpdir(),
    '/dev/shm',
  ];
  return [...new Set(given.filter((folder): folder is string => folder !== undefined && isAbsolute(folder)))];
}

function loadFromFirst(folders: readonly string[]): object {
  const bytes = new Uint8Array(getRawAsset(file));
  const refusals: string[] = [];
  for (const folder of folders) {
    for (const attempt of [loadUnnamed, loadNamed]) {
      try {
        return attempt(folder, bytes);
      } catch (error) {
        if (attempt === loadNamed) refusals.push(`${folder} (${reason(error)})`);
      }
    }
  }
  throw Object.assign(
    new Error(
      `SQLite's native code could not be loaded from any of these folders: ${refusals.join(', ')}. ` +
        'Set CACHE_DIRECTORY to a folder that this user can write and whose file system allows programs (no noexec)',
    ),
    { code: 'ADDON_UNLOADABLE' },
  );
}

/** A file that never has a name: nobody can meet it, and not even kill -9 leaves it behind. */
function loadUnnamed(folder: string, bytes: Uint8Array): object {
  const descriptor = openSync(folder, constants.O_RDWR | unnamed, 0o600);
  try {
    writeAll(descriptor, bytes);
    return open(`/proc/self/fd/${descriptor}`);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * For file systems without unnamed files, and systems without /proc: a new folder that is ours alone. Who may rename it
 * could put another in its place before it is loaded.
 */
function loadNamed(folder: string, bytes: Uint8Array): object {
  if (othersRename(folder)) throw new Error('other users may rename what is in it');
  const own = mkdtempSync(join(folder, '.passito-'));
  try {
    const path = join(own, file);
    const descriptor = openSync(
      path,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      writeAll(descriptor, bytes);
    } finally {
      closeSync(descriptor);
    }
    return open(path);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function othersRename(folder: string): boolean {
  const { mode, uid } = statSync(folder);
  const isShared = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
  return isShared || (uid !== 0 && uid !== process.geteuid?.());
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}

function open(path: string): object {
  const module: { exports: object } = { exports: {} };
  process.dlopen(module, path, system.dlopen.RTLD_NOW);
  return module.exports;
}

function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes('failed to map segment')) return 'its file system does not allow programs';
  // EACCES: permission denied, mkdtemp '/var/cache/x/.passito-' → permission denied
  return text.replace(/^[A-Z]+: /, '').replace(/, \w+ '.*$/, '');
}
