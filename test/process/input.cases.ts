/** What an admin may type wrongly, and what may be wrong where it is typed. */

import { chmodSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Case, giveTo, STRANGER } from '../tools/daemon-messages.ts';

const job = (body = 'return 1;', options = '') =>
  `import { defineJob } from 'passito';\nexport default defineJob({ ${options} async handle() { ${body} } });\n`;

const usage = (name: string, args: readonly string[], more: Partial<Case> = {}): Case => ({
  name,
  args,
  code: 2,
  prepared: true,
  ...more,
});

const unreachable = (name: string, args: readonly string[], more: Partial<Case> = {}): Case => ({
  name,
  args,
  code: 3,
  ...more,
});

const typed: Case[] = [
  usage('a command that does not exist, near to one', ['heath']),
  usage('a command that does not exist, far from all', ['frobnicate']),
  { name: 'the help of a group', args: ['outpass', '--help'], code: 0, prints: true },
  usage('half of a command', ['jobs']),
  usage('a wrong second half', ['jobs', 'lst']),
  usage('an unknown option, near to one', ['supervisor', '--max-worker', '5']),
  usage('an unknown option, far from all', ['health', '--frobnicate']),
  usage('an unknown short option', ['health', '-x']),
  usage('a short option that others have', ['health', '-n', '5']),
  usage('an unknown option and no command', ['-x']),
  usage('an option without its value', ['dispatch', 'Mail', '--payload']),
  usage('an option without its value, before another', ['dispatch', 'Mail', '--delay', '--json'], {
    prints: true,
  }),
  usage('a switch with a value', ['health', '--json=yes']),
  usage('an option given twice', ['dispatch', 'Mail', '--delay', '1s', '--delay', '2s']),
  usage('too many words', ['dispatch', 'Mail', 'now']),
  usage('too few words', ['jobs', 'show']),
  usage('a dispatch of nothing', ['dispatch']),
  usage('an id that is a word', ['jobs', 'show', 'abc']),
  usage('an id that is zero', ['explain', '0']),
  usage('a negative id', ['jobs', 'cancel', '-3']),
  usage('a fraction as id', ['jobs', 'retry', '1.5']),
  usage('an id that nobody has', ['jobs', 'show', '4711']),
  usage('explain of an id that nobody has', ['explain', '4711']),
  usage('nothing to cancel', ['jobs', 'cancel']),
  usage('ids and filters together', ['jobs', 'delete', '1', '--state', 'failed']),
  usage('a state that does not exist', ['jobs', 'list', '--state', 'complete']),
  usage('a limit that is no number', ['jobs', 'list', '--limit', 'many']),
  unreachable('a token where no key was ever made', ['verify', 'abc']),
  usage('half of keys', ['keys', 'rotat']),
  usage('a new executable that is not there', ['upgrade', 'passito-0.2.0']),
  usage('a new executable that is a folder', ['upgrade', '.']),
  usage('a type that a script left empty', ['jobs', 'cancel', '--type', '']),
  usage('an age that is no duration', ['jobs', 'prune', '--completed', 'month']),
  usage('a threshold of zero', ['health', '--alert-threshold', '0']),
  usage('a database for the service', ['install-service', '--db', 'other.db', '--dry-run']),
  usage('a group that is not there', ['install-service', '--group', 'nobodys', '--dry-run']),
  usage('a service, of a user without rights', ['install-service'], { stranger: true }),
  usage('the end of a service, of a user without rights', ['uninstall-service'], { stranger: true }),
  usage('an unknown command, for a program', ['heath', '--json'], { prints: true }),
  usage('an unknown option, for a program', ['health', '--json', '--nagois'], { prints: true }),
  usage('an error, for a program', ['jobs', 'show', 'abc', '--json'], { prints: true }),
];

const dispatched: Case[] = [
  usage('a payload that is not JSON', ['dispatch', 'Mail', '--payload', '{bad}']),
  usage('a payload in single quotes too many', ['dispatch', 'Mail', '--payload', `{'id': 1}`]),
  usage('an empty payload', ['dispatch', 'Mail', '--payload', '']),
  usage('a payload file that does not exist', ['dispatch', 'Mail', '--payload-file', 'nowhere.json']),
  usage('a payload file that is a folder', ['dispatch', 'Mail', '--payload-file', '.']),
  usage('a payload on stdin that is not JSON', ['dispatch', 'Mail', '--payload-file', '-'], {
    input: 'id=1',
  }),
  usage('two payloads', ['dispatch', 'Mail', '--payload', '{}', '--payload-file', 'x.json']),
  usage('a payload of 20 MB', ['dispatch', 'Mail', '--payload-file', '-'], {
    input: JSON.stringify('x'.repeat(20e6)),
  }),
  usage('a payload nested too deep for the database', ['dispatch', 'Mail', '--payload-file', '-'], {
    input: '['.repeat(1200) + ']'.repeat(1200),
  }),
  usage('a negative delay', ['dispatch', 'Mail', '--delay', '-5m']),
  usage('a delay without a unit', ['dispatch', 'Mail', '--delay', 'soon']),
  usage('a time that is no time', ['dispatch', 'Mail', '--at', 'tomorrow']),
  usage('a time that does not exist', ['dispatch', 'Mail', '--at', '2027-02-30 10:00']),
  usage('a time after the last year', ['dispatch', 'Mail', '--at', '9999-12-31 23:59:59-12:00']),
  usage('a time before the first year', ['dispatch', 'Mail', '--at', '0000-01-01 00:00+05:30']),
  usage('a delay and a time', ['dispatch', 'Mail', '--delay', '5m', '--at', '2027-01-01 10:00']),
  usage('a priority out of range', ['dispatch', 'Mail', '--priority', '10']),
  usage('a number of attempts that is none', ['dispatch', 'Mail', '--max-attempts', '0']),
  usage('a timeout that is no duration', ['dispatch', 'Mail', '--timeout', 'never']),
  usage('a type that cannot be one', ['dispatch', 'send mail']),
  usage('a type that is a path', ['dispatch', '../../etc/passwd']),
  usage('a queue that cannot be one', ['dispatch', 'Mail', '--queue', 'a b']),
  usage('a dependency that nobody has', ['dispatch', 'Mail', '--depends-on', '4711']),
  usage('a dependency that a script left empty', ['dispatch', 'Mail', '--depends-on', '']),
  usage('a dependency that is missing between two', ['dispatch', 'Mail', '--depends-on', '1,,2']),
  usage('a dependency that is no id', ['dispatch', 'Mail', '--depends-on', '1,x']),
  usage('a wait that is no duration', ['dispatch', 'Mail', '--wait=long']),
  {
    name: 'a type that is nearly another is taken, and doubted',
    args: ['dispatch', 'SendParentAproval'],
    code: 0,
    prepared: true,
    effect: true,
    prints: true,
  },
  {
    name: 'a type that is nearly one of a file is doubted',
    args: ['dispatch', 'SyncStudent', '--json'],
    code: 0,
    prepared: true,
    effect: true,
    prints: true,
    files: { 'jobs/SyncStudents.ts': job() },
  },
  {
    name: 'a type that nobody knows is taken, and waits',
    args: ['dispatch', 'Unheard'],
    code: 0,
    prepared: true,
    effect: true,
    prints: true,
  },
  usage('a payload that its schema refuses', ['dispatch', 'Strict', '--payload', '{"id": "x"}'], {
    files: {
      'jobs/Strict.ts': `const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: any) =>
        typeof value.id === 'number' ? { value } : { issues: [{ message: 'expected a number', path: ['id'] }] } } };
        export default { schema, handle() {} };`,
    },
  }),
];

const ndjson = (name: string, lines: readonly string[], more: Partial<Case> = {}) =>
  usage(name, ['dispatch', '--ndjson', 'jobs.ndjson'], {
    files: { 'jobs.ndjson': `${lines.join('\n')}\n` },
    ...more,
  });

const bulk: Case[] = [
  ndjson(
    'a file with several bad lines, all named',
    [
      '{"type":"Mail"}',
      '{"type":"Mail"',
      '[1]',
      '{"payload":{}}',
      '{"type":"Mail","dealy":"5m"}',
      '{"type":"Mail","priority":12}',
      '{"type":"Mail","delay":"-5m"}',
      '{"type":"Mail","available_at":"someday"}',
      '{"type":"Mail","available_at":"9999-12-31 23:59:59-12:00"}',
      '{"type":"Mail","depends_on":["nobody"]}',
      '{"type":"Mail","depends_on":[0]}',
    ],
    { list: true },
  ),
  ndjson(
    'a line nested too deep for the database',
    ['{"type":"Mail"}', `{"type":"Mail","payload":${'['.repeat(1200)}${']'.repeat(1200)}}`],
    { list: true },
  ),
  ndjson('a ref that nobody has', ['{"type":"Mail","ref":"a"}', '{"type":"Mail","depends_on":["b"]}'], {
    list: true,
  }),
  usage('bad lines from standard input', ['dispatch', '--ndjson', '-'], {
    input: '{"type":"Mail"}\n{"type":"Mail","delay":"5m","available_at":"2026-12-24 08:00"}\n',
    list: true,
  }),
  ndjson('a ref given twice', ['{"type":"Mail","ref":"a"}', '{"type":"Mail","ref":"a"}'], { list: true }),
  ndjson(
    'a circle',
    ['{"type":"Mail","ref":"a","depends_on":["b"]}', '{"type":"Mail","ref":"b","depends_on":["a"]}'],
    {
      list: true,
    },
  ),
  ndjson('a line that waits for itself', ['{"type":"Mail","ref":"a","depends_on":["a"]}'], { list: true }),
  ndjson(
    'an id that nobody has, in the last line',
    ['{"type":"Mail"}', '{"type":"Mail","depends_on":[4711]}'],
    {
      list: true,
    },
  ),
  ndjson(
    'more than twenty bad lines',
    Array.from({ length: 30 }, (_, i) => `{"type":"Mail","priority":${i + 10}}`),
    {
      list: true,
    },
  ),
  usage('a file that does not exist', ['dispatch', '--ndjson', 'nowhere.ndjson']),
];

const settings: Case[] = [
  usage('workers that are no number', ['supervisor', '--min-workers', 'two']),
  usage('more at least than at most', ['supervisor', '--min-workers', '9', '--max-workers', '3']),
  usage('thresholds the wrong way round', [
    'supervisor',
    '--scale-up-threshold',
    '3',
    '--scale-down-threshold',
    '3',
  ]),
  usage('HTTP for other machines, unsaid', ['supervisor', '--http', '0.0.0.0:8090']),
  usage('HTTP on no address', ['supervisor', '--http', 'localhost']),
  unreachable('a local socket where a file is', ['supervisor', '--socket', 'notes'], {
    files: { notes: 'dear' },
    effect: true,
  }),
  usage('a limit below that of the profile', ['supervisor', '--profile=very-high', '--max-workers', '5']),
  usage('a profile that does not exist', ['supervisor', '--profile', 'huge']),
  usage('a synchronous mode that does not exist', ['supervisor', '--synchronous', 'off']),
  usage('a zone that does not exist', ['jobs', 'list'], { env: { TIME_ZONE: 'Asia/Chennai' } }),
  usage('several problems at once, each with its place', ['supervisor', '--min-workers', '0'], {
    env: { PASSITO_MAX_WORKERS: 'lots' },
    files: { '.env': 'SMTP_PORT=mail\n', 'passito.config.json': '{"checkInterval": 0, "minWorker": 3}' },
    list: true,
  }),
  usage('an env file that does not exist', ['health', '--env-file', 'nowhere.env']),
  usage('a config file that is not JSON', ['health'], { files: { 'passito.config.json': '{"a": }' } }),
  usage('a config file with a syntax error', ['health'], {
    files: { 'passito.config.ts': 'export default {' },
  }),
  usage('a config file in JavaScript with a syntax error', ['health'], {
    files: { 'passito.config.js': 'export default {\n  minWorkers: 2\n  maxWorkers: 4,\n};\n' },
  }),
  usage('a config file that imports one with a syntax error', ['health'], {
    files: {
      'passito.config.ts': `import { jobs } from './own.js';\nexport default { jobs };\n`,
      'own.js': '\nexport const jobs = {\n  ;\n',
    },
  }),
  usage('a command job without a list', ['supervisor'], {
    files: { 'passito.config.json': '{"jobs": {"Sync": {"command": "php sync.php"}}}' },
  }),
  usage('a job option that cannot be', ['supervisor'], {
    files: {
      'passito.config.json': '{"jobs": {"Sync": {"command": ["true"], "timeout": "soon", "priority": 11}}}',
    },
    list: true,
  }),
  usage('settings that are nearly ours', ['health'], {
    files: {
      '.env':
        'SMTP_HSOT=mail.example.edu\nPASSITO_MAXWORKERS=5\nPASSITO_COLOUR=red\nSHOP_KEY=1\nTWILIO_SERVICE_SID=1\nPASSITO_LOG_LEVEL info\n',
    },
    code: 0,
    list: true,
    prints: true,
  }),
  usage('an address that is none', ['config'], {
    env: { ADMIN_EMAIL: 'rao', MAILER_FROM: 'Gate Office' },
    list: true,
  }),
  usage('a config file that others may write', ['supervisor'], {
    files: { 'passito.config.json': '{}' },
    arrange: (folder) => chmodSync(join(folder, 'passito.config.json'), 0o666),
  }),
];

const jobFiles: Case[] = [
  usage('a job file with a syntax error', ['supervisor'], {
    files: {
      'jobs/Broken.ts': `import { defineJob } from 'passito';\n\nexport default defineJob({ handle( { } });\n`,
    },
  }),
  usage('a job file in JavaScript with a syntax error', ['supervisor'], {
    files: { 'jobs/Broken.js': 'export default {\n  handle() {\n    return 1 +;\n  },\n};\n' },
  }),
  usage('a dispatch to a job file in JavaScript with a syntax error', ['dispatch', 'Broken'], {
    files: { 'jobs/Broken.js': 'export default {\n  handle() {\n    return 1 +;\n  },\n};\n' },
  }),
  usage('a job file that imports one with a syntax error', ['supervisor'], {
    files: {
      'jobs/One.js': `import './lib/help.js';\nexport default { handle() {} };\n`,
      'jobs/Two.js': `import './lib/help.js';\nexport default { handle() {} };\n`,
      'jobs/lib/help.js': 'export const a = 1;\nexport const b = ;\n',
    },
  }),
  usage('several bad job files, all named', ['supervisor'], {
    files: {
      'jobs/Broken.js': 'export default {\n  handle() {\n    return 1 +;\n  },\n};\n',
      'jobs/Good.ts': job(),
      'jobs/Odd.ts': job('', `timeout: '5 parsecs', `),
      'jobs/Slip.ts': 'export default {\n  handle( {}\n};\n',
      'jobs/Thrower.js': `throw new Error('no database password');\n`,
      'jobs/User.ts': `import './lib/help.ts';\nexport default { handle() {} };\n`,
      'jobs/lib/help.ts': '\nenum Colour {\n  Red,\n}\n',
    },
    list: true,
  }),
  usage('try of a type among bad files', ['try', 'Wanted'], {
    files: { 'jobs/A.js': 'export default 42;\n', 'jobs/B.js': 'export default {\n  handle( {}\n};\n' },
    list: true,
  }),
  usage('a job file with an enum', ['supervisor'], {
    files: {
      'jobs/Colours.ts': `\nenum Colour {\n  Red,\n}\nexport default { handle() { return Colour.Red; } };\n`,
    },
  }),
  usage('a job file that throws', ['supervisor'], {
    files: { 'jobs/Thrower.js': `throw new Error('no database password');\n` },
  }),
  usage('a job file that throws null', ['supervisor'], { files: { 'jobs/Thrower.js': 'throw null;\n' } }),
  usage('a job file that imports what is not there', ['supervisor'], {
    files: { 'jobs/Lonely.js': `import 'left-pad';\nexport default { handle() {} };\n` },
  }),
  usage('a job file whose export is no job', ['supervisor'], {
    files: { 'jobs/Odd.js': 'export default 42;\n' },
  }),
  usage('a job file with a bad option', ['supervisor'], {
    files: { 'jobs/Odd.ts': job('', `timeout: '5 parsecs', `) },
  }),
  usage('a job file with a bad type', ['supervisor'], {
    files: { 'jobs/Odd.ts': job('', `type: 'send mail', `) },
  }),
  usage('two files with one type', ['supervisor'], {
    files: { 'jobs/First.ts': job('', `type: 'Same', `), 'jobs/Second.ts': job('', `type: 'Same', `) },
  }),
  usage('a file and a command with one type', ['supervisor'], {
    files: { 'jobs/Sync.ts': job(), 'passito.config.json': '{"jobs": {"Sync": {"command": ["true"]}}}' },
  }),
  usage('a built-in type again', ['supervisor'], { files: { 'jobs/GenerateQrCode.ts': job() } }),
  usage('a job file that others may write', ['supervisor'], {
    files: { 'jobs/Open.ts': job() },
    arrange: (folder) => chmodSync(join(folder, 'jobs', 'Open.ts'), 0o666),
  }),
  usage('a jobs folder that others may write', ['supervisor'], {
    files: { 'jobs/Good.ts': job() },
    arrange: (folder) => chmodSync(join(folder, 'jobs'), 0o777),
  }),
  usage('a folder of helpers that others may write', ['try', 'Good'], {
    files: { 'jobs/Good.ts': job(), 'jobs/lib/help.ts': 'export {};' },
    arrange: (folder) => chmodSync(join(folder, 'jobs', 'lib'), 0o777),
  }),
  usage('try of a type that nobody knows', ['try', 'Helo'], { files: { 'jobs/Hello.ts': job() } }),
  usage('try of a broken file', ['try', 'Broken'], {
    files: { 'jobs/Broken.ts': 'export default {\n  handle( {}\n};\n' },
  }),
  usage('try with a bad payload', ['try', 'Hello', '--payload', '{'], { files: { 'jobs/Hello.ts': job() } }),
  {
    name: 'init of a folder whose name a shell would take apart',
    args: ['init', "my jo'bs"],
    code: 0,
    effect: true,
    prints: true,
  },
  usage('init of a file', ['init', 'afile'], { files: { afile: 'mine' } }),
  usage('init below a file', ['init', 'afile/deeper/app'], { files: { afile: 'mine' } }),
  usage('init where a file has the name of a folder', ['init'], { files: { jobs: 'mine' } }),
  usage('init where something is', ['init'], { files: { '.env': '' } }),
  usage('a demo where something is', ['demo', '--folder', 'work'], { files: { 'work/mine.txt': 'mine' } }),
  unreachable('a demo in a file', ['demo', '--folder', 'file'], { files: { file: '' } }),
];

const foreign = (folder: string) => {
  const db = new Database(join(folder, 'passito.db'));
  db.exec('CREATE TABLE guests (name TEXT)');
  db.close();
};

const newer = (folder: string) => {
  const db = new Database(join(folder, 'passito.db'));
  db.pragma('user_version = 999');
  db.close();
};

const databases: Case[] = [
  unreachable('a backup of nothing', ['backup', 'a.tar']),
  unreachable('a backup into a folder that is not there', ['backup', 'backups/a.tar'], { prepared: true }),
  usage('a backup over another file', ['backup', 'a.tar'], { files: { 'a.tar': 'mine' } }),
  usage('a backup over the database', ['backup', 'passito.db', '--force']),
  ...['-wal', '-shm', '-journal', '-restoring', '.before-restore-1'].map((suffix) =>
    usage(`a backup under a name that is taken: ${suffix}`, ['backup', `passito.db${suffix}`, '--force']),
  ),
  usage('a backup as a folder of the files', ['backup', 'files']),
  usage('a backup over a device', ['backup', '/dev/null', '--force']),
  usage('a backup over a link', ['backup', 'a.tar', '--force'], {
    arrange: (folder) => symlinkSync('passito.db', join(folder, 'a.tar')),
  }),
  unreachable('a restore with a mark of rubbish', ['restore'], {
    files: { 'passito.db-restoring': 'rubbish' },
  }),
  unreachable('a restore with an empty mark', ['restore'], { files: { 'passito.db-restoring': '' } }),
  usage('a restore of a file that may not be read', ['restore', 'a.tar'], {
    stranger: true,
    files: { 'a.tar': 'x'.repeat(1024) },
    env: { PASSITO_DB: 'own/passito.db' },
    arrange: (folder) => {
      chmodSync(join(folder, 'a.tar'), 0o600);
      giveTo(folder, STRANGER);
    },
  }),
  usage('a backup into itself', ['backup', 'files/a.tar'], { files: { 'files/qr/a.png': '' } }),
  usage('a restore of nothing', ['restore']),
  usage('a restore of a file that is not there', ['restore', 'a.tar']),
  usage('a restore of something else', ['restore', 'a.tar', '--force'], {
    files: { 'a.tar': 'Dear diary, today I wrote a job system. '.repeat(30) },
  }),
  usage('a restore over a database', ['restore', 'a.tar'], { files: { 'a.tar': 'x'.repeat(1024) } }),
  unreachable('a database half restored', ['jobs', 'list'], {
    prepared: true,
    files: { 'passito.db-restoring': '{}' },
  }),
  unreachable('health without a database', ['health']),
  unreachable('a list without a database', ['jobs', 'list']),
  unreachable('a database that is a folder', ['health'], {
    arrange: (folder) => mkdirSync(join(folder, 'passito.db')),
  }),
  unreachable('a supervisor on a folder', ['supervisor'], {
    arrange: (folder) => mkdirSync(join(folder, 'passito.db')),
  }),
  unreachable('a file that is no database', ['health'], {
    files: { 'passito.db': 'Dear diary, today I wrote a job system. '.repeat(30) },
  }),
  unreachable('an empty file', ['health'], { files: { 'passito.db': '' } }),
  unreachable('a database cut short', ['health'], {
    prepared: true,
    arrange: (folder) => truncateSync(join(folder, 'passito.db'), 20_000),
  }),
  unreachable('a supervisor on a database cut short', ['supervisor'], {
    prepared: true,
    arrange: (folder) => truncateSync(join(folder, 'passito.db'), 20_000),
  }),
  unreachable("somebody else's database", ['health'], { arrange: foreign }),
  unreachable("a supervisor on somebody else's database", ['supervisor'], { arrange: foreign }),
  unreachable('a database from the future', ['health'], { prepared: true, arrange: newer }),
  unreachable('a supervisor on a database from the future', ['supervisor'], {
    prepared: true,
    arrange: newer,
  }),
  unreachable('a folder that cannot be written', ['dispatch', 'Mail'], { stranger: true }),
  unreachable('a supervisor in a folder that cannot be written', ['supervisor'], { stranger: true }),
  unreachable('a database that may only be read', ['dispatch', 'Mail'], {
    prepared: true,
    stranger: true,
    arrange: (folder) => chmodSync(join(folder, 'passito.db'), 0o644),
  }),
  unreachable('a database that may not even be read', ['health'], {
    prepared: true,
    stranger: true,
    arrange: (folder) => chmodSync(join(folder, 'passito.db'), 0o600),
  }),
  ...[
    'health',
    'dispatch Mail',
    'backup a.tar',
    'restore b.tar --force',
    'supervisor',
    'migrate',
    'keys',
    'verify abc',
  ].map((command) =>
    unreachable(`a folder that is somebody else's: ${command}`, command.split(' '), {
      stranger: true,
      env: { PASSITO_DB: 'theirs/passito.db' },
      files: { 'b.tar': '' },
      arrange: (folder) => {
        mkdirSync(join(folder, 'theirs'));
        chmodSync(join(folder, 'theirs'), 0o700);
      },
    }),
  ),
  unreachable('a folder of ones own that is shut', ['health'], {
    stranger: true,
    env: { PASSITO_DB: 'mine/passito.db' },
    arrange: (folder) => {
      mkdirSync(join(folder, 'mine'));
      giveTo(join(folder, 'mine'), STRANGER);
      chmodSync(join(folder, 'mine'), 0o000);
    },
  }),
  unreachable('a database below /proc', ['migrate', '--db', '/proc/x/y/passito.db']),
  unreachable('a folder below /proc', ['init', '/proc/x']),
  unreachable('a first folder where nobody may write', ['init', 'new'], { stranger: true }),
  unreachable('a backup into a file', ['backup', 'b1.tar/x'], { prepared: true, files: { 'b1.tar': '' } }),
  unreachable('a database that may only be read, in a folder of ones own', ['dispatch', 'Mail'], {
    prepared: true,
    stranger: true,
    arrange: (folder) => {
      giveTo(folder, STRANGER);
      chmodSync(join(folder, 'passito.db'), 0o644);
    },
  }),
];

const newPass = (out: string, back: string, purpose = 'Rest') =>
  `outpass create --student nobody --kind Home --purpose ${purpose} --destination Madurai`
    .split(' ')
    .concat('--out', out, '--in', back);

const office: Case[] = [
  usage('students from a file that does not exist', ['import', 'students', 'nowhere.csv']),
  usage('students with bad rows, all named', ['import', 'students', 's.csv'], {
    files: {
      's.csv':
        'name,email,roll_number\nAsha,asha@example.edu,1\n,b@example.edu,2\nC,not-a-mail,3\nD,d@example.edu,\n',
    },
    list: true,
  }),
  usage('students with a column misspelt', ['import', 'students', 's.csv'], {
    files: { 's.csv': 'name,email,rol_number\nAsha,asha@example.edu,1\n' },
    list: true,
  }),
  usage('students from an empty file', ['import', 'students', 's.csv'], {
    files: { 's.csv': '' },
    list: true,
  }),
  usage('students from standard input, with a quote that is never closed', ['import', 'students', '-'], {
    input:
      'name,email,roll_number\nAsha,asha@example.edu,1\n"Bea,bea@example.edu,2\nCarl,carl@example.edu,3\n',
    list: true,
  }),
  usage('outpasses of a student who is not there', ['import', 'outpasses', 'o.csv'], {
    files: {
      'o.csv':
        'reference,roll_number,kind,purpose,destination,leaves_at,returns_at\nP-1,nobody,Home,Rest,Home,2027-01-01 10:00,2027-01-02 10:00\n',
    },
    list: true,
  }),
  usage('outpasses with every kind of fault, told at once', ['import', 'outpasses', 'o.csv'], {
    files: {
      'o.csv': [
        'reference;roll_number;kind;purpose;destination;leaves_at;returns_at',
        'P-1;nobody;Home;Rest;Home;2027-01-01 10:00;2027-01-02 10:00',
        '"P\n2";nobody;"Ho\tme";Rest;"Ho\nme";2027-01-01 10:00;2027-01-02 10:00',
        'P-3;somebody;Home;Rest;Home;noon;2027-01-02 10:00',
      ].join('\r\n'),
    },
    list: true,
  }),
  usage('users with bad rows', ['import', 'users', 'u.json'], {
    files: {
      'u.json': JSON.stringify([
        { name: 'A', email: 'a@example.edu', role: 'Chief Warden', gender: 'f' },
        { name: 'B', email: 'b@example.edu', role: 'wardn', gender: 'x', active: 'perhaps' },
        { name: 'C', email: 'A@example.edu', role: 'verifier' },
      ]),
    },
    list: true,
  }),
  usage('movements with bad rows', ['import', 'movements', 'm.csv'], {
    files: {
      'm.csv': [
        'reference,out_at,in_at,recorded_by',
        'P-1,2026-01-01 10:00,,Gate 1',
        'P-2,2026-01-01 10:00,2026-01-01 09:00,Gate 1',
        'p-1,2099-01-01 10:00,noon,',
      ].join('\n'),
    },
    list: true,
  }),
  usage('report settings with bad rows', ['import', 'reports', 'r.csv'], {
    files: {
      'r.csv': [
        'report,gender,enabled,frequency,weekday,time,recipients',
        'daily_movement,male,yes,weekly,,21:00,a@example.edu; b@example.edu',
        'daily_movment,all,perhaps,hourly,0,24:00,',
        'Daily Movement,m,yes,daily,,9:00,',
      ].join('\n'),
    },
    list: true,
  }),
  usage('hostels with a column misspelt', ['import', 'hostels', 'h.csv'], {
    files: { 'h.csv': 'nam\nGanga\n' },
    list: true,
  }),
  usage('a dry run with a bad row', ['import', 'hostels', 'h.csv', '--dry-run'], {
    files: { 'h.csv': 'name,type\n,boys\n' },
    prepared: false,
    list: true,
  }),
  {
    name: 'a partial dry run where there is no database',
    args: ['import', 'hostels', 'h.csv', '--dry-run', '--partial'],
    code: 1,
    files: { 'h.csv': 'name,type\n,boys\nGanga,girls\n' },
    list: true,
    prints: true,
  },
  {
    name: 'a partial import',
    args: ['import', 'students', 's.csv', '--partial'],
    code: 1,
    files: { 's.csv': 'name,email,roll_number\nAsha,asha@example.edu,1\n"B, C",b@example,2\n' },
    list: true,
    prints: true,
    effect: true,
  },
  usage('reports of a time to come', ['dispatch-scheduled-reports', '--at', '2036-01-01 00:00']),
  usage('a report that does not exist', ['reports', 'enable', 'daily_movment']),
  usage('a report of nobody', ['reports', 'disable', 'late_arrivals', '--gender', 'all']),
  usage('a change of a report that changes nothing', ['reports', 'set', 'late_arrivals']),
  usage('a report each fortnight', ['reports', 'set', 'late_arrivals', '--frequency', 'fortnightly']),
  usage('a report at 24:00', ['reports', 'set', 'late_arrivals', '--time', '24:00']),
  usage('a report on an eighth day', ['reports', 'set', 'late_arrivals', '--weekday', '8']),
  usage('a weekly report without its day', ['reports', 'set', 'late_arrivals', '--frequency', 'weekly']),
  usage('a daily report with a weekday', ['reports', 'set', 'late_arrivals', '--weekday', '3']),
  usage('a yearly report on 30 February', [
    'reports',
    'set',
    'late_arrivals',
    '--frequency=yearly',
    '--day=30',
    '--month=2',
  ]),
  usage('recipients who are no wardens', [
    'reports',
    'set',
    'late_arrivals',
    '--recipients',
    'a@b.edu, c@d.edu',
  ]),
  usage('a test mail to nobody', ['mail-test', 'admin']),
  usage('a test mail from nobody', ['mail-test', 'admin@example.edu'], { env: { MAILER_FROM: 'Gate' } }),
  usage('imports of what does not exist', ['import', 'teachers', 't.csv']),
  usage('a pass that does not exist', ['outpass', 'show', 'OP-1']),
  usage('the approval of a pass that does not exist', ['outpass', 'approve', '1']),
  usage('a new pass of nothing', ['outpass', 'create', '--student', '21CS001']),
  usage('a new pass with much wrong', newPass('today', '2026-02-30 10:00', 'x'.repeat(501))),
  usage('a new pass with a line break', [
    ...newPass('2099-01-01 10:00', '2099-01-02 10:00'),
    '--reference',
    'HP\n1',
  ]),
  usage('a new pass the wrong way round', newPass('2099-01-02 10:00', '2099-01-01 10:00')),
  usage('a new pass for yesterday', newPass('2020-01-01 10:00', '2020-01-02 10:00')),
  usage('a new pass for nobody', newPass('2099-01-01 10:00', '2099-01-02 10:00')),
  usage('a rejection without a reason', ['outpass', 'reject', '1']),
  usage('the rejection of a pass that does not exist', ['outpass', 'reject', '1', '--reason', 'Exams']),
  usage('the cancelling of a pass that does not exist', ['outpass', 'cancel', 'OP-1']),
  usage('a way out on a pass that does not exist', ['movements', 'out', 'OP-1']),
  usage('a way out at a time that is none', ['movements', 'out', 'OP-1', '--at', 'noon']),
  usage('a passage kept by nobody', ['movements', 'out', 'OP-1', '--by', ' ']),
  usage('an approval by two lines', ['outpass', 'approve', 'OP-1', '--by', 'Dr. Rao\nWarden']),
  usage('a reason too long', ['outpass', 'reject', 'OP-1', '--reason', 'x'.repeat(501)]),
  usage('half of a passage', ['movements']),
  usage('a passage that does not exist', ['movements', 'inn', 'OP-1']),
  usage('a status that does not exist', ['outpass', 'list', '--status', 'maybe']),
];

const further: Case[] = [
  usage('a job file with an option that does not exist', ['supervisor'], {
    files: { 'jobs/Odd.ts': job('', `maxAttempt: 5, `) },
  }),
  usage('a job file that ends the process', ['supervisor'], {
    files: { 'jobs/Exit.js': 'process.exit(0);\n' },
  }),
  usage('a job option that does not exist', ['supervisor'], {
    files: { 'passito.config.json': '{"jobs": {"Sync": {"command": ["true"], "maxAttempt": 3}}}' },
  }),
  usage('a time without a number of workers', ['scale', '--for', '2h']),
  usage('more workers than can be', ['scale', '--max', '501']),
  ...['defualt', 'sms'].map((queue): Case => ({
    name: `a pause of a queue that nothing uses: ${queue}`,
    args: ['pause', '--queue', queue],
    code: 0,
    prepared: true,
    prints: true,
    effect: true,
  })),
  usage('a queue that cannot be', ['pause', '--queue', 'a b']),
  usage('a schedule that does not exist', ['schedule', 'next', 'cleanup-expired-file']),
  usage('so many ticks', ['schedule', 'next', 'prune-jobs', '--n', '0']),
  usage('so many ticks, in short', ['schedule', 'next', 'prune-jobs', '-n', '0']),
  usage('a look without a pause', ['top', '--interval', '0']),
  usage('schedules with much wrong', ['health'], {
    list: true,
    files: {
      'passito.config.json':
        '{"schedules": {"a": {"cron": "61 * * * *", "type": "A"}, "b": {"cron": "@daily"}, "cleanup-expired-file": {"cron": "30 4 * * *"}, "prune-jobs": {"type": "A"}}}',
    },
  }),
  usage('a jobs folder that does not exist, by name', ['supervisor', '--jobs', 'nowhere']),
  usage('a jobs folder that is a file', ['supervisor', '--jobs', 'file'], { files: { file: '' } }),
  unreachable('a path through a file', ['dispatch', 'Mail', '--db', 'file/passito.db'], {
    files: { file: '' },
  }),
  usage('a type and a file', ['dispatch', 'Mail', '--ndjson', 'jobs.ndjson'], {
    files: { 'jobs.ndjson': '{"type":"Mail"}\n' },
  }),
  usage('a file and options of one job', ['dispatch', '--ndjson', 'jobs.ndjson', '--priority', '3'], {
    files: { 'jobs.ndjson': '{"type":"Mail"}\n' },
  }),
  unreachable('a database with a page of rubbish', ['jobs', 'list'], {
    prepared: true,
    arrange: (folder) => {
      const db = new Database(join(folder, 'passito.db'), { readonly: true });
      const page = db
        .prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'jobs'`)
        .pluck()
        .get() as number;
      db.close();
      writeFileSync(join(folder, 'passito.db'), overwritten(join(folder, 'passito.db'), (page - 1) * 4096));
    },
  }),
  usage('a config file that exports nothing', ['health'], {
    files: { 'passito.config.ts': 'export const a = 1;\n' },
  }),

  ndjson('an id that nobody has, after a thousand lines', [
    ...Array.from({ length: 1000 }, () => '{"type":"Mail"}'),
    '{"type":"Mail","depends_on":[4711]}',
  ]),
  {
    name: 'try of a handler that would steer the terminal',
    args: ['try', 'Hello'],
    code: 1,
    files: { 'jobs/Hello.ts': job(`throw 'no \\u001b[31msuch\\u001b[0m \\u202estudent';`) },
    list: true,
    stack: true,
  },
  {
    name: 'try of a handler that throws',
    args: ['try', 'Hello'],
    code: 1,
    files: { 'jobs/Hello.ts': job(`throw new Error('no such student');`) },
    list: true,
    stack: true,
  },
];

function overwritten(path: string, at: number): Buffer {
  const bytes = readFileSync(path);
  return bytes.fill(0xa5, at, at + 4096);
}

/** In the order of the snapshot. */
export const cases: Case[] = [
  ...typed,
  ...dispatched,
  ...bulk,
  ...settings,
  ...jobFiles,
  ...databases,
  ...office,
  ...further,
];
