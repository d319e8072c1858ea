/** The backup that the supervisor makes by itself, and how many of them stay. */

import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { type Clock, formatTime } from '../engine/clock.ts';
import { makeFolder } from '../make-folder.ts';
import { makeBackup } from './backup.ts';

/** The names that are ours to remove; they sort as their times do. */
const NAME = /^passito-\d{8}-\d{6}\.tar$/;

/** Makes one in the configured folder, and removes the oldest beyond the number that stays. Throws what went wrong. */
export async function nightlyBackup(
  config: Config,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ file: string; removed: number }> {
  const { backups, keepBackups } = config.settings;
  const folder = resolve(backups);
  makeFolder(folder, 0o700);
  const [date = '', time = ''] = formatTime(clock.now()).split(' ');
  const file = join(
    folder,
    `passito-${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}.tar`,
  );
  await makeBackup(config, file, signal);
  // Only after the new one is whole: a night that fails costs no older one.
  const old = readdirSync(folder)
    .filter((name) => NAME.test(name))
    .toSorted()
    .slice(0, -keepBackups);
  for (const name of old) rmSync(join(folder, name));
  return { file, removed: old.length };
}
