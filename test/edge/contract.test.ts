/** docs/contract.md against the program: every table of the page is read and compared with what it describes. */

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import Database from 'better-sqlite3';
import { CHECKS } from '../../src/care/doctor/checks.ts';
import { KEYS, PROFILES } from '../../src/config/keys.ts';
import { commands } from '../../src/edge/cli/commands.ts';
import { HTTP_ERRORS } from '../../src/edge/http/api.ts';
import type { Log } from '../../src/edge/log.ts';
import { narrate } from '../../src/edge/narrate.ts';
import { Events } from '../../src/engine/events.ts';
import { LINE_KEYS } from '../../src/engine/job-lines.ts';
import { completeType, DEFAULTS, DEFINITION_KEYS } from '../../src/engine/types.ts';
import { parseDuration, parseSize } from '../../src/engine/units.ts';
import { EXIT, errors, type PassitoError } from '../../src/errors.ts';
import { officeErrors } from '../../src/outpass/errors.ts';
import {
  hostelColumns,
  movementColumns,
  outpassColumns,
  reportColumns,
  studentColumns,
  userColumns,
} from '../../src/outpass/import/columns.ts';
import { officeJobs } from '../../src/outpass/jobs.ts';
import { get, post } from '../tools/http.ts';
import { readQrPng } from '../tools/qr.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'contract.md'), 'utf8');

/** The rows of a table: each a list of cells, the code marks taken off those that are code whole. */
function tables(text: string): string[][][] {
  return [...text.matchAll(/^\|.*\|\n\| ?-.*\n((?:\|.*\|\n?)*)/gm)].map(([, rows = '']) =>
    rows
      .trim()
      .split('\n')
      .map((row) =>
        row
          .slice(1, -1)
          .split('|')
          .map((cell) => plain(cell.trim())),
      ),
  );
}

const plain = (cell: string) => /^`([^`]*)`$/.exec(cell)?.[1] ?? cell;

/** The code words of a cell: `a`, `b`. */
const words = (cell: string | undefined) =>
  [...(cell ?? '').matchAll(/`([^`]+)`|^([a-z_]+)$/g)].map(([, a, b]) => a ?? b ?? '');

/** What stands below a heading, up to the next of its rank or above. */
function below(heading: string): string {
  const rank = /^#+/.exec(heading)?.[0] ?? '';
  const start = page.indexOf(`${heading}\n`);
  assert.notEqual(start, -1, `docs/contract.md has no '${heading}'`);
  const rest = page.slice(start + heading.length);
  const end = rest.search(new RegExp(`^#{1,${rank.length}} `, 'm'));
  return end === -1 ? rest : rest.slice(0, end);
}

function table(heading: string, place = 0): string[][] {
  const found = tables(below(heading))[place];
  assert.ok(found, `no table below '${heading}'`);
  return found;
}

/** What the QR code of the approved pass holds. */
const token = () => readQrPng(readFileSync(join(folder, 'storage', 'files', 'qr', 'outpass-1.png'))) ?? '';

const first = (rows: readonly string[][]): string[] => rows.map(([cell = '']) => cell);

// A folder in which everything has happened: every command has something to print.

let folder: string;
let db: Database.Database;

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function run(args: readonly string[], input = ''): Promise<Ended> {
  const parents = { APP_URL: 'https://gate.example.edu', PASSITO_PUBLIC: '127.0.0.1:0' };
  const env = { PATH: process.env['PATH'] ?? '', TIME_ZONE: 'UTC', NO_COLOR: '1', ...parents };
  const child = spawn(join(root, 'bin', 'passito'), args, { cwd: folder, env, timeout: 60_000 });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (out[name] += text));
  }
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, ...out }));
  });
}

async function json(args: readonly string[], input = '', code = 0): Promise<unknown> {
  const ended = await run([...args, '--json'], input);
  assert.equal(ended.code, code, `passito ${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
  return JSON.parse(ended.stdout);
}

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

/** The paths of a value's keys, `a.b` and `a[].b`; keys that the page takes whole are not looked into. */
function keysOf(value: unknown, whole: (path: string) => boolean, path = ''): string[] {
  if (path !== '' && whole(path)) return [path];
  if (Array.isArray(value)) return value.flatMap((one) => keysOf(one, whole, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, one]) =>
    keysOf(one, whole, path === '' ? key : `${path}.${key}`),
  );
}

function sameKeys(value: unknown, documented: readonly string[]): void {
  const known = new Set(documented);
  assert.deepEqual(new Set(keysOf(value, (path) => known.has(path))), known);
}

/** A whole payload for each of the jobs that no pass is needed for. */
const otherPayloads = {
  SendAccountCreationEmail: {
    to: 'asha@example.edu',
    name: 'Asha',
    login_url: 'https://gate.example.edu/',
    default_password: 'tR7wq',
  },
  SendAccountDeletionEmail: { to: 'asha@example.edu', name: 'Asha', support_email: 'office@example.edu' },
  SendPasswordResetEmail: {
    to: 'asha@example.edu',
    name: 'Asha',
    reset_link: 'https://gate.example.edu/reset',
    expires_minutes: 60,
  },
  SendParentApproval: { outpass_id: 2, channel: 'mail' },
  CleanupExpiredFiles: {},
  SendScheduledReport: { setting_id: 1, scheduled_for: '2026-11-24 12:30:00.000' },
};

/** What the schema library says of a key. */
interface Field {
  _zod: { optin?: string };
}

const columns = () => first(table('### `jobs`'));

suite('docs/contract.md', () => {
  let worker: Ended;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'passito-contract-'));
    write(
      'students.csv',
      'name,email,roll_number,hostel,room,parent_email\nAsha,asha@example.edu,21CS001,Ganga,B-204,parent@example.in\n',
    );
    write(
      'outpasses.csv',
      'reference,roll_number,kind,purpose,destination,leaves_at,returns_at\nHP-1,21CS001,Home pass,Wedding,Madurai,2099-01-01 08:00,2099-01-02 08:00\n' +
        'HP-2,21CS001,Day pass,Bank,Chennai,2099-02-01 08:00,2099-02-02 08:00\n',
    );
    write('jobs/Good.js', `export default { handle(payload) { return { got: payload }; } };`);
    write('jobs/Bad.js', `export default { handle() { throw new Error('no'); } };`);
    await json(['import', 'students', 'students.csv']);
    await json(['import', 'outpasses', 'outpasses.csv']);
    await json(['outpass', 'approve', 'HP-1']);
    await json(['dispatch', 'Bad', '--max-attempts', '1']);
    await json(['dispatch', 'Good', '--depends-on', '4']);
    for (const [type, payload] of Object.entries(otherPayloads)) {
      await json(['dispatch', type, '--payload', JSON.stringify(payload)]);
    }
    worker = await run(['worker', '--drain', '--log-format', 'json', '--log-level', 'debug']);
    assert.equal(worker.code, 0, worker.stderr);
    db = new Database(join(folder, 'storage', 'passito.db'));
  });

  after(() => {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('the tables have these columns', () => {
    const all = db
      .prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
      .pluck()
      .all();
    const documented = [...below('## Tables').matchAll(/^### `(\w+)`$/gm)].map(([, name]) => name as string);
    assert.deepEqual(documented.toSorted(), all.toSorted());
    for (const name of documented) {
      const actual = db
        .prepare<[], { name: string; type: string; notnull: number; pk: number; dflt_value: string | null }>(
          `PRAGMA table_info(${name})`,
        )
        .all()
        .map((column) => [
          column.name,
          column.notnull === 1 || column.pk > 0 ? column.type : `${column.type} or null`,
          (column.dflt_value ?? '').replace(/^strftime.*/, 'now').replace(/^'(.*)'$/, '$1'),
        ]);
      assert.deepEqual(
        table(`### \`${name}\``).map((row) => row.slice(0, 3)),
        actual,
        name,
      );
    }
  });

  test('the import files have these columns', () => {
    for (const [heading, known] of [
      ['### Hostels file', hostelColumns],
      ['### Users file', userColumns],
      ['### Students file', studentColumns],
      ['### Outpasses file', outpassColumns],
      ['### Movements file', movementColumns],
      ['### Reports file', reportColumns],
    ] as const) {
      const documented = tables(below(heading))[0]?.map((row) => row.slice(0, 3));
      const actual = Object.entries(known).map(([name, { required, max }]) => [
        name,
        required ? 'yes' : 'no',
        String(max),
      ]);
      assert.deepEqual(documented, actual);
    }
  });

  test('a line of NDJSON has these keys', () => {
    assert.deepEqual(first(table('## NDJSON lines')), LINE_KEYS);
  });

  test('the built-in jobs have these names, payloads, results and options', () => {
    const documented = table('## Built-in jobs');
    assert.deepEqual(
      first(documented),
      officeJobs.map(({ type }) => type),
    );
    const payloads = table('## Built-in jobs', 1);
    for (const [type, timeout, attempts, result] of documented) {
      const definition = officeJobs.find((one) => one.type === type);
      const complete = completeType({ ...definition, type: type as string, source: '' });
      assert.equal(parseDuration(timeout), complete.timeout);
      assert.equal(Number(attempts), complete.maxAttempts);
      assert.ok(definition?.schema);
      const { shape } = definition.schema as unknown as { shape: Record<string, Field> };
      assert.deepEqual(
        payloads.filter(([of]) => of === type).map(([, key, needed]) => [key, needed]),
        Object.entries(shape).map(([key, { _zod: field }]) => [
          key,
          field.optin === 'optional' ? 'no' : 'yes',
        ]),
      );
      const row = db
        .prepare<[string], { payload: string; result: string }>(
          `SELECT payload, result FROM jobs WHERE type = ? AND status = 'completed'`,
        )
        .get(type as string);
      const given: object = otherPayloads[type as keyof typeof otherPayloads] ?? { outpass_id: 1 };
      const secret = new Set(complete.redact);
      assert.deepEqual(
        JSON.parse(row?.payload ?? ''),
        Object.fromEntries(Object.entries(given).filter(([key]) => !secret.has(key))),
      );
      assert.deepEqual(Object.keys(JSON.parse(row?.result ?? '') as object), words(result));
    }
  });

  test('a job has these options and defaults', () => {
    const documented = new Map(table('## Job options').map(([name = '', value = '']) => [name, value]));
    assert.deepEqual([...documented.keys(), 'handle'].toSorted(), [...DEFINITION_KEYS].toSorted());
    const text = (name: string) => (documented.get(name) ?? '').replaceAll("'", '');
    assert.equal(Number(text('maxAttempts')), DEFAULTS.maxAttempts);
    assert.equal(parseDuration(text('timeout')), DEFAULTS.timeout);
    assert.equal(parseSize(text('memoryLimit')), DEFAULTS.memoryLimit);
    assert.equal(Number(text('priority')), DEFAULTS.priority);
    assert.equal(text('queue'), DEFAULTS.queue);
    assert.equal(DEFAULTS.concurrency, Number.POSITIVE_INFINITY);
    assert.equal(text('concurrency'), 'no limit');
    const [, base, factor, max] = /base: (\w+), factor: (\d+), max: (\w+)/.exec(text('backoff')) ?? [];
    assert.deepEqual(
      { base: parseDuration(base), factor: Number(factor), max: parseDuration(max) },
      DEFAULTS.backoff,
    );
  });

  test('the configuration has these keys, variables and defaults', () => {
    const actual = Object.entries(KEYS);
    const documented = table('## Configuration');
    assert.deepEqual(
      documented.map(([name, env]) => [name, env]),
      actual.map(([name, { env }]) => [name, env]),
    );
    actual.forEach(([name, key], i) => {
      const [, , shown = '', allowed = ''] = documented[i] as string[];
      assert.ok(allowed.startsWith(key.allowed), `${name}: '${allowed}' is not '${key.allowed}'`);
      const fallback: unknown = key.fallback();
      if (name === 'timeZone') assert.equal(shown, "the machine's");
      else if (shown === 'none') assert.equal(fallback, '', name);
      else if (['all', 'off', 'that of `LATE_GRACE`'].includes(shown)) assert.equal(fallback, null, name);
      else if (name === 'db' && process.env['STATE_DIRECTORY'] !== undefined) return;
      else assert.deepEqual(key.read(shown), fallback, name);
    });
    const profiles = tables(below('## Configuration'))[1] ?? [];
    assert.deepEqual(
      profiles.map(([name, , minWorkers, maxWorkers, scaleUpThreshold]) => [
        name,
        { minWorkers, maxWorkers, scaleUpThreshold },
      ]),
      Object.entries(PROFILES),
    );
  });

  test('every command with --json is on the page', () => {
    const section = below('## JSON output');
    const missing = commands
      .filter(({ options = [] }) => options.some(({ name }) => name === 'json'))
      .filter(({ name }) => !section.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
  });

  test('dispatch prints this', async () => {
    const later = ['--delay', '1d'];
    sameKeys(await json(['dispatch', 'Good', ...later]), first(table('### `dispatch`')));
    sameKeys(
      await json(['dispatch', 'Good', ...later, '--wait', '10ms'], '', EXIT.no),
      first(table('### `dispatch --wait`')),
    );
    const lines = '{"type":"Good","ref":"a","delay":"1d"}\n{"type":"Good","depends_on":["a"]}\n';
    sameKeys(await json(['dispatch', '--ndjson', '-'], lines), first(table('### `dispatch --ndjson`')));
  });

  test('jobs prints this', async () => {
    const list = (await json(['jobs', 'list'])) as object[];
    assert.ok(list.length > 4);
    for (const job of list) assert.deepEqual(Object.keys(job).toSorted(), columns().toSorted());
    const more = first(table('### `jobs show`'));
    const [failed, child] = [await json(['jobs', 'show', '4']), await json(['jobs', 'show', '5'])] as Record<
      string,
      unknown
    >[];
    sameKeys({ ...failed, depends_on: child?.['depends_on'] }, [...columns(), ...more]);
    assert.equal(typeof failed?.['attempts'], 'number');
    const changes = first(table('### `jobs retry`'));
    sameKeys(await json(['jobs', 'retry', '4', '1'], '', EXIT.no), changes);
    sameKeys(await json(['jobs', 'cancel', '4', '1'], '', EXIT.no), changes);
    // Its child still waits for it.
    sameKeys(await json(['jobs', 'delete', '4', '5'], '', EXIT.no), changes);
    sameKeys(await json(['jobs', 'prune']), first(table('### `jobs prune`')));
  });

  test('explain, try, import and outpass print this', async () => {
    sameKeys(await json(['explain', '1']), first(table('### `explain`')));
    for (const name of ['list', 'next cleanup-expired-files', 'show cleanup-expired-files']) {
      const documented = first(table(`### \`schedule ${name.split(' ')[0]}\``));
      const [line] = (await json(['schedule', ...name.split(' ')])) as object[];
      if (line !== undefined) sameKeys(line, documented);
    }
    sameKeys(await json(['schedule', 'run', 'cleanup-expired-files']), first(table('### `dispatch`')));
    sameKeys(await json(['scale']), first(table('### `scale`')));
    const [line] = (await json(['audit'])) as object[];
    assert.deepEqual(
      Object.keys(line ?? {}),
      first(tables(below('## Tables')).find((rows) => rows[0]?.[0] === 'id' && rows[2]?.[0] === 'who') ?? []),
    );
    for (const verb of ['pause', 'resume']) {
      sameKeys(await json([verb, '--queue', 'none']), first(table('### `pause`')));
    }
    sameKeys(await json(['try', 'Good']), first(table('### `try`')));
    const counts = first(table('### `import students`'));
    sameKeys(await json(['import', 'students', 'students.csv']), counts);
    sameKeys(await json(['import', 'outpasses', 'outpasses.csv']), counts);
    const pass = first(table('### `outpass show`'));
    const asked = first(table('### `outpass show`', 1));
    sameKeys(await json(['outpass', 'show', 'HP-2']), [...pass, ...asked]);
    const [one] = (await json(['outpass', 'list'])) as object[];
    sameKeys(one, pass);
    db.exec(
      `INSERT INTO users (name, email, role, gender) VALUES ('Rao', 'rao@example.edu', 'chief_warden', 'male')`,
    );
    await json(['reports', 'enable', 'daily_movement']);
    await json(['dispatch-scheduled-reports']);
    const runs = (await json(['reports', 'run', 'late_arrivals'])) as object[];
    assert.equal(runs.length, 2, 'one for each gender');
    sameKeys(runs[0], first(table('### `reports run`')));
    sameKeys(
      await json(['dispatch-scheduled-reports', '--dry-run', '--at', '2099-01-01 23:59']),
      first(table('### `dispatch-scheduled-reports`')),
    );
    const [mail] = (await json(['mail', 'list'])) as object[];
    assert.deepEqual(Object.keys(mail ?? {}), first(table('### `mails`')));
    assert.deepEqual(await json(['mail', 'show', String((mail as { id: number }).id)]), mail);
    sameKeys(await json(['mail-test', 'a@example.edu']), first(table('### `mail-test`')));
    sameKeys(await json(['config']), first(table('### `config`')));
    sameKeys(await json(['backup', 'a.tar']), first(table('### `backup`')));
    sameKeys(await json(['restore', 'a.tar', '--dry-run']), first(table('### `restore`')));
    const list = execFileSync('tar', ['-xOf', join(folder, 'a.tar'), 'manifest.json'], { encoding: 'utf8' });
    sameKeys(JSON.parse(list), first(table('## Backups', 1)));
    // Jobs are due, and nobody runs them.
    sameKeys(await json(['doctor'], '', EXIT.no), first(table('### `doctor`')));
    const checks = table('### `doctor`').find(([key]) => key === 'findings[].check')?.[1];
    assert.deepEqual(words(checks), ['configuration', ...CHECKS.map(([name]) => name)]);
    sameKeys(await json(['keys', 'list']), first(table('### `keys list`')));
    sameKeys(await json(['keys', 'rotate']), first(table('### `keys rotate`')));
    const inForce = ['--at', '2099-01-01 12:00'];
    sameKeys(await json(['verify', token(), ...inForce]), first(table('### `verify`')));
    sameKeys(
      await json(['cleanup-expired-files', '--dry-run']),
      first(table('### `cleanup-expired-files --dry-run`')),
    );
    db.exec(`UPDATE outpasses SET status = 'pending' WHERE id = 1`);
    sameKeys(await json(['outpass', 'approve', '1']), first(table('### `outpass approve`')));
    const time = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 19);
    const options = { student: '21CS001', kind: 'Day', purpose: 'Bank', destination: 'T. Nagar' };
    const typed = Object.entries({ ...options, out: time(-1), in: time(5) }).flatMap(([name, value]) => [
      `--${name}`,
      value,
    ]);
    const create = ['outpass', 'create', ...typed, '--reference'];
    sameKeys(await json([...create, 'D-1']), pass);
    await json([...create, 'D-2']);
    await json([...create, 'D-3']);
    const closed = first(table('### `outpass reject`'));
    sameKeys(await json(['outpass', 'reject', 'D-2', '--reason', 'Exams']), closed);
    sameKeys(await json(['outpass', 'cancel', 'D-3']), closed);
    await json(['outpass', 'approve', 'D-1']);
    const movement = first(table('### `movements out`'));
    sameKeys(await json(['movements', 'out', 'D-1']), movement);
    sameKeys(await json(['movements', 'in', 'D-1']), movement);
    const reports = first(table('### `reports list`'));
    sameKeys(await json(['reports', 'list']), reports);
    sameKeys(await json(['reports', 'set', 'late_arrivals', '--time', '06:15']), reports);
    sameKeys(await json(['reports', 'enable', 'late_arrivals', '--gender', 'male']), reports);
    sameKeys(await json(['reports', 'disable', 'late_arrivals']), reports);
  });

  test('health and status print this, while a supervisor runs', async () => {
    write(
      'jobs/Slow.js',
      `export default { handle() { return new Promise((done) => setTimeout(done, 60_000)); } };`,
    );
    const child = spawn(join(root, 'bin', 'passito'), ['supervisor', '--drain-timeout', '0s'], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '' },
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    try {
      await new Promise((resolve) =>
        child.stderr.on('data', (text) => /ready/.test(String(text)) && resolve(0)),
      );
      await httpApi(join(folder, 'storage', 'passito.sock'));
      await json(['dispatch', 'Slow']);
      await json(['dispatch', 'Nobody']);
      await json(['pause', '--queue', 'none']);
      const status = new Set(first(table('### `status`')));
      const deadline = Date.now() + 15_000;
      let found = await json(['status']);
      const complete = () => {
        const seen = new Set(keysOf(found, (path) => status.has(path)));
        return [...status].every((key) => seen.has(key));
      };
      while (!complete() && Date.now() < deadline) found = await json(['status']);
      sameKeys(found, [...status]);
      const health = await json(['health']);
      sameKeys(health, first(table('### `health`')));
      const { reasons } = health as { reasons: { code: string }[] };
      assert.ok(reasons.some(({ code }) => code === 'unknown-type'));
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  });

  test('the exit statuses and error codes are these', async () => {
    assert.deepEqual(first(table('## Exit status and error codes')).map(Number), [
      0,
      EXIT.no,
      EXIT.usage,
      EXIT.unreachable,
    ]);
    const actual = new Map<string, string>();
    for (const make of [...Object.values(errors), ...Object.values(officeErrors)]) {
      const error = example(make as (...args: unknown[]) => PassitoError);
      actual.set(error.code, String(error.exit));
    }
    const documented = tables(below('## Exit status and error codes'))[1] ?? [];
    assert.deepEqual(new Map(documented.map(([code = '', status = '']) => [code, status])), actual);
    const failure = await json(['jobs', 'show', '999'], '', EXIT.usage);
    sameKeys(failure, first(table('### a command that fails')));
  });

  test('the log has these lines with these fields', () => {
    const documented = new Map(
      table('## Log lines').map(([msg = '', level, fields]) => [msg, { level, fields: words(fields) }]),
    );
    const told = new Map<string, { level: string; fields: string[] }>();
    const log = Object.fromEntries(
      (['debug', 'info', 'warn', 'error'] as const).map((level) => [
        level,
        (fields: object, msg: string) => told.set(msg, { level, fields: Object.keys(fields) }),
      ]),
    );
    const events = new Events();
    narrate(events, { ...log, isLevelEnabled: () => true } as unknown as Log);
    const name = { id: 1, type: 'A', attempt: 1 };
    const error = { message: 'no' };
    events.emit('completed', { ...name, ms: 1 });
    events.emit('claimed', { count: 1 });
    events.emit('retried', { ...name, error, delay: 1 });
    events.emit('failed', { ...name, error, discarded: false });
    events.emit('failed', { ...name, error, discarded: true });
    events.emit('released', { ...name, delay: 1 });
    events.emit('released', { ...name, delay: 1, error });
    events.emit('released', { ...name, delay: 0 });
    events.emit('lost', name);
    events.emit('rescued', { process: 1, pid: 1, returned: [1], failed: [] });
    events.emit('ticked', { schedule: 'a', tick: 0, outcome: 'skipped', job: null });
    events.emit('missed', { schedule: 'a', count: 2, from: 0, to: 60_000, chore: false });
    events.emit('ticked', { schedule: 'a', tick: 0, outcome: 'run', job: 1 });
    events.emit('scaled', { from: 1, to: 2, pending: '9', load: 9, reason: 'check' });
    events.emit('workerDied', { worker: 1, reason: 'x' });
    events.emit('trouble', { where: 'x', error });
    for (const [msg, line] of told) assert.deepEqual(documented.get(msg), line, msg);

    const lines = worker.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const levels: Record<number, string> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };
    for (const { level, time, msg, ...fields } of lines) {
      const line = { level: levels[level as number], fields: Object.keys(fields) };
      assert.deepEqual(documented.get(msg as string), line, msg as string);
      assert.ok(!Number.isNaN(Date.parse(time as string)));
      told.set(msg as string, { level: '', fields: [] });
    }
    const unseen = [...documented.keys()].filter((msg) => !told.has(msg));
    assert.deepEqual(unseen, [
      'supervisor ready',
      'the local socket is served',
      'another process serves the local socket; this one takes over when it has gone',
      'the local socket is not served',
      'HTTP is served',
      'HTTP: a request could not be answered',
      'payloads of this type are not checked at dispatch: its code does not answer',
      // At a slip in the config file: test/process/config.test.ts.
      'the config file has options of a type that does not exist',
      // After an update: test/process/upgrade.test.ts.
      'the tables were brought up to date',
      // At SIGHUP: test/process/reload.test.ts.
      'reloading the configuration and the jobs',
      'reloaded; what ran before ends as it began',
      'the reload was refused; all goes on as before',
      'the former generation did not end well',
      'stopping at once: running jobs are given back',
      'stopped; a handler is inside a call that cannot be interrupted, so the process ends by SIGTERM',
      // After a kill: test/process/scale.test.ts.
      'while you were away',
      // Once somebody has set it: test/fault/clock.test.ts.
      'the wall clock was set',
      // Of handlers from hell: test/fault/handlers.test.ts.
      'what a job left behind threw after its end; its thread is not used again',
      'more was logged than can be written: lines were left out',
      // Of the monitor: test/edge/monitor.test.ts sees them.
      'the job queue has issues',
      'the admin was told',
      'the admin could not be told; tried again at the next check',
      'PASSITO_PING_URL could not be reached',
      // Of a supervisor alone: test/process/schedules.test.ts and parents.test.ts.
      'reports are due',
      'backup made',
      'old jobs deleted',
      "the parents' page is served",
      'a parent answered',
      "the parents' page could not answer",
      'systemd could not be told',
      'the event loop was held up',
      'the database does not answer',
    ]);
  });
});

/** Asks a supervisor for everything that the page says of HTTP. */
async function httpApi(socket: string): Promise<void> {
  const requests = first(table('## HTTP API'));
  assert.deepEqual(
    [...new Set(requests.map((request) => request.replace(/\?.*/, '')))],
    ['POST /v1/jobs', 'GET /v1/jobs/ID', 'GET /healthz'],
  );
  const job = { type: 'Good', unique_key: 'http' };
  const lines = { kind: 'lines', query: '?atomic=1' } as const;
  const made = await post(socket, { ...job, delay: '1d' });
  sameKeys(made.body, first(table('### `dispatch`')));
  assert.deepEqual([made.status, (await post(socket, job)).status], [201, 200]);
  const many = await post(
    socket,
    '{"type":"Good","ref":"a","delay":"1d"}\n{"type":"Good","depends_on":"a"}',
    lines,
  );
  sameKeys(many.body, first(table('### `dispatch --ndjson`')));
  assert.equal(many.status, 201);
  assert.equal((await post(socket, JSON.stringify(job), lines)).status, 200);
  const { body: shown } = await get(socket, `/v1/jobs/${many.body.jobs[1]?.id}?wait=1`);
  // It has run never, and nothing waits for it: lists that are empty have no keys.
  const more = first(table('### `jobs show`')).filter((key) => key.startsWith('depends_on'));
  sameKeys(shown, [...columns(), ...more]);
  const health = await get(socket, '/healthz');
  const known = first(table('### `health`')).filter((key) => !/^(reasons|paused)/.test(key));
  sameKeys({ ...health.body, reasons: [], paused: [] }, known);
  assert.equal(health.status, health.body.healthy ? 200 : 503);

  const wrong = await post(socket, '{"type":"Good"}\n{"type":"Good","priority":99}', lines);
  const unknown = await post(socket, { type: 'Good', depends_on: 999 });
  sameKeys({ error: { ...unknown.body.error, ...wrong.body.error } }, first(table('## HTTP API', 1)));
  const large = JSON.stringify({ type: 'Good', payload: 'x'.repeat(11 * 1024 ** 2) });
  const statuses = [
    wrong.status,
    (await get(socket, '/v1/jobs/999')).status,
    (await post(socket, large)).status,
    unknown.status,
  ];
  assert.deepEqual(first(table('## HTTP API', 2)).map(Number), [...statuses, 500, 503]);
  assert.deepEqual(
    table('## HTTP API', 3).map(([code, status]) => [code, Number(status)]),
    Object.entries(HTTP_ERRORS),
  );
}

/** Makes an error whatever its arguments are: texts for most, a list where one is gone through. */
function example(make: (...args: unknown[]) => PassitoError): PassitoError {
  for (const args of [['a', 'b', 'c'], ['a', ['b']], [['a']]]) {
    try {
      return make(...args);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  throw new Error(`no arguments fit ${make.toString()}`);
}
