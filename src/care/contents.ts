/** What a backup holds: the database, three folders, and a list of it all with its checksums at the end. */

import { BadArchive } from './archive.ts';

/** The folders beside the database that go with it. */
export const FOLDERS = ['keys', 'files', 'outbox'] as const;

export const DATABASE = 'passito.db';
export const MANIFEST = 'manifest.json';
/** What signs passes: who has the archive can sign. */
export const SIGNING_KEY = 'keys/signing.pem';

/** The archive's form; a change that an older passito could not read makes it 2. */
export const FORMAT = 1;

/** More than a list of a million files; a longer one would be held in memory. */
const LARGEST_MANIFEST = 256 * 1024 ** 2;

/** A file of a backup. */
export interface Packed {
  name: string;
  size: number;
  sha256: string;
}

/** The last file of a backup. An archive without it was cut short. */
export interface Manifest {
  format: number;
  /** The version of the program. */
  passito: string;
  /** The version of the database's tables. */
  schema: number;
  /** UTC, as in the tables. */
  made_at: string;
  files: Packed[];
}

/** Refuses every name that could lead elsewhere, or that no backup has. */
export function checkName(name: string): void {
  if (name === DATABASE || name === MANIFEST) return;
  const [folder = '', ...rest] = name.split('/');
  const inside = rest.length > 0 && rest.every((part) => part !== '' && part !== '.' && part !== '..');
  if (!inside || name.includes('\0') || !FOLDERS.some((one) => one === folder)) {
    throw new BadArchive(`holds the name ${JSON.stringify(name)}, which no backup has`);
  }
}

/** Reads the list, once it is known to be short enough. */
export function readManifest(text: string): Manifest {
  let found: Partial<Manifest> | null;
  try {
    found = JSON.parse(text) as Partial<Manifest> | null;
  } catch {
    throw new BadArchive('has a list of its files that is damaged');
  }
  if (typeof found?.format === 'number' && found.format > FORMAT) {
    throw new BadArchive('is from a newer passito; use the newer executable');
  }
  const sound =
    found?.format === FORMAT &&
    typeof found.schema === 'number' &&
    typeof found.made_at === 'string' &&
    // It is shown as it stands.
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$/.test(found.made_at) &&
    Array.isArray(found.files) &&
    found.files.every(isPacked);
  if (!sound) throw new BadArchive('has a list of its files that is damaged');
  return found as Manifest;
}

function isPacked(one: unknown): boolean {
  const { name, size, sha256 } = (one ?? {}) as Partial<Packed>;
  return typeof name === 'string' && typeof size === 'number' && typeof sha256 === 'string';
}

/** Refuses a list that cannot be one. */
export function checkManifestSize(size: number): void {
  if (size > LARGEST_MANIFEST) throw new BadArchive('has a list of its files that is damaged');
}

/** Compares what was unpacked with what was packed. */
export function compare(listed: readonly Packed[], found: ReadonlyMap<string, Packed>): void {
  for (const { name, size, sha256 } of listed) {
    const one = found.get(name);
    if (one === undefined) throw new BadArchive(`lacks ${name}, which its list names`);
    if (one.size !== size || one.sha256 !== sha256) {
      throw new BadArchive(`is damaged: ${name} is not what was packed`);
    }
  }
  if (found.size !== listed.length) throw new BadArchive('holds files that its list does not name');
  if (!found.has(DATABASE)) throw new BadArchive('holds no database');
}
