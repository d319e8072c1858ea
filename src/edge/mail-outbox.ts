/** The outbox: where mail goes while no SMTP server is configured, one `.eml` file a mail. */

import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, placeIn, shut } from '../make-folder.ts';

/** Writes a mail whole or not at all; the same message id always names the same file. Returns the file's path. */
export async function writeToOutbox(folder: string, messageId: string, message: Buffer): Promise<string> {
  makeFolder(folder, 0o700);
  // Mails name students; an older folder may be open to others.
  shut(folder);
  const name = outboxName(messageId);
  const place = placeIn(folder);
  // One name for all attempts: what a killed one has left is written over.
  const draft = path.join(place.path, `.${name}.tmp`);
  try {
    await rm(draft, { force: true });
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(message);
      place.give(handle.fd);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path.join(place.path, name));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    place.close();
  }
  return path.join(folder, name);
}

/** A file name from `<left@right>`. Where letters had to be left out, a hash keeps two ids apart. */
function outboxName(messageId: string): string {
  const bare = messageId.replaceAll(/^<|>$/g, '');
  const safe = bare
    .replaceAll(/[^A-Za-z0-9@._-]/g, '_')
    .replace(/^\.+/, '')
    .slice(0, 120);
  if (safe === bare) return `${safe}.eml`;
  return `${safe}-${createHash('sha256').update(bare).digest('hex').slice(0, 8)}.eml`;
}
