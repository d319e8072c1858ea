/** Reading a backup: every byte is compared with its list; nothing is believed before. */

import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ArchivedFile, BadArchive, readArchive } from './archive.ts';
import {
  checkManifestSize,
  checkName,
  compare,
  type Manifest,
  MANIFEST,
  type Packed,
  readManifest,
} from './contents.ts';

/**
 * Checks a backup, and writes its files below `folder`, a new one of our own; null: only checks.
 * Throws a {@link BadArchive} where it is no whole and sound backup.
 */
export async function unpack(
  file: string,
  folder: string | null,
  step: (bytes: number) => void,
): Promise<Manifest> {
  const archive = await open(file, 'r');
  try {
    const found = new Map<string, Packed>();
    let manifest: Manifest | undefined;
    for await (const one of readArchive(archive)) {
      checkName(one.name);
      if (manifest !== undefined || found.has(one.name)) {
        throw new BadArchive(`holds ${one.name} where no backup has it`);
      }
      if (one.name === MANIFEST) manifest = readManifest(await textOf(one));
      else found.set(one.name, await keep(one, folder, step));
    }
    if (manifest === undefined) {
      throw new BadArchive('lacks its list of files: it is no backup, or cut short');
    }
    compare(manifest.files, found);
    return manifest;
  } finally {
    await archive.close();
  }
}

async function textOf({ size, content }: ArchivedFile): Promise<string> {
  checkManifestSize(size);
  const parts: Buffer[] = [];
  for await (const chunk of content) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

async function keep(
  { name, size, content }: ArchivedFile,
  folder: string | null,
  step: (bytes: number) => void,
): Promise<Packed> {
  const hash = createHash('sha256');
  const out = folder === null ? undefined : await create(join(folder, name));
  try {
    for await (const chunk of content) {
      hash.update(chunk);
      await out?.writeFile(chunk);
      step(chunk.length);
    }
    await out?.sync();
  } finally {
    await out?.close();
  }
  return { name, size, sha256: hash.digest('hex') };
}

/** Never through a link, never over a file: the folder was empty, and only plain files are put into it. */
async function create(path: string) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return open(path, 'wx', 0o600);
}
