/** The folder beside the database where handlers keep their files. */

import { lstat, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, sep } from 'node:path';
import type { JobFiles } from '../engine/handler.ts';
import { makeFolder, placeIn } from '../make-folder.ts';

/**
 * Gives a handler the files below `root`, which is made when the first is written. `writer` is the job's own name,
 * the same in all its attempts: what a killed one has left half written, the next one writes over.
 */
export function jobFiles(root: string, writer: string): JobFiles {
  /** Half-written files of this attempt. */
  const drafts = new Set<string>();
  function path(name: string): string {
    const relative = normalize(name);
    if (
      name === '' ||
      name.includes('\0') ||
      isAbsolute(name) ||
      relative === '..' ||
      relative.startsWith(`..${sep}`)
    ) {
      throw new Error(`'${name}' is not a name inside the files folder`);
    }
    return join(root, relative);
  }
  /** A name beside the file; a handler that writes one file twice at once gets two. */
  function draftOf(target: string): string {
    for (let n = 0; ; n++) {
      const draft = `${target}.${writer}${n === 0 ? '' : `-${n}`}.part`;
      if (drafts.has(draft)) continue;
      drafts.add(draft);
      return draft;
    }
  }
  /** The size of a real file of the folder: neither it nor a folder on the way to it is a link. */
  async function size(name: string): Promise<number | undefined> {
    const target = path(name);
    try {
      const [base, folder, found] = await Promise.all([
        realpath(root),
        realpath(dirname(target)),
        lstat(target),
      ]);
      if (folder !== join(base, dirname(normalize(name))) || !found.isFile()) {
        throw new Error(`'${name}' is no file of its own, or lies behind a link`);
      }
      return found.size;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }
  return {
    root,
    size,
    async remove(name) {
      const bytes = await size(name);
      if (bytes !== undefined) await rm(path(name), { force: true });
      return bytes;
    },
    path,
    read: async (name) => readFile(path(name)),
    async write(name, data) {
      const target = path(name);
      makeFolder(dirname(target), 0o700);
      const beside = draftOf(target);
      const place = placeIn(dirname(target));
      const draft = join(place.path, basename(beside));
      try {
        await rm(draft, { force: true });
        const file = await open(draft, 'wx', 0o600);
        try {
          await file.writeFile(data);
          place.give(file.fd);
          // Renaming a file whose bytes are not on the disk could leave an empty one after a power cut.
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(draft, join(place.path, basename(target)));
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      } finally {
        place.close();
        drafts.delete(beside);
      }
      return target;
    },
  };
}
