/** Archives as a backup is one, and as an attacker or a bad disk would make one. */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { ArchiveWriter } from '../../src/care/archive.ts';

export interface Entry {
  name: string;
  content: Buffer;
}

/** Writes an archive of these files; with `manifest`, its list is the last of them. */
export async function writeArchive(
  path: string,
  entries: readonly Entry[],
  manifest?: Record<string, unknown>,
): Promise<void> {
  const out = await open(path, 'w', 0o600);
  try {
    const writer = new ArchiveWriter(out, 0);
    for (const { name, content } of entries) await writer.add(name, content.length, one(content));
    if (manifest !== undefined) {
      const files = entries.map(({ name, content }) => ({
        name,
        size: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
      }));
      const list = { format: 1, passito: '0.1.0', schema: 1, made_at: '2026-11-24 04:00:00.000', files };
      const text = Buffer.from(JSON.stringify({ ...list, ...manifest }));
      await writer.add('manifest.json', text.length, one(text));
    }
    await writer.end();
  } finally {
    await out.close();
  }
}

async function* one(bytes: Buffer) {
  yield bytes;
}
