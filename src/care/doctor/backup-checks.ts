/** Whether there are backups, and where they go. */

import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { roughDuration } from '../../engine/units.ts';
import type { Facts } from './facts.ts';
import { quoted } from '../../escape.ts';
import { type Finding, fault, hint, set, well } from './finding.ts';

/** A backup that is older than this, in milliseconds, is worth a thought. */
const OLD_BACKUP_MS = 7 * 86_400_000;

export function backup(facts: Facts): Finding[] {
  return [...folder(facts), ...latest(facts)];
}

/** The only place, beside folders that an admin has added, into which the hardened unit may write. */
const WRITABLE = '/var/lib/passito/backups';

function isInstalled(unit: Facts['unit']): boolean {
  return unit !== null && unit.enabled !== 'not-found' && unit.enabled !== '';
}

function folder({ backups, envFile, unit }: Facts): Finding[] {
  if (backups === null) return [];
  const { path, inside, hasParent } = backups;
  if (inside !== null) {
    return [
      fault(
        `PASSITO_BACKUPS names ${path}, which lies in ${inside}, a part of what is backed up: each night is refused`,
        set('PASSITO_BACKUPS', isInstalled(unit) ? WRITABLE : '/var/backups/passito', envFile.path),
      ),
    ];
  }
  if (hasParent) return [];
  // Not made by --fix: it may be a disk that is not mounted.
  return [
    fault(`PASSITO_BACKUPS names ${path}, and there is no ${dirname(path)}`, `mkdir -p ${quoted(path)}`),
  ];
}

function latest({ database: found, now, backups }: Facts): Finding[] {
  if (found.state === 'failed') return [];
  // It holds the signing keys, so it goes where nobody else looks.
  const place = backups?.path ?? (process.getuid?.() === 0 ? '/var/backups' : homedir());
  if (found.backup === null) {
    return [hint('there is none', `passito backup ${quoted(join(place, 'passito.tar'))}`)];
  }
  const { at, file, there } = found.backup;
  const again = `passito backup ${quoted(file)} --force`;
  if (!there) return [hint(`the last one, ${file}, is not there any more`, again)];
  const age = `the last one, ${file}, was made ${roughDuration(now - at)} ago`;
  return [now - at > OLD_BACKUP_MS ? hint(age, again) : well(age)];
}
