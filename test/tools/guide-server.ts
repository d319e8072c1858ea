/**
 * A server as docs/guide.md knows it, in a temporary folder: the real executable with settings, jobs, database and log
 * in their places below that folder, a mail server, and stand-ins for the few programs that need root or systemd.
 * `systemctl` starts and stops a real supervisor; `sudo` leaves out the change of user.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { seal } from '../../src/care/seal.ts';
import { executable } from './executable.ts';
import type { Block } from './pages.ts';
import { startSmtp } from './smtp.ts';

const root = join(import.meta.dirname, '..', '..');
const deployment = join(root, 'deployment');

/** The units that the guide may name. */
export const units: readonly string[] = readdirSync(deployment).filter((name) =>
  /\.(service|timer)$/.test(name),
);

/** Folders of the real server, and where they lie here. */
const PLACES = ['/etc/passito', '/var/lib/passito', '/run/passito'];

/** Programs that not every machine has; without them a line does nothing. */
const OPTIONAL = ['sqlite3', 'curl', 'lslocks', 'free'];

/** Where one block's output begins. */
const BORDER = '@@ next block';

const JOBS: Record<string, string> = {
  Hello: `async handle(payload, { log }) { log.info(\`Hello, \${payload.name}\`); return { greeted: payload.name }; }`,
  NoFile: `maxAttempts: 1, handle() { throw new Error("ENOENT: no such file or directory, open '/srv/none.csv'"); }`,
  Flood: `queue: 'bulk', async handle() { await new Promise((done) => setTimeout(done, 2000)); }`,
};

/** What happens before the first block below a heading: the emergency itself. In the shell, on the server. */
const BEFORE: Readonly<Record<string, string>> = {
  Production: 'cd "$HERE"',
  'Jobs are not processed': 'passito dispatch Hello --delay 1h',
  'Jobs fail again and again': 'passito dispatch NoFile; passito dispatch NoFile; passito worker --drain',
  'All workers are dead': 'kill -9 $(cat "$HERE/pid"); sleep 0.2',
  'The queue is overloaded': 'for i in 1 2 3 4 5 6; do passito dispatch Flood; done',
  'The database is locked': 'lock-database',
  'The disk is full': 'mkdir -p "$HERE/var/lib/passito/backups"',
  'Restore from a backup':
    'mkdir -p "$HERE/var/lib/passito/backups"; passito backup "$HERE/var/lib/passito/backups/passito-20261124-210000.tar"',
};

/** What the reader does after the first block, as the text says. */
const AFTER: Readonly<Record<string, string>> = {
  'The database is locked': 'kill $(cat "$HERE/holder")',
};

const PROGRAMS: Record<string, string> = {
  sudo: `[ "$1" = -u ] && { [ "$2" = passito ] || exit 64; shift 2; }
exec "$@"`,
  passito: `case "$1" in
  install-service|uninstall-service)
    case "$*" in *--dry-run) exec ${executable} "$@" ;; esac
    ${executable} "$@" --dry-run && systemctl start passito-supervisor ;;
  upgrade)
    # Where this machine runs the service, that would be upgraded.
    if [ -e /etc/systemd/system/passito-supervisor.service ]; then exit 0; fi
    . "$HERE/etc/passito/passito.env"
    PASSITO_DB="$PASSITO_DB" exec "$HERE/installed/passito" "$@" ;;
  supervisor)
    ${executable} "$@" --env-file "$HERE/etc/passito/passito.env" & child=$!
    sleep 1
    kill "$child" && wait "$child" ;;
  *) exec ${executable} "$@" --env-file "$HERE/etc/passito/passito.env" ;;
esac`,
  systemctl: `verb= names=
for word in "$@"; do
  case "$word" in
    --property=MainPID|--value) ;;
    -*) echo "systemctl: $word is not known here" >&2; exit 64 ;;
    *) if [ -z "$verb" ]; then verb=$word; else names="$names $word"; fi ;;
  esac
done
for name in $names; do
  case " ${units.join(' ')} " in
    *" $name "*|*" $name.service "*) ;;
    *) echo "systemctl: there is no unit $name" >&2; exit 64 ;;
  esac
done
running() { [ -f "$HERE/pid" ] && [ -d "/proc/$(cat "$HERE/pid")" ] && ! grep -q ') Z ' "/proc/$(cat "$HERE/pid")/stat"; }
stop() { running || return 0; kill "$(cat "$HERE/pid")"; while running; do sleep 0.05; done; }
start() {
  running && return 0
  cd "$HERE/etc/passito" || exit
  : > "$HERE/fresh"
  RUNTIME_DIRECTORY="$HERE/run/passito" nohup ${executable} supervisor --env-file "$HERE/etc/passito/passito.env" > /dev/null 2> "$HERE/fresh" &
  echo $! > "$HERE/pid"
  until grep -q 'supervisor ready' "$HERE/fresh"; do
    running || { cat "$HERE/fresh" >&2; exit 1; }
    sleep 0.05
  done
}
case "$verb" in
  start) start ;;
  stop) stop ;;
  restart) stop; start ;;
  reload)
    reloads() { grep -c -e 'reloaded; what' -e 'the reload was refused' "$HERE/fresh"; }
    before=$(reloads) || :
    kill -HUP "$(cat "$HERE/pid")"
    until [ "$(reloads)" != "$before" ]; do running || exit 1; sleep 0.05; done
    ! grep 'the reload was refused' "$HERE/fresh" ;;
  show) cat "$HERE/pid" ;;
  status|enable|disable|list-timers|cat) ;;
  *) echo "systemctl: the verb $verb is not known here" >&2; exit 64 ;;
esac`,
  journalctl: `while [ $# -gt 0 ]; do
  case "$1" in
    -u) systemctl status "$2" || exit; shift ;;
    -n|-p|--since) shift ;;
    -f|-k|--disk-usage|--vacuum-size=200M) ;;
    *) echo "journalctl: $1 is not known here" >&2; exit 64 ;;
  esac
  shift
done
cat "$HERE/fresh"`,
  'lock-database': `NODE_PATH=${root}/node_modules nohup ${process.execPath} -e "
const db = new (require('better-sqlite3'))('$HERE/var/lib/passito/passito.db', { timeout: 5000 });
db.exec('BEGIN IMMEDIATE');
require('fs').writeFileSync('$HERE/holder', String(process.pid));
setTimeout(() => db.exec('ROLLBACK'), 20000);" > /dev/null 2>&1 &
until [ -s "$HERE/holder" ]; do sleep 0.05; done`,
};

/** A block with the `###` heading that it stands under. */
export type Placed = Block & { heading: string };

/** Runs a section's blocks one after another in one shell; gives what each printed. Throws where one fails. */
export async function typeOnServer(t: TestContext, blocks: readonly Placed[]): Promise<string[]> {
  const here = mkdtempSync(join(tmpdir(), 'passito-guide-'));
  t.after(() => {
    const pid = existsSync(join(here, 'pid')) ? Number(readFileSync(join(here, 'pid'), 'utf8')) : 0;
    try {
      if (pid > 0) process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
    rmSync(here, { recursive: true, force: true });
  });
  const { port } = await startSmtp(t, { disabledCommands: ['STARTTLS'] });
  furnish(here, port);
  const child = spawn('/bin/sh', ['-e'], {
    cwd: here,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: here, HERE: here, TIME_ZONE: 'Asia/Kolkata' },
    // In a group of its own, so that what hangs ends with it.
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const tooLong = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), 60_000);
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stdin.end(scriptOf(here, blocks));
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(tooLong);
  if (code !== 0) throw new Error(`the shell ended with ${String(code)}:\n…${out.slice(-2000)}`);
  const printed = out.replaceAll(here, '').split(`${BORDER}\n`);
  return printed.slice(1);
}

/** The settings, the jobs, and the programs. */
function furnish(here: string, port: number): void {
  const write = (name: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(here, name)), { recursive: true });
    writeFileSync(join(here, name), text, { mode });
  };
  for (const place of PLACES) mkdirSync(join(here, place), { recursive: true, mode: 0o700 });
  const settings = {
    PASSITO_DB: join(here, 'var/lib/passito/passito.db'),
    PASSITO_JOBS: join(here, 'etc/passito/jobs'),
    PASSITO_DRAIN_TIMEOUT: '0s',
    ADMIN_EMAIL: 'admin@example.edu',
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(port),
    MAILER_FROM: 'gate@example.edu',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  write('etc/passito/passito.env', lines.join(''), 0o640);
  for (const [type, body] of Object.entries(JOBS)) {
    const source = `import { defineJob } from 'passito';\nexport default defineJob({ ${body} });\n`;
    write(`etc/passito/jobs/${type}.ts`, source);
  }
  for (const [name, text] of Object.entries(PROGRAMS)) {
    write(`server/${name}`, `#!/bin/sh\n${text}\n`, 0o755);
  }
  for (const name of OPTIONAL) {
    const there = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name)));
    if (there) continue;
    process.stderr.write(
      `\n*** NOT TESTED: docs/guide.md uses ${name}, which this machine does not have\n\n`,
    );
    write(`server/${name}`, '#!/bin/sh\n', 0o755);
  }
  mkdirSync(join(here, 'desk'));
  symlinkSync(executable, join(here, 'desk', 'passito'));
  symlinkSync(process.execPath, join(here, 'desk', 'node'));
  // What 'npm install' of the package would make.
  mkdirSync(join(here, 'node_modules'));
  symlinkSync(root, join(here, 'node_modules', 'passito'));
  symlinkSync(join(here, 'server', 'passito'), join(here, 'passito'));
  // The installed one has a name of its own, since an upgrade writes beside it.
  mkdirSync(join(here, 'installed'));
  copyFileSync(executable, join(here, 'installed', 'passito'), constants.COPYFILE_FICLONE);
  // Another file than that, so that it may take its place; sealed as the build does.
  const program = `#!/bin/sh\nexec ${executable} "$@"\n`;
  write('passito-new', program + seal(createHash('sha256').update(program).digest('hex')), 0o755);
}

function scriptOf(here: string, blocks: readonly Placed[]): string {
  const inPlace = (text: string) =>
    PLACES.reduce(
      (done, place) => done.replaceAll(new RegExp(`(?<![\\w/])${place}`, 'g'), `${here}${place}`),
      text,
    );
  const seen = new Set<string>();
  const parts = blocks.map(({ language, mark, text, heading }, i) => {
    if (mark.startsWith('file=')) {
      writeFileSync(join(here, `block-${i}`), text);
      return `cp '${here}/block-${i}' '${inPlace(mark.slice('file='.length))}'\n`;
    }
    const first = !seen.has(heading);
    seen.add(heading);
    const server = 'export PATH="$HERE/server:$PLAIN"\n';
    const before = first && heading in BEFORE ? `${server}{ ${BEFORE[heading]}\n} > /dev/null 2>&1\n` : '';
    const after = first && heading in AFTER ? `${AFTER[heading]}\n` : '';
    const path = mark === 'test' ? 'export PATH="$HERE/desk:$PLAIN"\n' : server;
    const lines = language === 'cron' ? cronCommands(text) : text;
    return `${before}${path}echo '${BORDER}'\n${inPlace(lines)}${after}`;
  });
  const served = blocks.some(({ mark }) => mark !== 'test' && !mark.startsWith('file='));
  const start = served ? '"$HERE/server/systemctl" start passito-supervisor\n' : '';
  return `exec 2>&1\nPLAIN="$PATH"\nexport PATH="$HERE/server:$PLAIN"\n${start}${parts.join('')}`;
}

/** The commands of a table of cron, without its times. */
export function cronCommands(text: string): string {
  const lines = text.split('\n').flatMap((line) => /^(?:\S+ +){5}passito +(.+)$/.exec(line)?.[1] ?? []);
  return `${lines.join('\n')}\n`;
}
