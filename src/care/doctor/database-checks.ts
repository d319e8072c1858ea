/** The checks that the database itself answers. */

import { dirname } from 'node:path';
import { LARGEST_WAL } from '../../engine/health.ts';
import { counted, formatSize, roughDuration } from '../../engine/units.ts';
import { EXIT } from '../../errors.ts';
import type { DatabaseFacts, Facts } from './facts.ts';
import { quoted } from '../../escape.ts';
import { type Finding, fault, hint, well } from './finding.ts';

/** Clocks of two machines differ by less, in milliseconds. */
const CLOCK_MS = 60_000;

type Failed = Extract<DatabaseFacts, { state: 'failed' }>;

export function database({ database: found, settings, knownSchema }: Facts): Finding[] {
  const name = quoted(settings.db);
  if (found.state === 'failed') {
    return [
      {
        ...fault(found.message, commandFor(found, name, quoted(dirname(settings.db)))),
        exit: EXIT.unreachable,
      },
    ];
  }
  const all: Finding[] = [];
  if (found.schema < knownSchema) {
    const message = `its tables are of version ${found.schema}, and this passito wants ${knownSchema}`;
    all.push({ ...fault(message, `passito migrate --db ${name}`), exit: EXIT.unreachable });
  }
  if (found.problems.length > 0) {
    const file = found.backup?.there === true ? quoted(found.backup.file) : 'FILE';
    all.push(
      fault(`it is damaged: ${found.problems.join('; ')}`, `passito restore ${file} --force --db ${name}`),
    );
  }
  if (found.log > LARGEST_WAL) {
    all.push(
      fault(
        `its write-ahead log has ${formatSize(found.log)}: a program keeps a transaction open`,
        'passito doctor --fix',
        {
          kind: 'log',
        },
      ),
    );
  }
  return all.length > 0 ? all : [well(`${settings.db} is sound (tables of version ${found.schema})`)];
}

/** By the code of the error that every other command would end with. */
function commandFor({ code, message, hint: said = '' }: Failed, db: string, folder: string): string {
  // As the user whose it is, or what opens it to its own user.
  const denied = /^Type(?: it as [^:]+)?: (.+?)( …)?$/.exec(said);
  if (/^DATABASE_(?:DENIED|ABSENT)$/.test(code) && denied !== null) {
    return denied[2] === undefined ? `${denied[1]}` : `${denied[1]} doctor`;
  }
  if (code === 'RESTORE_INTERRUPTED') return `passito restore --db ${db}`;
  if (code === 'DATABASE_ABSENT' || code === 'DATABASE_EMPTY') return `passito migrate --db ${db}`;
  if (code === 'DATABASE_NEWER') return 'passito --version';
  if (code === 'DATABASE_FULL') return 'df -h';
  if (code === 'DISK_READ_ONLY') return 'sudo dmesg | tail -n 50';
  if (code === 'DATABASE_FOREIGN') return 'passito config';
  if (/damaged|not an SQLite database/.test(message)) return `passito restore FILE --force --db ${db}`;
  return `ls -ld ${folder} ${db} ${db}-*`;
}

export function clock({ database: found, now, clockSynchronised }: Facts): Finding[] {
  const newest = found.state === 'open' ? found.newest : null;
  const mend = 'sudo timedatectl set-ntp true';
  if (newest !== null && newest - now > CLOCK_MS) {
    return [fault(`it stands ${roughDuration(newest - now)} before the newest time in the database`, mend)];
  }
  if (clockSynchronised === false) return [hint('nothing keeps it right', mend)];
  return [
    well(clockSynchronised === null ? 'it is not behind the database' : 'it is kept right by the system'),
  ];
}

export function supervisor({ database: found, unit, version }: Facts): Finding[] {
  if (found.state === 'failed') return [];
  const restart = unit === null ? 'passito supervisor' : 'sudo systemctl restart passito-supervisor';
  const [one] = found.supervisors;
  if (one === undefined) {
    if (found.due > 0) {
      return [fault(`none runs, and ${counted(found.due, 'job is', 'jobs are')} due`, restart)];
    }
    return [hint('none runs', restart)];
  }
  const other = found.supervisors.find((running) => running.version !== version);
  if (other !== undefined) {
    return [
      hint(`the one with pid ${other.pid} is passito ${other.version}, and this is ${version}`, restart),
    ];
  }
  return [well(`it runs (${found.supervisors.map(({ pid }) => `pid ${pid}`).join(', ')})`)];
}
