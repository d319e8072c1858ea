/** Jobs as their authors write them: files, classes, commands, schemas; and the ways to try and dispatch one. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { type Daemon, Site } from '../tools/daemon.ts';

interface Waited {
  id: number;
  status: string;
  result: unknown;
  last_error: string | null;
}

/** Files that a developer would keep in a jobs folder. */
const FILES: Record<string, string> = {
  'jobs/Invoice.ts': `import { defineJob } from 'passito';
import { vat } from './lib/rates.ts';
import { format } from 'money';
type Payload = { net: number };
export default defineJob({
  timeout: '30s',
  async handle({ net }: Payload, { log, progress, attempt }): Promise<unknown> {
    log.info('computing', { net });
    await progress(50);
    return { total: format(net * (1 + vat)), attempt };
  },
});
`,
  'jobs/lib/rates.ts': 'export const vat: number = 0.2;\n',
  'jobs/node_modules/money/package.json': '{"name": "money", "version": "1.0.0", "main": "index.js"}',
  'jobs/node_modules/money/index.js': 'exports.format = (n) => `${n.toFixed(2)} EUR`;\n',
  'jobs/Plain.js': `export default { handle: (payload) => ({ twice: payload.n * 2 }) };\n`,
  'jobs/Old.cjs': `const { basename } = require('node:path');\nmodule.exports = { type: 'OldStyle', handle: (p) => basename(p.path) };\n`,
  'jobs/my-custom-job.js': `export default class MyCustomJob {
  constructor() { this.service = { doSomething: (id) => \`did \${id}\` }; }
  handle(payload) { return { status: this.service.doSomething(payload.id) }; }
}
`,
  'jobs/Strict.ts': `import { defineJob } from 'passito';
const schema = {
  '~standard': {
    version: 1, vendor: 'test',
    validate: (value: any) => typeof value?.id === 'number'
      ? { value: { ...value, checked: true } }
      : { issues: [{ message: 'expected a number', path: ['id'] }] },
  },
} as const;
export default defineJob({ schema, maxAttempts: 1, handle: (payload) => payload });
`,
  'jobs/Gives.ts': `import { defineJob, discard, snooze } from 'passito';
export default defineJob({
  handle({ how }: { how: string }, { attempt }) {
    if (how === 'discard') discard('there is no such student');
    if (how === 'snooze' && attempt === 1) snooze('1h');
    if (how === 'wait') snooze('1h', 'the office is closed.');
    if (how === 'throw') throw new TypeError('odd');
  },
  maxAttempts: 1,
});
`,
  'jobs/Fans.ts': `import { defineJob } from 'passito';
export default defineJob({
  handle(_payload, { dispatch, id }) {
    const first = dispatch('Plain', { n: 1 });
    dispatch('Sum', {}, { dependsOn: [first, id] });
    return 7;
  },
});
`,
  'jobs/Sum.ts': `import { defineJob } from 'passito';
export default defineJob({ handle: (_payload, { dependencies }) => dependencies.map(({ type, result }) => ({ type, result })) });
`,
  'jobs/Tell.ts': `import { defineJob } from 'passito';
export default defineJob({ handle: () => Object.keys(process.env).filter((name) => name.includes('NODE_')) });
`,
  'big.sh': `echo first; printf '{"a":"'; yes | head -n 300000 | tr -d '\\n'; echo '"}'; echo
`,
  'passito.config.ts': `const shell = (script: string) => ['/bin/sh', '-c', script];
export default {
  jobs: {
    Echo: { command: shell('read -r line; echo starting; echo "{\\\\"payload\\\\": $line, \\\\"id\\\\": $PASSITO_JOB_ID, \\\\"attempt\\\\": $PASSITO_ATTEMPT}"') },
    Big: { command: ['/bin/sh', 'big.sh'] },
    Huge: { command: shell('yes | head -c 22000000 | tr -d "\\\\n"'), maxAttempts: 1 },
    Silent: { command: ['/bin/true'] },
    Words: { command: ['/bin/echo', 'not', 'JSON'] },
    GivesUp: { command: shell('echo "no such roll number" >&2; exit 65') },
    Fails: { command: shell('echo first >&2; echo "disk on fire" >&2; exit 3'), maxAttempts: 1 },
    Absent: { command: ['/nowhere/php'], maxAttempts: 1 },
    Slow: { command: shell('sleep 60 & wait'), timeout: '300ms', maxAttempts: 1 },
    Plain: { priority: 4 },
  },
} as const;
`,
};

describe('jobs that users write', { concurrency: 2 }, () => {
  const here = new Site(after);
  let daemon: Daemon;

  before(async () => {
    for (const [name, text] of Object.entries(FILES)) here.write(name, text);
    daemon = await here.start(['--min-workers', '2']);
  });

  async function waited(type: string, payload: unknown = {}, code = 0): Promise<Waited> {
    const { stdout, stderr, ...rest } = await here.run([
      'dispatch',
      type,
      '--payload',
      JSON.stringify(payload),
      '--wait',
      '10s',
      '--json',
    ]);
    assert.equal(rest.code, code, `${stdout}${stderr}`);
    return JSON.parse(stdout) as Waited;
  }

  it('TypeScript with a helper file and a package beside it', async () => {
    const { id, status, result } = await waited('Invoice', { net: 10 });
    assert.deepEqual([status, result], ['completed', { total: '12.00 EUR', attempt: 1 }]);
    assert.match(
      await daemon.line(/ computing /),
      new RegExp(`computing net=10 id=${id} type=Invoice attempt=1`),
    );
    assert.equal(here.value<string>('SELECT progress FROM jobs WHERE id = ?', id), '{"percent":50}');
  });

  it('JavaScript, CommonJS, and a class in the style of the guide', async () => {
    assert.deepEqual((await waited('Plain', { n: 21 })).result, { twice: 42 });
    assert.deepEqual((await waited('OldStyle', { path: '/a/b.txt' })).result, 'b.txt');
    assert.deepEqual((await waited('MyCustomJob', { id: 5 })).result, { status: 'did 5' });
  });

  it('the config file has its say on a job of the folder', async () => {
    const { id } = await waited('Plain', { n: 1 });
    assert.equal(here.value('SELECT priority FROM jobs WHERE id = ?', id), 4);
  });

  it('a schema refuses at dispatch, and before the handler', async () => {
    const refused = await here.run(['dispatch', 'Strict', '--payload', '{"id": "five"}']);
    assert.equal(refused.code, 2);
    assert.equal(refused.stderr, 'passito: The payload does not fit Strict: id: expected a number.\n');
    assert.deepEqual((await waited('Strict', { id: 5 })).result, { id: 5, checked: true });
    const id = here.insert('Strict', { id: 'five' });
    await here.reaches(id, 'failed');
    assert.equal(
      here.value<string>('SELECT last_error FROM jobs WHERE id = ?', id),
      'The payload does not fit: id: expected a number.',
    );
  });

  it('a command keeps a long last line whole, and says where it is too long', async () => {
    assert.deepEqual((await waited('Big')).result, { a: 'y'.repeat(300_000) });
    const { id } = await waited('Huge', {}, 1);
    assert.match(
      here.value<string>('SELECT last_error FROM jobs WHERE id = ?', id),
      /^its result has 10\.5 MB; at most 10 MB are kept/,
    );
  });

  it('results too large for the shared memory arrive, also those of threads that have just begun', async (t) => {
    const site = new Site((clean) => t.after(clean));
    site.job('Big', `return 'x'.repeat(15_000);`, 'maxAttempts: 1,');
    await site.run(['dispatch', '--ndjson', '-'], { input: '{"type":"Big"}\n'.repeat(1500) });
    await site.start(['--min-workers', '10', '--max-workers', '10']);
    await site.drained();
    const counts = site.sql.prepare('SELECT status, count(*) AS n FROM jobs GROUP BY 1').all();
    assert.deepEqual(counts, [{ status: 'completed', n: 1500 }]);
  });

  it('discard, snooze and throw', async () => {
    const given = await waited('Gives', { how: 'discard' }, 1);
    assert.deepEqual([given.status, given.last_error], ['failed', 'there is no such student']);
    assert.equal(here.value('SELECT discarded FROM jobs WHERE id = ?', given.id), 1);
    const id = here.insert('Gives', { how: 'snooze' });
    await here.until('SELECT available_at > created_at FROM jobs WHERE id = ?', [id]);
    assert.deepEqual(here.sql.prepare('SELECT status, attempts FROM jobs WHERE id = ?').get(id), {
      status: 'pending',
      attempts: 0,
    });
    assert.equal((await waited('Gives', { how: 'throw' }, 1)).last_error, 'TypeError: odd');
    const waits = here.insert('Gives', { how: 'wait' });
    await daemon.line(/job waits id=\d+ type=Gives attempt=1 error="the office is closed\." again="in 60m"/);
    assert.match(
      await here.ok('explain', String(waits)),
      /^Job #\d+ \(Gives\) waits until [\d-]+ [\d:]+ UTC, in (60m|1h), because: the office is closed\.\n$/,
    );
    assert.match(
      await here.ok('jobs', 'show', String(waits)),
      /Status +pending\n +Attempts +0\n[^]*Last error +the office is closed\.$/m,
    );
  });

  it('41: a handler dispatches, and a child reads the results of its parents', async () => {
    const { id } = await waited('Fans');
    await here.until(`SELECT 1 FROM jobs WHERE type = 'Sum' AND status = 'completed' AND id > ?`, [id]);
    const sum = here.value<string>(`SELECT result FROM jobs WHERE type = 'Sum' AND id > ?`, id);
    assert.deepEqual(JSON.parse(sum), [
      { type: 'Plain', result: { twice: 2 } },
      { type: 'Fans', result: 7 },
    ]);
  });

  describe('commands', { concurrency: 2 }, () => {
    it('get payload, id and attempt; the last line is the result', async () => {
      const { id, result } = await waited('Echo', { a: [1, 'ü'] });
      assert.deepEqual(result, { payload: { a: [1, 'ü'] }, id, attempt: 1 });
    });

    it('may say nothing, or words', async () => {
      assert.equal((await waited('Silent')).result, null);
      assert.equal((await waited('Words')).result, 'not JSON');
    });

    it('give up with 65, and fail with any other number', async () => {
      const up = await waited('GivesUp', {}, 1);
      assert.deepEqual([up.status, up.last_error], ['failed', 'no such roll number']);
      assert.equal(here.value('SELECT discarded FROM jobs WHERE id = ?', up.id), 1);
      const failed = await waited('Fails', {}, 1);
      assert.equal(failed.last_error, '/bin/sh ended with exit 3: first\ndisk on fire');
      assert.match(
        (await waited('Absent', {}, 1)).last_error ?? '',
        /^cannot start \/nowhere\/php: .*ENOENT/,
      );
    });

    it('end at their timeout with what they started', async () => {
      const { last_error: error } = await waited('Slow', {}, 1);
      assert.equal(error, 'Timed out after 300ms.');
      const started = performance.now();
      while (childrenOf(daemon.pid).length > 0) {
        assert.ok(performance.now() - started < 3000, `left behind: ${childrenOf(daemon.pid).join(', ')}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
  });

  it('try runs a handler without the queue', async () => {
    const jobs = here.value('SELECT max(id) FROM jobs');
    const tried = await here.run(['try', 'Invoice', '--payload', '{"net": 5}']);
    assert.equal(tried.code, 0, tried.stderr);
    assert.match(
      tried.stdout,
      /^Invoice completed in \d+ ms\. Result: \{"total":"6\.00 EUR","attempt":1\}\n$/,
    );
    assert.match(tried.stderr, /computing net=5/);
    const given = await here.run(['try', 'Gives', '--payload', '{"how": "discard"}']);
    assert.deepEqual([given.code, given.stderr], [1, 'Gives gave the job up: there is no such student\n']);
    assert.match(
      await here.ok('try', 'Gives', '--payload', '{"how": "snooze"}'),
      /asked to be tried again in 1h/,
    );
    const waits = await here.run(['try', 'Gives', '--payload', '{"how": "wait"}']);
    assert.deepEqual(
      [waits.code, waits.stdout, waits.stderr],
      [1, '', 'Gives asked to be tried again in 1h: the office is closed.\n'],
    );
    assert.match(await here.ok('try', 'Echo', '--payload', '{"n":1}'), /Result: \{"payload":\{"n":1\}/);
    const fans = await here.run(['try', 'Fans']);
    assert.match(fans.stderr, /Would dispatch Plain with \{"n":1\}\.\nWould dispatch Sum with \{\}\.\n/);
    assert.ok(here.value('SELECT max(id) FROM jobs') - jobs < 20, 'nothing was dispatched by try');
  });
});

/** Processes whose parent it is, or whose group a child of it led. */
function childrenOf(pid: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]!.split(' ');
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return Number(stat[1]) === pid || command === 'sleep\u000060\u0000';
      } catch {
        return false;
      }
    });
}

describe('dispatch', { concurrency: 2 }, () => {
  const here = new Site(after);

  before(async () => {
    here.job('Nap', 'await sleep(payload.ms ?? 1); return payload;');
    here.job('Bad', 'throw new Error("always");', 'maxAttempts: 1,');
    await here.start();
  });

  it('prints the id, and JSON where a program reads', async () => {
    assert.match(await here.ok('dispatch', 'Nap', '--delay', '1h'), /^Job #\d+ dispatched\.\n$/);
    assert.deepEqual(Object.keys(await here.json('jobs:dispatch', 'Nap', '--delay', '1h')), [
      'id',
      'existing',
    ]);
  });

  it('takes the payload from a file or from stdin', async () => {
    here.write('payload.json', '{"from": "file"}');
    const file = await here.json<Waited>('dispatch', 'Nap', '--payload-file', 'payload.json', '--wait');
    assert.deepEqual(file.result, { from: 'file' });
    const piped = await here.run(['dispatch', 'Nap', '--payload-file', '-', '--wait', '--json'], {
      input: '{"from": "stdin"}',
    });
    assert.deepEqual((JSON.parse(piped.stdout) as Waited).result, { from: 'stdin' });
  });

  it('keeps what the options say', async () => {
    const args = [
      '--priority',
      '7',
      '--queue',
      'late',
      '--max-attempts',
      '9',
      '--at',
      '2099-01-02 03:04',
      '--timeout',
      '5s',
    ];
    const { id } = await here.json<{ id: number }>('dispatch', 'Nap', ...args);
    const row = here.sql
      .prepare('SELECT priority, queue, max_attempts, available_at, options FROM jobs WHERE id = ?')
      .get(id);
    assert.deepEqual(row, {
      priority: 7,
      queue: 'late',
      max_attempts: 9,
      available_at: '2099-01-02 03:04:00.000',
      options: '{"timeout":5000}',
    });
  });

  it('--wait ends with the job: 0, 1 where it failed, 1 where the time was too short', async () => {
    const good = await here.run(['dispatch', 'Nap', '--payload', '{"a":1}', '--wait']);
    assert.equal(good.code, 0);
    assert.match(good.stdout, /^Job #(\d+) dispatched\.\nJob #\1 completed\. Result: \{"a":1\}\n$/);
    const bad = await here.run(['dispatch', 'Bad', '--wait', '10s']);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /^Job #\d+ failed: always\n$/);
    const slow = await here.run(['dispatch', 'Nap', '--payload', '{"ms":1500}', '--wait', '300ms']);
    assert.equal(slow.code, 1);
    assert.match(
      slow.stderr,
      /^Job #(\d+) has not ended within the time; it is processing\. Type: passito explain \1\n$/,
    );
  });

  it('a unique key returns the job that is there', async () => {
    const first = await here.json<{ id: number }>('dispatch', 'Nap', '--unique-key', 'k', '--delay', '1h');
    assert.deepEqual(await here.json('dispatch', 'Nap', '--unique-key', 'k'), {
      id: first.id,
      existing: true,
    });
    assert.equal(
      await here.ok('dispatch', 'Nap', '--unique-key', 'k'),
      `Job #${first.id} exists already; no second one was dispatched.\n`,
    );
    const other = await here.json<{ id: number; existing: boolean }>(
      'dispatch',
      'Bad',
      '--unique-key',
      'k',
      '--delay',
      '1h',
    );
    assert.equal(other.existing, false, 'keys belong to a type');
    await here.ok('jobs', 'cancel', String(first.id));
    const next = await here.json<{ existing: boolean }>(
      'dispatch',
      'Nap',
      '--unique-key',
      'k',
      '--delay',
      '1h',
    );
    assert.equal(next.existing, false);
  });

  it('waits for its parents: a failed one blocks until it is revived (39)', async () => {
    // Its own, and not the newest: other tests dispatch to the same queue meanwhile.
    const { stdout } = await here.run(['dispatch', 'Bad', '--wait', '10s', '--json']);
    const { id: parent } = JSON.parse(stdout) as { id: number };
    await here.reaches(parent, 'failed');
    const { id } = await here.json<{ id: number }>('dispatch', 'Nap', '--depends-on', String(parent));
    assert.equal(here.status(id), 'blocked');
    assert.match(
      await here.ok('explain', String(id)),
      new RegExp(
        `waits for #${parent} \\(Bad\\), which is failed; 'passito jobs retry ${parent}' would let it go on`,
      ),
    );
    here.sql.prepare(`UPDATE jobs SET type = 'Nap' WHERE id = ?`).run(parent);
    await here.ok('jobs', 'retry', String(parent));
    await here.reaches(id, 'completed');
    const { id: third } = await here.json<{ id: number }>(
      'dispatch',
      'Nap',
      '--depends-on',
      `${parent},${id}`,
      '--wait',
    );
    assert.equal(here.status(third), 'completed', 'completed parents are no reason to wait');
  });

  it('--ndjson from stdin, with refs, delays and all the keys', async () => {
    const lines = [
      { type: 'Nap', ref: 'a', payload: { n: 1 } },
      { type: 'Nap', depends_on: ['c'], payload: { n: 2 }, priority: 3, queue: 'default', max_attempts: 2 },
      {
        type: 'Nap',
        ref: 'c',
        depends_on: ['a'],
        unique_key: 'nd',
        timeout: '10s',
        backoff: { base: '1s' },
        memory_limit: '128mb',
      },
      { type: 'Nap', available_at: '2099-01-01 00:00:00+05:30', concurrency: 2 },
      { type: 'Nap', delay: '2h' },
    ];
    const input = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n\n`;
    const { code, stdout, stderr } = await here.run(['dispatch', '--ndjson', '-', '--json'], { input });
    assert.equal(code, 0, stderr);
    const answer = JSON.parse(stdout) as {
      dispatched: number;
      existing: number;
      jobs: { line: number; ref?: string; id: number }[];
    };
    assert.deepEqual(
      [answer.dispatched, answer.existing, answer.jobs.map(({ line, ref }) => [line, ref ?? ''])],
      [
        5,
        0,
        [
          [1, 'a'],
          [2, ''],
          [3, 'c'],
          [4, ''],
          [5, ''],
        ],
      ],
    );
    await here.reaches(answer.jobs[1]!.id, 'completed');
    assert.equal(
      here.value<string>('SELECT available_at FROM jobs WHERE id = ?', answer.jobs[3]!.id),
      '2098-12-31 18:30:00.000',
    );
  });

  it('--ndjson as editors elsewhere write it: a mark before the text, and CRLF', async () => {
    const input = '\ufeff{"type":"Nap"}\r\n\r\n{"type":"Nap","payload":{"name":"é😀"}}\r\n';
    const { code, stdout, stderr } = await here.run(['dispatch', '--ndjson', '-'], { input });
    assert.deepEqual([code, stdout, stderr], [0, '2 jobs dispatched.\n', '']);
  });
});

describe('a developer begins', () => {
  it('init, try, dispatch, worker --drain', async (t) => {
    const here = new Site((clean) => t.after(clean), { PASSITO_DB: 'storage/passito.db' });
    const made = await here.ok('init', 'app');
    assert.match(made, /jobs\/Hello\.ts/);
    assert.deepEqual(readdirSync(here.path('app')).toSorted(), [
      '.env',
      'jobs',
      'passito.config.ts',
      'passito.d.ts',
      'tsconfig.json',
    ]);
    assert.equal(statSync(here.path('app', '.env')).mode & 0o777, 0o600);
    const there = { cwd: here.path('app') };
    const tried = await here.run(['try', 'Hello', '--payload', '{"name": "Asha"}'], there);
    assert.equal(tried.code, 0, tried.stderr);
    assert.match(tried.stdout, /Hello completed in \d+ ms\. Result: \{"greeted":"Asha"\}/);
    assert.match(tried.stderr, /Hello, Asha/);
    assert.equal(readdirSync(here.path('app')).includes('storage'), false, 'try makes no database');
    const dispatched = await here.run(['dispatch', 'Hello', '--payload', '{"name": "Asha"}'], there);
    assert.equal(dispatched.stdout, 'Job #1 dispatched.\n');
    const worked = await here.run(['worker', '--drain'], there);
    assert.equal(worked.code, 0, worked.stderr);
    assert.match(worked.stderr, /worker ready .* workers=1-1 /);
    assert.match(worked.stderr, /Hello, Asha id=1 type=Hello attempt=1/);
    const shown = await here.run(['jobs', 'show', '1', '--json'], there);
    assert.equal((JSON.parse(shown.stdout) as Waited).status, 'completed');
    assert.equal(statSync(here.path('app', 'storage')).mode & 0o777, 0o700);
    assert.equal(statSync(here.path('app', 'storage', 'passito.db')).mode & 0o777, 0o600);
  });

  it('worker --drain ends at once where nothing is due, and works through retries and chains', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job(
      'Nap',
      'if (payload.fail && context.attempt < 2) throw new Error("once");',
      `backoff: { base: '20ms' },`,
    );
    await here.ok('migrate');
    assert.equal((await here.run(['worker', '--drain'])).code, 0);
    const [a, later] = [here.insert('Nap'), here.insert('Nap')];
    here.sql.prepare(`UPDATE jobs SET available_at = '2099-01-01 00:00:00.000' WHERE id = ?`).run(later);
    const { id } = await here.json<{ id: number }>('dispatch', 'Nap', '--depends-on', String(a));
    assert.equal((await here.run(['jobs:worker', '--drain'])).code, 0);
    assert.deepEqual(
      [a, id, later].map((one) => here.status(one)),
      ['completed', 'completed', 'pending'],
    );
  });

  it('dispatch is told of job files that would end it, and dispatches nothing then', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job('Ok', 'return 1;');
    here.write('jobs/Ends.ts', 'process.exit(0);');
    here.write(
      'jobs/Checks.ts',
      'export default { schema: { "~standard": { validate() { process.exit(0); } } }, handle() {} };',
    );
    here.write('jobs/Odd.ts', 'export default { unique() { throw Symbol("no key"); }, handle() {} };');
    here.write('jobs/NoSchema.ts', 'export default { schema: {}, handle() {} };');
    await here.ok('migrate');
    for (const [type, said] of [
      ['Ends', /Ends\.ts: it would end the process: process\.exit\(0\)\./],
      ['Checks', /does not fit Checks: it would end the process/],
      ['Odd', /does not fit Odd: threw Symbol\(no key\)/],
      ['NoSchema', /NoSchema\.ts: the schema is no Standard Schema/],
    ] as const) {
      const { code, stderr } = await here.run(['dispatch', type]);
      assert.equal(code, 2, `${type}: ${stderr}`);
      assert.match(stderr, said);
      assert.doesNotMatch(stderr, /^ +at |inside passito/m);
    }
    const lines = here.write('lines', '{"type":"Ok"}\n{"type":"Ends"}\n');
    assert.equal((await here.run(['dispatch', '--ndjson', lines])).code, 2);
    assert.equal(here.value('SELECT count(*) FROM jobs'), 0);
  });

  it('a config file that would end the process, or throws when it is read, is told as such', async (t) => {
    const here = new Site((clean) => t.after(clean));
    for (const [text, said] of [
      ['process.exit(0);', /passito\.config\.mjs cannot be read: it would end the process/],
      ['export default { get jobs() { throw 1; } };', /passito\.config\.mjs cannot be read: threw 1\./],
    ] as const) {
      here.write('passito.config.mjs', text);
      const { code, stderr } = await here.run(['config']);
      assert.equal(code, 2, stderr);
      assert.match(stderr, said);
    }
  });

  it('names without end are cut in lists, and a path that is too long is told as such', async (t) => {
    const here = new Site((clean) => t.after(clean));
    await here.ok('migrate');
    here.sql.prepare(`INSERT INTO jobs (type) VALUES (?)`).run('x'.repeat(3_000_000));
    for (const args of [['jobs', 'list'], ['status']]) assert.ok((await here.ok(...args)).length < 3000);
    const { code, stderr } = await here.run(['status', '--db', 'x'.repeat(300)]);
    assert.equal(code, 3);
    assert.match(stderr, /cannot be used: its name is too long\./);
  });
});
