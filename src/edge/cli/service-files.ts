/** What the service consists of on the machine: where it lies, and the texts of `deployment/` that are put there. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packaged } from '../../build-info.ts';

/** The user, and the group, that the service runs as. */
export const USER = 'passito';

export const EXECUTABLE = '/usr/local/bin/passito';
export const SETTINGS = '/etc/passito';
export const ENV_FILE = '/etc/passito/passito.env';
export const JOBS = '/etc/passito/jobs';
export const STATE = '/var/lib/passito';
export const CACHE = '/var/cache/passito';

/** The files that SQLite keeps. */
export const DATABASE: readonly string[] = ['', '-wal', '-shm'].map((end) => `${STATE}/passito.db${end}`);

export const SERVICE = 'passito-supervisor.service';
export const TIMER = 'passito-health.timer';

const UNITS = '/etc/systemd/system';
const UNIT_NAMES = [SERVICE, 'passito-health.service', TIMER, 'passito-alert@.service'];

/** The units: where each stands, and its text's name in `deployment/`. */
export const UNIT_FILES: readonly { path: string; name: string }[] = UNIT_NAMES.map((name) => ({
  path: join(UNITS, name),
  name,
}));

/** Where the admin's additions to the unit stand, and ours: the group that is let in. */
export const DROP_INS = join(UNITS, `${SERVICE}.d`);
export const GROUP_FILE = join(DROP_INS, 'group.conf');

/** The addition that lets a group in. */
export function groupText(group: string): string {
  return `# Written by 'passito install-service --group ${group}'.
[Service]
Group=${group}
# For the env file, which is for the group passito.
SupplementaryGroups=${USER}
StateDirectoryMode=2770
`;
}

/** A file of `deployment/`; the executable has them inside. */
export function deployed(name: string): string {
  const folder = packaged ? import.meta.dirname : join(import.meta.dirname, '..', '..', '..');
  return readFileSync(join(folder, 'deployment', name), 'utf8');
}
