/** What is wrong on a server, and the command that mends it: pure over the facts. */

import { dirname } from 'node:path';
import { LEAST_FREE } from '../../engine/health.ts';
import { counted, formatSize } from '../../engine/units.ts';
import { EXIT, sentence } from '../../errors.ts';
import { quoted } from '../../escape.ts';
import { backup } from './backup-checks.ts';
import { clock, database, supervisor } from './database-checks.ts';
import type { Facts, OwnedPath } from './facts.ts';
import { asRoot, edit, type Finding, fault, hint, set, well, writeLine } from './finding.ts';

/** Less free space than this is worth a thought; less than the limit of health is a fault. In bytes. */
const LITTLE = 1024 ** 3;

/** SQLite below this can damage a write-ahead log that several programs use. */
const SAFE_SQLITE = [3, 51, 3];

/** The checks, in the order of their numbers. The configuration, which comes first, is sound where there are facts. */
export const CHECKS: readonly [string, (facts: Facts) => Finding[]][] = [
  ['env file', envFile],
  ['permissions', permissions],
  ['folders', folders],
  ['database', database],
  ['disk', disk],
  ['clock', clock],
  ['zone', zone],
  ['mail', mail],
  ['parents', parents],
  ['jobs', jobs],
  ['supervisor', supervisor],
  ['unit', unit],
  ['sqlite3', sqlite3],
  ['backup', backup],
  ['version', ({ version }) => [well(`passito ${version}, Node ${process.version}`)]],
];

/** Where no setting can be read: what is told of each stands in the message. */
export function unsound(message: string, said: string | undefined): Finding {
  const file = / in (\S+) cannot be |(\S+) (?:has the unknown key|cannot be read)/.exec(message);
  const name = /^(?: {2}- )?([A-Z][A-Z_]+) cannot be /m.exec(message)?.[1];
  const change = file === null ? undefined : edit(file[1] ?? file[2] ?? '');
  const command = said ?? change ?? (name === undefined ? 'passito doctor --help' : `unset ${name}`);
  return { ...fault(message, command), exit: EXIT.usage };
}

function envFile({ envFile: { path, mode } }: Facts): Finding[] {
  if (mode === null) return [well('there is none')];
  if ((mode & 0o007) === 0) return [well(`${path} is not for everybody's eyes`)];
  const modes = [{ path, mode: mode & 0o770 }];
  return [
    fault(
      `${path} is for passwords, and every user can read it`,
      `${asRoot(path)}chmod o-rwx ${quoted(path)}`,
      {
        kind: 'modes',
        modes,
      },
    ),
  ];
}

function permissions({ state, owned, settings: { db } }: Facts): Finding[] {
  if (state.mode === null) return [];
  const all = [...(state.mixed ? [] : [state]), ...owned];
  const found = ([0o077, 0o007] as const).flatMap((mask) => {
    const open = all.filter((one) => forbidden(one, state) === mask && (one.mode & mask) !== 0);
    if (open.length === 0) return [];
    const command = `chmod ${mask === 0o077 ? 'go' : 'o'}-rwx ${open.map(({ path }) => quoted(path)).join(' ')}`;
    const modes = open.map(({ path, mode }) => ({ path, mode: mode & ~mask }));
    const told = open.map(({ path }) => path).join(', ');
    return [fault(`${told} can be used by others than the owner`, command, { kind: 'modes', modes })];
  });
  // Somebody's home, or /tmp: to shut that is not ours to decide. But who may rename the database may replace it.
  const others = isShared(state) ? 0o002 : 0o022;
  if (state.mixed && (state.mode & others) !== 0 && (state.mode & 0o1000) === 0) {
    const who = isShared(state) ? 'o' : 'go';
    found.push(fault(`${state.path} can be changed by others`, `chmod ${who}-w ${quoted(state.path)}`));
  }
  const unwritable = [state, ...owned.filter(({ path, folder }) => folder || path.startsWith(db))].flatMap(
    (one) => {
      const mode = one.mode | (one.folder ? 0o700 : 0o600);
      return mode === one.mode ? [] : [{ path: one.path, mode }];
    },
  );
  if (unwritable.length > 0) {
    const paths = unwritable.map(({ path }) => path);
    found.push(
      fault(
        `${paths.join(', ')} cannot be written by ${paths.length === 1 ? 'its' : 'their'} owner`,
        `chmod u+rwX ${paths.map(quoted).join(' ')}`,
        { kind: 'modes', modes: unwritable },
      ),
    );
  }
  const shut = isShared(state) ? owned.filter((one) => one.path === db && (one.mode & 0o060) !== 0o060) : [];
  for (const { path, mode } of shut) {
    const modes = [{ path, mode: mode | 0o060 }];
    found.push(
      fault(
        `${path} is in a folder that a group shares, and the group cannot write it`,
        `chmod g+rw ${quoted(path)}`,
        { kind: 'modes', modes },
      ),
    );
  }
  const foreign = owned.filter(({ uid }) => uid !== state.uid);
  if (foreign.length > 0) {
    found.push(
      fault(
        `${foreign.map(({ path }) => path).join(', ')} ${foreign.length === 1 ? 'belongs' : 'belong'} to another user than the folder`,
        `chown -R --reference=${quoted(state.path)} ${foreign.map(({ path }) => quoted(path)).join(' ')}`,
      ),
    );
  }
  const whose = isShared(state) ? "their owner's and their group's" : "their owner's alone";
  return found.length > 0 ? found : [well(`${state.path} and what is in it are ${whose}`)];
}

/** A group may share folder and database where the admin has set that up (mode 2770), the keys never. */
function forbidden({ path }: OwnedPath, state: OwnedPath): 0o077 | 0o007 {
  return isShared(state) && !path.startsWith(`${state.path}/keys`) ? 0o007 : 0o077;
}

function isShared({ mode }: OwnedPath): boolean {
  return (mode & 0o2020) === 0o2020;
}

function folders({ state, missing, database: found }: Facts): Finding[] {
  const all = missing.map(({ setting, path, folder }) =>
    folder
      ? fault(`${setting} names ${path}, which is not there`, `mkdir -p ${quoted(path)}`, {
          kind: 'folder',
          path,
          mode: 0o755,
        })
      : fault(`${setting} names ${path}, which is not there`, `ls -l ${quoted(dirname(path))}`),
  );
  // One that cannot be seen may well be there.
  const unseen =
    found.state === 'failed' && (found.code === 'DATABASE_DENIED' || /service's user/.test(found.hint ?? ''));
  if (state.mode === null && !unseen) {
    all.push(
      fault(`${state.path} is not there`, `mkdir -p -m 700 ${quoted(state.path)}`, {
        kind: 'folder',
        path: state.path,
        mode: 0o700,
      }),
    );
  }
  return all.length > 0 ? all : [well('all are there')];
}

function disk({ free, state }: Facts): Finding[] {
  if (free === null) return [];
  const told = `${formatSize(free)} are free at ${state.path}`;
  // Not to delete jobs: on a full disk there is no room to write that down.
  const command = `du -xh ${quoted(state.path)} | sort -h | tail`;
  if (free < LEAST_FREE) return [fault(told, command)];
  return [free < LITTLE ? hint(told, command) : well(told)];
}

function zone({ settings, origins, envFile: { path } }: Facts): Finding[] {
  const { timeZone } = settings;
  if (origins.timeZone !== 'default') return [well(timeZone)];
  return [
    hint(`TIME_ZONE is not set, so the machine's counts (${timeZone})`, set('TIME_ZONE', timeZone, path)),
  ];
}

function mail({ settings, smtp, outbox, database: known, envFile: { path } }: Facts): Finding[] {
  const { smtpHost, smtpPort, adminEmail } = settings;
  const server = `${smtpHost}:${smtpPort}`;
  const found: Finding[] = [];
  if (smtp === 'none') {
    const lies = outbox === 0 ? 'into the outbox' : `into the outbox, which holds ${outbox}`;
    found.push(
      hint(
        `SMTP_HOST is not set (such as SMTP_HOST=smtp.example.edu): mails are written ${lies}`,
        writeLine(path),
      ),
    );
  } else if (smtp === 'skipped') found.push(well(`${server} was not asked (--offline)`));
  else if (smtp === 'well') found.push(well(`${server} takes the login`));
  else {
    const more = smtp.hint === undefined ? '' : ` ${smtp.hint}`;
    found.push(
      fault(
        sentence(smtp.message) + more,
        // It takes one address; several may be told.
        `passito mail-test ${quoted(adminEmail.split(', ')[0] || 'you@example.edu')}`,
      ),
    );
  }
  if (known.state === 'open' && known.unsent !== null) {
    const { message, tries } = known.unsent;
    const told = `An alert could not be mailed (${counted(tries, 'try', 'tries')}): ${sentence(message)}`;
    found.push(fault(told, 'passito health --send-email'));
  }
  if (adminEmail === '') {
    found.push(
      hint(
        'ADMIN_EMAIL is not set (such as ADMIN_EMAIL=admin@example.edu): nobody is written to',
        writeLine(path),
      ),
    );
  }
  return found;
}

function parents({ settings, envFile: { path } }: Facts): Finding[] {
  const { public: address, appUrl, parentApproves } = settings;
  const nowhere = 'parents cannot be asked';
  if (address === null && appUrl === '') {
    return parentApproves
      ? [
          fault(
            `PASSITO_PARENT_APPROVES is set, but ${nowhere} without PASSITO_PUBLIC and APP_URL`,
            set('PASSITO_PUBLIC', '8080', path),
          ),
        ]
      : [well('not asked')];
  }
  if (appUrl === '') {
    return [
      fault(
        `PASSITO_PUBLIC is set, but ${nowhere} without APP_URL (such as APP_URL=https://gate.example.edu)`,
        writeLine(path),
      ),
    ];
  }
  if (address === null) {
    return [
      hint(`APP_URL is set, but ${nowhere} without PASSITO_PUBLIC`, set('PASSITO_PUBLIC', '8080', path)),
    ];
  }
  if (appUrl.startsWith('http:') && !/^http:\/\/(?:localhost|127\.)/.test(appUrl)) {
    return [
      hint(
        `Links to parents go over the network in clear (${appUrl})`,
        set('APP_URL', appUrl.replace('http:', 'https:'), path),
      ),
    ];
  }
  return [well(`${appUrl}/parent/… is served on ${address.host}:${address.port}`)];
}

function jobs({ jobs: found, settings, configFile }: Facts): Finding[] {
  if ('problem' in found) {
    // The config file defines jobs as well.
    const look = found.problem.includes('the config file (jobs.')
      ? edit(configFile)
      : `ls -l ${quoted(settings.jobsFolder)}`;
    return [fault(found.problem, /^Type: (.+)$/.exec(found.hint ?? '')?.[1] ?? look)];
  }
  const strays = found.strays.map(({ type, nearest }) => {
    const ask = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    return hint(`jobs.${type} in the config file: there is no such type${ask}`, edit(configFile));
  });
  return strays.length > 0 ? strays : [well(`${found.types} types are known`)];
}

function unit({ unit: found }: Facts): Finding[] {
  const start = 'sudo systemctl enable --now passito-supervisor';
  if (found === null) return [well('there is no systemd')];
  if (found.enabled === 'enabled') {
    return found.active === 'active'
      ? [well('passito-supervisor starts with the machine')]
      : [fault(`passito-supervisor is ${found.active}`, start)];
  }
  if (found.enabled === 'not-found' || found.enabled === '') {
    return [
      hint(
        'the supervisor does not start with the machine: its unit is not installed',
        'sudo passito install-service',
      ),
    ];
  }
  return [fault(`passito-supervisor is ${found.enabled}: it does not start with the machine`, start)];
}

function sqlite3({ sqlite3: found, settings }: Facts): Finding[] {
  if (found === null) return [well('the system has none')];
  const parts = found.split('.').map(Number);
  const differs = SAFE_SQLITE.findIndex((part, i) => (parts[i] ?? 0) !== part);
  if (differs === -1 || (parts[differs] ?? 0) > (SAFE_SQLITE[differs] ?? 0)) return [well(found)];
  return [
    hint(
      `the system's sqlite3 ${found} is older than ${SAFE_SQLITE.join('.')} and could damage the database: only read with it`,
      `sqlite3 -readonly ${quoted(settings.db)}`,
    ),
  ];
}
