/**
 * A Unix socket at a path. It is bound in a folder that nobody else may enter, gets its mode there, and is moved to
 * its place: so it has its mode from its first moment there, whatever the umask (which belongs to the whole process,
 * threads and all), and takes the place of a dead process's socket in one step.
 */

import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { closeListener } from './listener.ts';

/** The user's own and the group's: whoever may dispatch. */
const MODE = 0o660;

/** What the kernel takes as a socket's path, in bytes. */
const LONGEST_PATH = 107;

/** A folder of six random characters and a dot, and a name of one, with their slashes. */
const INSIDE = '/.XXXXXX/s'.length;

/** A socket file cannot be made; the message says why. */
export class SocketRefused extends Error {}

/** Whether a path is short enough, and that of the folder in which the socket is bound first. */
function fits(path: string): boolean {
  return Math.max(Buffer.byteLength(path), Buffer.byteLength(dirname(path)) + INSIDE) <= LONGEST_PATH;
}

/** A server at a path. */
export class SocketFile {
  readonly path: string;
  readonly #create: () => Server;
  #held: { server: Server; inode: number } | undefined;

  constructor(path: string, create: () => Server) {
    this.path = path;
    this.#create = create;
  }

  /** Whether the socket at the path is this one's. */
  get serving(): boolean {
    return this.#held !== undefined && look(this.path)?.ino === this.#held.inode;
  }

  /**
   * Serves at the path, unless another process does; resolves with whether this one does. Called again, it takes
   * over from one that has gone, and comes back where the file was removed. Throws {@link SocketRefused}.
   */
  async ensure(): Promise<boolean> {
    if (this.serving) return true;
    // Two that met a dead one's socket at the same moment: the one that came first finds itself replaced here.
    this.#held?.server.close();
    this.#held = undefined;
    if (await occupied(this.path)) return false;
    this.#held = await bind(this.#create(), this.path);
    return true;
  }

  /** Removes the file, then lets answers that are under way have `ms` to get out. */
  async close(ms: number): Promise<void> {
    if (this.#held === undefined) return;
    const { server } = this.#held;
    // First: while it listens nobody takes the file for a dead one's, so that it is surely its own.
    if (this.serving) unlinkSync(this.path);
    this.#held = undefined;
    await closeListener(server, ms);
  }
}

/** Whether a live process listens there. */
function occupied(path: string): Promise<boolean> {
  const found = look(path);
  if (found === undefined) return Promise.resolve(false);
  if (!found.isSocket()) throw new SocketRefused('there is something that is no socket');
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // Refused: nobody listens. Anything else (it is another user's, or its queue is full) is somebody's.
    probe.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}

async function bind(server: Server, path: string): Promise<{ server: Server; inode: number }> {
  if (!fits(path)) throw new SocketRefused(`the path is too long; a socket's may have ${LONGEST_PATH} bytes`);
  let folder: string | undefined;
  try {
    // Inside the folder: its parent may be another file system, or not be writable.
    folder = mkdtempSync(`${dirname(path)}/.`);
    const first = join(folder, 's');
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(first, () => resolve());
    });
    chmodSync(first, MODE);
    const { ino: inode } = lstatSync(first);
    renameSync(first, path);
    return { server, inode };
  } catch (error) {
    server.close();
    throw new SocketRefused(reasonOf(error));
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function look(path: string) {
  return lstatSync(path, { throwIfNoEntry: false });
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'its folder is not there';
  if (code === 'EACCES') return 'this user may not write into its folder';
  if (code === 'EROFS') return 'the disk is read-only';
  return messageOf(error);
}
